/**
 * What may be said, given the disk: nothing by a process whose disk has failed or was never read, nothing by an
 * incarnation whose disk is gone, no Form that is not durable, and never a second group beside a living one.
 *
 * Invariant: disks are looked at as they are at that moment, whatever the process believes of them.
 *
 * Deliberately absent: terms, votes and logs; see vote-checks.ts and log-checks.ts.
 */
import type { Snapshot } from "../../src/ports/storage.ts";
import type { PeerMessage } from "../../src/ports/transport.ts";
import type { Scene } from "./checks.ts";
import type { Life } from "./life.ts";
import { check } from "./violation.ts";
import { canGoOn } from "./whole.ts";

export class DiskChecks {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  sends({ machine, storage, transport }: Life, message: PeerMessage): void {
    const { kind } = message;
    check(!storage.failed, "stopped disk", () => `n${machine.position} sends a ${kind} after its disk has failed`);
    check(storage.loaded, "amnesiac", () => `n${machine.position} sends a ${kind} without having read its disk`);
    const { identity, form, snapshot } = machine.disk;
    check(
      // A question claims nothing: one may still leave while a removed incarnation becomes another.
      (identity !== null && identity.id === transport.local?.self.id) || kind === "formQuery",
      "amnesiac",
      () => `n${machine.position} sends a ${kind} as somebody whom its disk does not know`,
    );
    const known = [form?.groupId, snapshot?.groupId];
    const isKnown = (groupId: string): boolean => known.includes(groupId);
    switch (message.kind) {
      case "formPropose":
        check(isKnown(message.form.groupId), "form", () => `n${machine.position} proposes what is not on its disk`);
        return;
      case "formStatus":
      case "formReply": {
        const { status } = message;
        const named =
          status.kind === "accepted" ? status.form.groupId : status.kind === "member" ? status.groupId : null;
        check(named === null || isKnown(named), "form", () => `n${machine.position} tells of a Form not on its disk`);
        const forgets = status.kind === "empty" && known.some((groupId) => groupId !== undefined);
        check(!forgets, "amnesiac", () => `n${machine.position} says that it is empty, and has a group on its disk`);
        return;
      }
      default:
        return;
    }
  }

  savedSnapshot({ machine }: Life, { groupId }: Snapshot): void {
    const { members, scaled } = this.#scene;
    // A newcomer that was promised a place in it before it was given up, and hears of that late, is no second group.
    if (members.givenUp.has(groupId)) return;
    // Who does not know how large the set has become hears of a group that lives, and of no other.
    for (const other of members.living) {
      const { snapshot } = other.disk;
      const isOther = snapshot !== null && snapshot.groupId !== groupId && !members.givenUp.has(snapshot.groupId);
      check(
        !isOther || (scaled && !canGoOn(members, snapshot.groupId, null)),
        "one group",
        () =>
          `n${machine.position} is in group ${groupId.slice(0, 4)} while n${other.machine.position} ` +
          `is in ${snapshot?.groupId.slice(0, 4)}`,
      );
    }
  }
}
