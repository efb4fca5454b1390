/** `cluster`: forms the group that the script is about. */
import { baseOf, configurationOf } from "../../support/entries.ts";
import { TOKEN_BASE } from "../../support/cluster.ts";
import { memberNamed } from "../harness/args.ts";
import type { Verb } from "../harness/verb.ts";

export const cluster: Verb = {
  usage:
    "cluster voters=3 [learners=0] [lease=1100] [leases=A,B,...] [heartbeat=100] [drift=0.1] [priorities=A,B,...]" +
    " [seed=1] -- m0, m1 ...: the voters, then the learners; empty disks; all started",
  run(world, args) {
    const voters = args.number("voters", 3);
    const learners = args.number("learners", 0);
    const leaseDurationMs = args.number("lease", 1_100);
    const leases = args.numbers("leases");
    const priorities = args.numbers("priorities");
    const seed = args.number("seed", 1);
    const clock = { heartbeatIntervalMs: args.number("heartbeat", 100), clockDrift: args.number("drift", 0.1) };
    const positions = [...Array(voters + learners).keys()];
    const base = baseOf(configurationOf(positions.slice(0, voters), positions.slice(voters)));
    world.form(
      positions.map((position) => ({
        self: memberNamed(`m${position}`),
        timing: { ...clock, leaseDurationMs: leases[position] ?? leaseDurationMs },
        priority: priorities[position] ?? 0,
        seed: seed * 1_000 + position,
        base,
        tokenBase: TOKEN_BASE,
      })),
    );
  },
};
