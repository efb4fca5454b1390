/** Runs the contract of transports on each of them. */
import { MemoryNetwork } from "../support/memory-transport.ts";
import { SocketWorld, tlsWorld } from "../support/transport-world.ts";
import { transportContract } from "./transport.contract.ts";

transportContract("TCP", () => Promise.resolve(new SocketWorld(null)));

transportContract("mutual TLS", tlsWorld);

transportContract("in memory", () => {
  const network = new MemoryNetwork();
  return Promise.resolve({
    start: async (local, handlers) => {
      const transport = network.transport();
      await transport.start(local, handlers);
      return transport;
    },
    close: () => Promise.resolve(),
  });
});
