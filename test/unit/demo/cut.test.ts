/** The demo's network: real sockets through the links, cut and healed. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Links } from "../../../demo/cut.ts";

describe("links", () => {
  let links: Links;
  let server: Server;
  let port: number;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    links = await Links.create(["a", "b", "c"]);
    server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      // Says everything back, and its end as well.
      socket.pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
    await links.close();
  });

  /** Opens a connection from one member to the server at the other. */
  function dial(from: string, to: string): Socket {
    const { host, port: at } = links.address(from, to, port);
    const socket = connect({ host, port: at, allowHalfOpen: true });
    socket.setEncoding("utf8").on("error", () => undefined);
    sockets.push(socket);
    return socket;
  }

  async function echoes(socket: Socket): Promise<boolean> {
    return new Promise((resolve) => {
      socket.once("close", () => resolve(false));
      socket.once("data", (text) => resolve(String(text) === "hello"));
      socket.write("hello");
    });
  }

  it("stand between members, each with a port of its own, and not before oneself", () => {
    const ports = ["a b", "b a", "a c", "c a", "b c", "c b"].map((pair) => {
      const [from = "", to = ""] = pair.split(" ");
      return links.address(from, to, port).port;
    });
    expect(new Set([...ports, port]).size).toBe(7);
    expect(links.address("a", "a", port)).toEqual({ host: "127.0.0.1", port });
  });

  it("pass bytes and ends on, in both directions", async () => {
    const socket = dial("a", "b");
    expect(await echoes(socket)).toBe(true);
    socket.end("bye");
    let rest = "";
    for await (const text of socket) rest += String(text);
    expect(rest).toBe("bye");
  });

  it.each([
    ["what it dialled", "a", "b"],
    ["what dialled it", "c", "a"],
  ])("drop and refuse, while a member is cut off, %s", async (_what, from, to) => {
    const before = dial(from, to);
    expect(await echoes(before)).toBe(true);
    const closed = new Promise<void>((resolve) => void before.once("close", () => resolve()));
    links.cutOff("a");
    await closed;
    expect(links.isCutOff("a")).toBe(true);
    expect(await echoes(dial(from, to))).toBe(false);
    links.heal("a");
    expect(await echoes(dial(from, to))).toBe(true);
  });

  it("leave the others alone, and stay cut until both ends are healed", async () => {
    const others = dial("b", "c");
    links.cutOff("a");
    expect(await echoes(others)).toBe(true);
    links.cutOff("b");
    links.heal("a");
    expect(await echoes(dial("a", "b"))).toBe(false);
    expect(await echoes(dial("a", "c"))).toBe(true);
  });
});
