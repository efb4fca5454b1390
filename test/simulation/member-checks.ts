/**
 * Changes of members: one step at a time, each on top of a committed one, and nobody comes back (DESIGN, Membership;
 * dissertation, 4.1).
 *
 * Invariant: what is compared is the configuration before a step with the one that the step appends, and what any
 * leader has committed, whoever knows of it.
 *
 * Deliberately absent: when a leader may change them at all (promise-checks.ts), and who should be a member.
 */
import { MAX_VOTERS } from "../../src/base/limits.ts";
import type { MemberId } from "../../src/base/types.ts";
import type { Configuration, Entry } from "../../src/raft/entry.ts";
import type { Observed, Scene } from "./checks.ts";
import type { Life } from "./life.ts";
import type { LogChecks } from "./log-checks.ts";
import { check } from "./violation.ts";

export class MemberChecks {
  readonly #scene: Scene;
  readonly #log: LogChecks;

  constructor(scene: Scene, log: LogChecks) {
    this.#scene = scene;
    this.#log = log;
  }

  stepped(life: Life, { effects, before, view }: Observed): void {
    for (const entry of effects.persist?.entries ?? []) {
      const isOwn = view.role === "leader" && entry.term === view.term;
      if (entry.kind === "config" && isOwn && before !== null) this.#appended(life, before.configuration, entry);
    }
  }

  #appended(life: Life, before: Configuration, { configuration, term }: Extract<Entry, { kind: "config" }>): void {
    const { position } = life.machine;
    const committed = this.#log.committedConfiguration(life.groupId, term);
    check(
      committed === before || JSON.stringify(committed) === JSON.stringify(before),
      "change",
      () => `n${position} changes the members before the last change is committed`,
    );
    const [old, next] = [idsOf(before.voters), idsOf(configuration.voters)];
    const changed = old.filter((id) => !next.includes(id)).length + next.filter((id) => !old.includes(id)).length;
    check(changed <= 1, "change", () => `n${position} changes ${changed} voters at once`);
    const everyone = idsOf([...configuration.voters, ...configuration.learners]);
    check(new Set(everyone).size === everyone.length, "change", () => `n${position} takes a member in twice`);
    const known = idsOf([...before.voters, ...before.learners]);
    const back = everyone.find((id) => !known.includes(id) && this.#log.wasMember(life.groupId, id));
    check(back === undefined, "change", () => `n${position} takes a removed incarnation in again`);
    const came = next.find((id) => !old.includes(id));
    check(
      came === undefined || known.includes(came),
      "change",
      () => `n${position} lets somebody vote who has not listened first`,
    );
    const isGrowing = next.length > old.length;
    check(
      !isGrowing || next.length <= MAX_VOTERS,
      "change",
      () => `n${position} makes ${next.length} voters, ${MAX_VOTERS} are enough`,
    );
    this.#checkRemoval(life, before, configuration);
  }

  /** A voter goes only by its own wish, or when its disk is lost: silence alone proves nothing. */
  #checkRemoval({ machine }: Life, before: Configuration, after: Configuration): void {
    const { members } = this.#scene;
    const stay = idsOf([...after.voters, ...after.learners]);
    for (const { id, name } of before.voters) {
      if (stay.includes(id)) continue;
      const incarnation = members.of(id);
      const isLeft = incarnation?.diedAtMs !== null || incarnation.machine.wasToldToGo;
      check(isLeft, "removal", () => `n${machine.position} removes ${name}, which has neither left nor lost its disk`);
    }
  }
}

function idsOf(members: Configuration["voters"]): readonly MemberId[] {
  return members.map(({ id }) => id);
}
