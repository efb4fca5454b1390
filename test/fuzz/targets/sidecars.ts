/**
 * Commands against something that is no sidecar, or a hostile one (src/cli/client.ts): raw bytes in the place of each
 * HTTP answer.
 *
 * The first byte of an input picks the command; the rest is what every connection is answered. Promise: a command ends
 * with one of its exit statuses and with text that moves no cursor; no answer makes it throw.
 */
import { createServer, type Socket } from "node:net";
import { EXIT } from "../../../src/cli/commands.ts";
import { plain } from "../../../src/cli/paint.ts";
import { runCommand } from "../../../src/cli/run-command.ts";
import { printable } from "../../../src/cli/wrap.ts";
import { createFakeApplication } from "../../support/fake-application.ts";
import { bytesMutator, either } from "../engine/bytes.ts";
import { changeBody, END } from "../engine/http.ts";
import { require, type Target } from "../engine/target.ts";

const COMMANDS = ["status", "members", "history"] as const;
const SLOTS = 8;

interface Slot {
  readonly port: number;
  answer: Buffer;
}

export async function open(): Promise<Target> {
  const sockets = new Set<Socket>();
  const servers = await Promise.all(
    Array.from({ length: SLOTS }, async () => {
      const slot: Slot = { port: 0, answer: Buffer.alloc(0) };
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        socket.on("error", () => socket.destroy());
        socket.once("data", () => socket.end(slot.answer));
      });
      await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      return { server, slot: Object.assign(slot, { port }) };
    }),
  );
  const free = servers.map(({ slot }) => slot);
  const application = createFakeApplication();
  application.hold(251_301_442_093_057);
  const seed = (command: number, value: unknown, status = "200 OK"): Buffer => {
    const body = JSON.stringify(value);
    const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
    return Buffer.from(`${String.fromCharCode(command)}${head}${END}${body}`);
  };
  const both = { ...application.leader(), ...application.cluster(), ...application.history() };
  return {
    covers: ["src/cli/client.ts", "src/cli/run-command.ts", "src/cli/look.ts"],
    seeds: [
      seed(0, both),
      seed(1, both, "503 Service Unavailable"),
      seed(2, both),
      seed(0, { error: { code: "shutting_down", message: "the sidecar is stopping" } }, "503 x"),
      Buffer.from(`\u0001HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked${END}2\r\n{}\r\n0\r\n\r\n`),
    ],
    mutate: either(
      [3, changeBody],
      [
        2,
        bytesMutator([
          "HTTP/1.1 200 OK\r\n",
          "Content-Length: ",
          "Transfer-Encoding: chunked",
          END,
          "\r\n",
          "100 Continue",
        ]),
      ],
    ),
    parallel: SLOTS,
    sample: 30,
    async run(input) {
      const slot = free.pop();
      require(slot !== undefined, "there are as many servers as inputs at once");
      slot.answer = input.subarray(1);
      try {
        const command = COMMANDS[(input[0] ?? 0) % COMMANDS.length] ?? "status";
        let [out, err] = ["", ""];
        const terminal = {
          out: (text: string) => void (out += text),
          err: (text: string) => void (err += text),
          paint: plain,
        };
        const status = await runCommand([command], { TENURE_HTTP_PORT: String(slot.port) }, terminal);
        require(Object.values<number>(EXIT).includes(status), "a command ends with one of its statuses");
        require([...out.split("\n"), ...err.split("\n")].every(
          (line) => printable(line) === line,
        ), "what is printed moves no cursor");
        return `${command} ${status} ${/^tenure \w+: (\w+)/u.exec(err)?.[1] ?? ""}`;
      } finally {
        free.push(slot);
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(
        servers.map(({ server }) => new Promise<void>((resolve) => void server.close(() => resolve()))),
      );
    },
  };
}
