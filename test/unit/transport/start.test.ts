/** Starting and binding: what can be had, what cannot, and how that is told. */
import { connect, createServer, Server } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { TenureError } from "../../../src/base/errors.ts";
import { listen } from "../../../src/transport/listen.ts";
import { localPeer, Recorder } from "../../support/transport-recorder.ts";
import { SocketWorld } from "../../support/transport-world.ts";

const LOCAL = localPeer("app-0", 1);
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

let world: SocketWorld;
beforeEach(() => {
  world = new SocketWorld(null);
});
afterEach(async () => {
  await world.close();
});

/** What a bind to each host does, on a machine that is not like this one. */
class PickyServer extends Server {
  readonly asked: string[] = [];
  readonly #errors: Readonly<Record<string, string>>;

  constructor(errors: Readonly<Record<string, string>>) {
    super();
    this.#errors = errors;
  }

  override listen(...given: unknown[]): this {
    const [options, done] = given;
    const host = typeof options === "object" && options !== null && "host" in options ? String(options.host) : "";
    this.asked.push(host);
    const code = this.#errors[host];
    if (code === undefined) return super.listen({ host: "127.0.0.1", port: 0 }, done as () => void);
    process.nextTick(() => this.emit("error", Object.assign(new Error(code), { code })));
    return this;
  }
}

async function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

describe("the peer port", () => {
  it('on "::" takes IPv4, and IPv6 where there is some', async () => {
    const transport = world.make({ host: "::" });
    await transport.start(LOCAL, new Recorder());
    expect(transport.port).toBeGreaterThan(0);
    expect(await connects("127.0.0.1", transport.port)).toBe(true);
    expect(await connects("::1", transport.port)).toBe(hasIpv6);
  });

  it.each(["EAFNOSUPPORT", "EADDRNOTAVAIL"])('on "::" falls back to IPv4 where there is no IPv6 (%s)', async (code) => {
    const server = new PickyServer({ "::": code });
    expect(await listen(server, "::", 7400)).toBeGreaterThan(0);
    expect(server.asked).toEqual(["::", "0.0.0.0"]);
    server.close();
  });

  it("does not fall back for another reason, nor from another host", async () => {
    const inUse = new PickyServer({ "::": "EADDRINUSE" });
    await expect(listen(inUse, "::", 7400)).rejects.toThrow("EADDRINUSE");
    expect(inUse.asked).toEqual(["::"]);
    const foreign = new PickyServer({ "10.9.9.9": "EADDRNOTAVAIL" });
    await expect(listen(foreign, "10.9.9.9", 7400)).rejects.toThrow("10.9.9.9:7400");
    expect(foreign.asked).toEqual(["10.9.9.9"]);
  });

  it("that is in use is told by its number", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen({ host: "127.0.0.1", port: 0 }, resolve));
    const { port } = holder.address() as AddressInfo;
    const fault: unknown = await world
      .make({ port })
      .start(LOCAL, new Recorder())
      .catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(TenureError);
    expect(fault).toMatchObject({ code: "listen_failed" });
    expect(String(fault)).toContain(`127.0.0.1:${port}`);
    holder.close();
  });
});

describe("a transport", () => {
  it("does not start with certificates that cannot be used", async () => {
    const start = world.make({ tlsDir: "/nowhere" }).start(LOCAL, new Recorder());
    await expect(start).rejects.toMatchObject({ code: "tls_unusable" });
    await expect(start).rejects.toThrow("/nowhere/");
  });

  it("may be told its peers before it starts", async () => {
    const seen = new Recorder();
    await world.start(localPeer("app-1", 2), new Recorder());
    const transport = world.make();
    transport.setPeers(["app-1"]);
    await transport.start(LOCAL, seen);
    await seen.untilConnected("app-1");
  });

  it("that is closed while it starts listens to nobody", async () => {
    const transport = world.make();
    const started = transport.start(LOCAL, new Recorder());
    await transport.close();
    await started;
    expect(await connects("127.0.0.1", transport.port)).toBe(false);
  });

  it("is closed twice without harm, and before it was started", async () => {
    const transport = await world.start(LOCAL, new Recorder());
    await Promise.all([transport.close(), transport.close()]);
    await world.make().close();
    expect(await connects("127.0.0.1", transport.port)).toBe(false);
  });

  it("does not take itself for a peer, nor a name that no peer would read", async () => {
    const transport = await world.start(LOCAL, new Recorder());
    expect(() => transport.setPeers(["app-0"])).toThrow(AssertionError);
    await expect(world.make().start(localPeer("no name", 3), new Recorder())).rejects.toThrow("name of a pod");
  });
});
