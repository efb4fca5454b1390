/**
 * The command line of a command: what is taken, and what a typing mistake is answered with.
 */
import { describe, expect, it } from "vitest";
import { readCommand } from "../../../src/cli/read-command.ts";
import type { Environment } from "../../../src/config/environment.ts";

function lineOf(text: string, env: Environment = {}): unknown {
  const reading = readCommand(text.split(" "), env);
  return reading.kind === "command" ? { ...reading.line, values: Object.fromEntries(reading.line.values) } : reading;
}

function problemsOf(argv: readonly string[], env: Environment = {}): readonly string[] {
  const reading = readCommand(argv, env);
  return reading.kind === "problems" ? reading.problems : [`is a ${reading.kind}`];
}

const DEFAULT = { kind: "port", host: "127.0.0.1", port: 4040 };

describe("a command line", () => {
  it("has a command and its flags, in any order", () => {
    expect(lineOf("status")).toEqual({ name: "status", address: DEFAULT, json: false, values: {} });
    const transfer = { name: "transfer", address: { ...DEFAULT, port: 4041 }, json: true };
    const values = { "--to": ["app-2"], "--http-port": ["4041"] };
    expect(lineOf("transfer --to app-2 --json --http-port=4041")).toEqual({ ...transfer, values });
    expect(lineOf("transfer --http-port 4041 --json --to=app-2")).toEqual({ ...transfer, values });
  });

  it("keeps equal flags in their order, for those that repeat; an address is the last one", () => {
    expect(lineOf("rescue --lost app-1 --lost app-2 --http-port 1 --http-port 2")).toMatchObject({
      values: { "--lost": ["app-1", "app-2"] },
      address: { port: 2 },
    });
  });

  it.each([
    ["status --help", "status"],
    ["resign -h", "resign"],
    ["transfer --to app-1 --help", "transfer"],
    ["help history", "history"],
    ["help", null],
    ["help run", null],
    ["help --json", null],
  ])("asks for help: %s", (text, topic) => {
    expect(lineOf(text)).toEqual({ kind: "help", topic });
  });
});

describe("a mistake", () => {
  it.each([
    ["statsu", 'no such command: "statsu"; did you mean status?'],
    ["member", 'no such command: "member"; did you mean members?'],
    ["version", 'no such command: "version"; did you mean --version?'],
    ["help transfr", 'no such command: "transfr"; did you mean transfer?'],
    ["status --jsno", 'no such flag: "--jsno"; did you mean --json?'],
    ["status --http_port 1", 'no such flag: "--http_port"; did you mean --http-port?'],
    ["status --to app-1", 'no such flag: "--to"'],
    ["status -x", 'no such flag: "-x"'],
    ["transfer app-2", '"app-2" belongs to no flag; did you mean --to app-2?'],
    ["rescue app-2", '"app-2" belongs to no flag; did you mean --lost app-2?'],
    ["init app-2", '"app-2" belongs to no flag; init takes flags only'],
    ["status app-2", '"app-2" belongs to no flag; status takes flags only'],
    ["transfer --to", "--to stands without its <pod>"],
    ["transfer --to --json", "--to stands without its <pod>"],
    ["transfer --to=", "--to is empty"],
    ["status --json=yes", '--json takes no value, but was given "yes"'],
  ])("is told: %s", (text, problem) => {
    expect(problemsOf(text.split(" "))).toEqual([problem]);
  });

  it("that resembles nothing is answered with what there is", () => {
    expect(problemsOf(["frobnicate"])[0]).toMatch(/^no such command: "frobnicate"; there are status, .*, run, help$/u);
  });

  it("does not hide the next one", () => {
    expect(problemsOf(["transfer", "--to", "--jsn", "x", "y", "--http-port", "none"])).toEqual([
      "--to stands without its <pod>",
      'no such flag: "--jsn"; did you mean --json?',
      '"y" belongs to no flag; did you mean --to y?',
      '--http-port is "none": not a whole number; allowed: a port from 1 to 65535, or 0 for any that is free',
    ]);
  });

  it("of an empty variable in a script is no wish for any pod", () => {
    expect(problemsOf(["transfer", "--to", ""])).toEqual(["--to is empty"]);
  });

  it("is cut when it is endless", () => {
    expect(problemsOf(["x".repeat(5_000)])[0]?.length).toBeLessThan(300);
  });
});

describe("the address", () => {
  it("is that of the sidecar's own settings", () => {
    const env = { TENURE_HTTP_HOST: "::1", TENURE_HTTP_PORT: "4050" };
    expect(lineOf("status", env)).toMatchObject({ address: { kind: "port", host: "::1", port: 4050 } });
  });

  it("is a flag's before the environment's", () => {
    expect(lineOf("status --http-port 4051", { TENURE_HTTP_PORT: "4050" })).toMatchObject({ address: { port: 4051 } });
  });

  it("is the socket if there is one, unless a flag names the port", () => {
    const env = { TENURE_HTTP_SOCKET: "/run/tenure.sock" };
    expect(lineOf("status", env)).toMatchObject({ address: { kind: "socket", path: "/run/tenure.sock" } });
    expect(lineOf("status --http-socket /x", env)).toMatchObject({ address: { kind: "socket", path: "/x" } });
    expect(lineOf("status --http-port 4041", env)).toMatchObject({ address: { ...DEFAULT, port: 4041 } });
    expect(problemsOf(["status", "--http-socket", "/x", "--http-host", "::1"])).toEqual([
      "--http-socket and --http-host or --http-port name two places; give one",
    ]);
  });

  it("has nothing to do with other settings, faulty or not, nor with service links", () => {
    const env = { TENURE_REPLICAS: "none", TENURE_ODD: "1", TENURE_HTTP_PORT: "tcp://10.96.0.7:4040" };
    expect(lineOf("status", env)).toMatchObject({ address: DEFAULT });
  });

  it("must be one that can be known, and on loopback", () => {
    expect(problemsOf(["status"], { TENURE_HTTP_PORT: "0" })).toEqual([
      expect.stringMatching(/^TENURE_HTTP_PORT is 0, any that is free; .*--http-port$/u),
    ]);
    expect(problemsOf(["status", "--http-host", "0.0.0.0"])[0]).toContain("not a loopback address");
  });
});
