/**
 * Formation: one group or none, whatever is heard in whatever order (DESIGN, Formation).
 *
 * Longer than 300 lines because the set of slots that the cases play on is part of it.
 */
import { describe, expect, it } from "vitest";
import { type Member, memberId, type MonotonicMs, monotonicMs } from "../../../src/base/types.ts";
import { STATUS_FRESH_MS } from "../../../src/node/answers.ts";
import { Formation, type FormationAction } from "../../../src/node/formation.ts";
import type { Form } from "../../../src/ports/storage.ts";
import type { FormationMessage, FormationStatus, IntroductoryMessage } from "../../../src/ports/transport.ts";

const SECONDS_PER_TOKEN_BASE = 2 ** 22;

function idOf(digit: string): Member["id"] {
  return memberId(digit.repeat(32));
}

let newIds = 0x1000;

/** A slot of the set: a pod with a disk that can be emptied, which gives it a new incarnation. */
class Slot {
  readonly ordinal: number;
  readonly size: number;
  self: Member;
  disk: Form | null = null;
  formation: Formation;
  grouped: Form | null = null;
  listed: readonly string[] | null = [];
  wallSeconds = 100;

  constructor(ordinal: number, size: number, id: string) {
    this.ordinal = ordinal;
    this.size = size;
    this.self = { id: idOf(id), name: `app-${ordinal}` };
    this.formation = this.#start();
  }

  get others(): readonly string[] {
    return Array.from({ length: this.size }, (_, ordinal) => `app-${ordinal}`).filter(
      (name) => name !== this.self.name,
    );
  }

  restart(): void {
    this.formation = this.#start();
  }

  rebirth(id: string): void {
    this.self = { id: idOf(id), name: this.self.name };
    this.disk = null;
    this.grouped = null;
    this.formation = this.#start();
  }

  #start(): Formation {
    return new Formation({
      self: this.self,
      others: this.others,
      proposer: this.ordinal === 0,
      accepted: this.disk,
      groupId: this.grouped?.groupId ?? null,
      listed: () => this.listed,
      wallSeconds: () => this.wallSeconds,
      newId: () => memberId((newIds += 1).toString(16).padStart(32, "0")),
    });
  }
}

/** What an empty pod answers to the present question of this slot. */
function emptyAnswer({ formation }: Slot, now: MonotonicMs): FormationMessage {
  const question = formation.question(now);
  const nonce = question.kind === "formQuery" ? question.nonce : "";
  return { kind: "formStatus", nonce, status: { kind: "empty", wallSeconds: 1 } };
}

class Network {
  readonly slots: readonly Slot[];
  readonly down = new Set<string>();
  now = monotonicMs(0);
  queue: { from: Member; to: string; message: IntroductoryMessage }[] = [];
  /** Slots have the first digits as ids. */
  #given = 4;

  constructor(size: number) {
    this.slots = Array.from({ length: size }, (_, ordinal) => new Slot(ordinal, size, String(ordinal)));
  }

  slot(ordinal: number): Slot {
    const slot = this.slots[ordinal];
    if (slot === undefined) throw new Error("no such slot");
    return slot;
  }

  carryOut(slot: Slot, actions: readonly FormationAction[]): void {
    for (const action of actions) {
      if (action.kind === "save") slot.disk = action.form;
      else if (action.kind === "giveUp") slot.rebirth(String((this.#given += 1) % 10));
      else if (action.kind === "group") slot.grouped = action.form;
      else this.queue.push({ from: slot.self, to: action.to, message: action.message });
    }
  }

  tick(): void {
    this.now = monotonicMs(this.now + 200);
    for (const slot of this.slots)
      if (!this.down.has(slot.self.name)) this.carryOut(slot, slot.formation.tick(this.now));
    this.settle();
  }

  settle(keep: (from: string, to: string, message: IntroductoryMessage) => boolean = () => true): void {
    for (let flight = this.queue.shift(); flight !== undefined; flight = this.queue.shift()) {
      const { from, to, message } = flight;
      const slot = this.slots.find((candidate) => candidate.self.name === to);
      if (slot === undefined || this.down.has(to) || this.down.has(from.name) || !keep(from.name, to, message))
        continue;
      // Being taken in is not formation's business.
      if (message.kind === "joinRequest" || message.kind === "joinAccepted" || message.kind === "removed") continue;
      this.carryOut(slot, slot.formation.receive(from, message, this.now));
    }
  }

  groups(): readonly string[] {
    return [...new Set(this.slots.flatMap((slot) => (slot.grouped === null ? [] : [slot.grouped.groupId])))];
  }
}

describe("first formation", () => {
  it("forms one group of all names, once all have answered that they are empty", () => {
    const network = new Network(3);
    network.slot(1).wallSeconds = 250;
    network.tick();
    network.tick();
    expect(network.slots.map((slot) => slot.grouped?.founders.map((founder) => founder.name))).toEqual(
      Array.from({ length: 3 }, () => ["app-0", "app-1", "app-2"]),
    );
    expect(network.slot(0).disk?.tokenBase, "the latest wall clock of the founders").toBe(250 * SECONDS_PER_TOKEN_BASE);
  });

  it("waits for ever while one name is silent", () => {
    const network = new Network(3);
    network.down.add("app-2");
    for (let round = 0; round < 50; round += 1) network.tick();
    expect(network.slots.map((slot) => slot.disk)).toEqual([null, null, null]);
    expect(network.slot(0).formation.silent(network.now)).toEqual(["app-2"]);
  });

  it("does not take an old answer for a present one", () => {
    const network = new Network(3);
    network.down.add("app-2");
    network.tick();
    const hearOfTwo = (): void =>
      network.carryOut(
        network.slot(0),
        network.slot(0).formation.receive(network.slot(2).self, emptyAnswer(network.slot(0), network.now), network.now),
      );
    hearOfTwo();
    network.settle();
    hearOfTwo();
    expect(network.slot(0).disk, "all have answered at this moment").not.toBeNull();

    const late = new Network(3);
    late.down.add("app-1").add("app-2");
    const tell = (ordinal: number): void =>
      late.carryOut(
        late.slot(0),
        late.slot(0).formation.receive(late.slot(ordinal).self, emptyAnswer(late.slot(0), late.now), late.now),
      );
    tell(1);
    late.now = monotonicMs(late.now + STATUS_FRESH_MS + 1);
    tell(2);
    expect(late.slot(0).disk).toBeNull();
  });

  it("does not take it that each was empty for all being empty: one may join while another is born anew", () => {
    const network = new Network(3);
    network.down.add("app-2");
    network.tick();
    // app-1 has said that it is empty. It becomes all of a group, out of the sight of app-0; then app-2 comes, empty.
    network.down.add("app-1").delete("app-2");
    network.tick();
    network.settle();
    expect(network.slot(0).formation.silent(network.now), "both answers are fresh").toEqual([]);
    expect(network.slot(0).disk).toBeNull();
    network.down.delete("app-1");
    network.tick();
    expect(network.slot(0).disk, "and all at one moment").not.toBeNull();
  });

  it("takes an answer for as old as its own question, not as the newest", () => {
    const network = new Network(2);
    const [slot, other] = [network.slot(0), network.slot(1)];
    const hear = (message: FormationMessage): void =>
      network.carryOut(slot, slot.formation.receive(other.self, message, network.now));
    const old = emptyAnswer(slot, network.now);
    network.now = monotonicMs(network.now + STATUS_FRESH_MS);
    slot.formation.question(network.now);
    hear(old);
    network.now = monotonicMs(network.now + 1);
    expect(slot.formation.silent(network.now)).toEqual(["app-1"]);
  });

  it("takes no answer for a present one whose question is old, however long it was on its way", () => {
    const network = new Network(2);
    const [slot, other] = [network.slot(0), network.slot(1)];
    const answer = emptyAnswer(slot, network.now);
    const hear = (message: FormationMessage): void =>
      network.carryOut(slot, slot.formation.receive(other.self, message, network.now));
    network.now = monotonicMs(network.now + STATUS_FRESH_MS + 1);
    hear(answer);
    hear({ kind: "formStatus", nonce: "", status: { kind: "empty", wallSeconds: 1 } });
    hear({ kind: "formReply", groupId: idOf("e"), accepted: false, status: { kind: "empty", wallSeconds: 1 } });
    expect(slot.disk).toBeNull();
    expect(slot.formation.silent(network.now)).toEqual(["app-1"]);
    for (const _ of ["first", "again, now that it was heard"]) hear(emptyAnswer(slot, network.now));
    expect(slot.disk).not.toBeNull();
  });

  it("believes the later of two words: who has a group is not empty by an older answer", () => {
    const network = new Network(2);
    const [slot, other] = [network.slot(0), network.slot(1)];
    const answer = emptyAnswer(slot, network.now);
    network.now = monotonicMs(network.now + 10);
    const member: FormationStatus = { kind: "member", groupId: idOf("8") };
    slot.formation.receive(other.self, { kind: "formStatus", nonce: "", status: member }, network.now);
    network.carryOut(slot, slot.formation.receive(other.self, answer, network.now));
    expect(slot.disk).toBeNull();
    expect(slot.formation.outsider).toBe(true);
  });

  it("forms a group of one by itself", () => {
    const network = new Network(1);
    network.tick();
    expect(network.slot(0).grouped?.founders).toEqual([network.slot(0).self]);
  });

  it("is proposed by ordinal 0 alone", () => {
    const network = new Network(3);
    network.down.add("app-0");
    const { self } = network.slot(0);
    for (const ordinal of [1, 2]) {
      const slot = network.slot(ordinal);
      network.carryOut(slot, slot.formation.receive(self, emptyAnswer(slot, network.now), network.now));
    }
    for (let round = 0; round < 10; round += 1) network.tick();
    expect(network.slots.map((slot) => slot.disk)).toEqual([null, null, null]);
  });
});

describe("a proposer that dies on the way", () => {
  it("leaves a Form that spreads from its acceptors to a majority", () => {
    const network = new Network(3);
    network.tick();
    const fresh = new Network(3);
    const form = network.slot(0).disk;
    if (form === null) throw new Error("formed");
    fresh.down.add("app-0");
    const acceptor = fresh.slot(1);
    fresh.carryOut(acceptor, acceptor.formation.receive(fresh.slot(0).self, { kind: "formPropose", form }, fresh.now));
    expect(acceptor.disk?.groupId).toBe(form.groupId);
    for (let round = 0; round < 3; round += 1) fresh.tick();
    expect(fresh.slot(2).grouped?.groupId).toBe(form.groupId);
    expect(acceptor.grouped?.groupId).toBe(form.groupId);
  });

  it("is not grouped before a majority is known to have accepted", () => {
    const network = new Network(3);
    const form: Form = { groupId: idOf("e"), founders: network.slots.map((slot) => slot.self), tokenBase: 4_194_304 };
    network.slot(1).disk = form;
    network.slot(1).restart();
    network.down.add("app-0").add("app-2");
    for (let round = 0; round < 20; round += 1) network.tick();
    expect(network.slot(1).grouped).toBeNull();
    expect(network.slot(1).disk, "kept: silence proves nothing").toEqual(form);
  });

  it.each([
    { size: 2, accepted: [1], gone: [0] },
    { size: 3, accepted: [1], gone: [0, 2] },
    { size: 4, accepted: [0, 1], gone: [2, 3] },
    { size: 5, accepted: [1, 3], gone: [0, 2, 4] },
  ])("is given up with its incarnation once no majority of its founders is left: $accepted of $size", (given) => {
    const network = new Network(given.size);
    const form: Form = { groupId: idOf("e"), founders: network.slots.map((slot) => slot.self), tokenBase: 4_194_304 };
    for (const ordinal of given.accepted) {
      network.slot(ordinal).disk = form;
      network.slot(ordinal).restart();
    }
    for (const ordinal of given.gone) network.slot(ordinal).rebirth(String.fromCodePoint(97 + ordinal));
    for (let round = 0; round < 20; round += 1) network.tick();
    expect(network.groups()).toHaveLength(1);
    for (const { self, grouped } of network.slots) {
      expect(grouped?.founders).toContainEqual(self);
      expect(form.founders, "as somebody who never accepted the other").not.toContainEqual(self);
    }
  });

  it("is given up by a founder that was away while the group replaced the others", () => {
    const network = new Network(3);
    const form: Form = { groupId: idOf("e"), founders: network.slots.map((slot) => slot.self), tokenBase: 4_194_304 };
    const old = network.slot(1).self;
    network.slot(1).disk = form;
    for (const [ordinal, id] of [
      [0, "a"],
      [2, "b"],
    ] as const) {
      network.slot(ordinal).rebirth(id);
      network.slot(ordinal).grouped = form;
      network.slot(ordinal).restart();
    }
    network.slot(1).restart();
    for (let round = 0; round < 5; round += 1) network.tick();
    expect(network.slot(1).self).not.toEqual(old);
    expect(network.slot(1).formation.outsider, "and asks to be taken in").toBe(true);
  });

  it("is kept while a majority of its founders might still accept it", () => {
    const network = new Network(4);
    const form: Form = { groupId: idOf("e"), founders: network.slots.map((slot) => slot.self), tokenBase: 4_194_304 };
    network.slot(1).disk = form;
    network.slot(1).restart();
    network.slot(0).rebirth("a");
    network.down.add("app-2").add("app-3");
    for (let round = 0; round < 20; round += 1) network.tick();
    expect(network.slot(1).disk).toEqual(form);
    expect(network.groups()).toEqual([]);
  });

  it("is given up when the only other founder has durably accepted another", () => {
    const network = new Network(2);
    const [first, second] = [network.slot(0), network.slot(1)];
    second.disk = { groupId: idOf("e"), founders: [first.self, second.self], tokenBase: 4_194_304 };
    first.disk = { groupId: idOf("d"), founders: [first.self, second.self], tokenBase: 4_194_304 };
    first.restart();
    second.restart();
    network.carryOut(
      second,
      second.formation.receive(
        first.self,
        { kind: "formStatus", nonce: "", status: first.formation.status() },
        network.now,
      ),
    );
    expect(second.disk).toBeNull();
    for (let round = 0; round < 5; round += 1) network.tick();
    expect(network.groups(), "both began anew").toHaveLength(1);
  });
});

describe("a group that exists", () => {
  it("is not formed again by ordinal 0 reborn empty (rabbitmq cluster-operator#1957)", () => {
    const network = new Network(3);
    network.tick();
    network.tick();
    const [group] = network.groups();
    network.slot(0).rebirth("a");
    for (let round = 0; round < 20; round += 1) network.tick();
    expect(network.slot(0).disk).toBeNull();
    expect(network.slot(0).formation.outsider).toBe(true);
    expect(network.groups()).toEqual([group]);
  });

  it("takes in a founder that was away when the others accepted", () => {
    const network = new Network(3);
    network.tick();
    const form = network.slot(0).disk;
    network.slot(2).disk = null;
    network.slot(2).grouped = null;
    network.slot(2).restart();
    for (let round = 0; round < 3; round += 1) network.tick();
    expect(network.slot(2).grouped).toEqual(form);
  });

  it("accepts one Form only, and says so", () => {
    const network = new Network(3);
    network.tick();
    const slot = network.slot(1);
    const before = slot.disk;
    const rival: Form = { groupId: idOf("e"), founders: network.slots.map(({ self }) => self), tokenBase: 4_194_304 };
    const actions = slot.formation.receive(network.slot(0).self, { kind: "formPropose", form: rival }, network.now);
    network.carryOut(slot, actions);
    expect(slot.disk).toBe(before);
    expect(actions).toMatchObject([
      { kind: "send", message: { kind: "formReply", groupId: rival.groupId, accepted: false } },
    ]);
  });

  it("makes a Form durable before it is spoken of", () => {
    const network = new Network(3);
    const form: Form = { groupId: idOf("e"), founders: network.slots.map(({ self }) => self), tokenBase: 4_194_304 };
    const actions = network.slot(1).formation.receive(network.slot(0).self, { kind: "formPropose", form }, network.now);
    expect(actions.map((action) => action.kind)).toEqual(["save", "send", "group"]);
  });

  it("saves a Form before it begins as its founder, also when a majority is known at once", () => {
    const network = new Network(3);
    const form: Form = { groupId: idOf("e"), founders: network.slots.map(({ self }) => self), tokenBase: 4_194_304 };
    const status: FormationStatus = { kind: "accepted", form };
    const actions = network
      .slot(1)
      .formation.receive(network.slot(0).self, { kind: "formStatus", nonce: "", status }, network.now);
    expect(actions.map((action) => action.kind)).toEqual(["save", "group"]);
  });

  it("drops a Form that names another incarnation of this pod", () => {
    const network = new Network(3);
    const others = [network.slot(0).self, { id: idOf("9"), name: "app-1" }, network.slot(2).self];
    const form: Form = { groupId: idOf("e"), founders: others, tokenBase: 4_194_304 };
    const slot = network.slot(1);
    network.carryOut(slot, slot.formation.receive(network.slot(0).self, { kind: "formPropose", form }, network.now));
    expect(slot.disk).toBeNull();
    expect(slot.formation.outsider).toBe(true);
  });
});

describe("names that DNS lists beyond the set", () => {
  /** app-0 believes that it is alone; app-3 has a group that was scaled up from it. */
  function scaled(): Network {
    const network = new Network(1);
    network.slot(0).listed = ["app-3"];
    return network;
  }

  it("hold a formation back until they have answered that they are empty", () => {
    const network = scaled();
    for (let round = 0; round < 20; round += 1) network.tick();
    expect(network.groups()).toEqual([]);
    expect(network.slot(0).formation.silent(network.now)).toEqual(["app-3"]);
    const from = { id: idOf("9"), name: "app-3" };
    const slot = network.slot(0);
    for (const _ of ["first", "again, now that it was heard"]) {
      network.carryOut(slot, slot.formation.receive(from, emptyAnswer(slot, network.now), network.now));
    }
    expect(
      network.slot(0).grouped?.founders.map(({ name }) => name),
      "and are no founders",
    ).toEqual(["app-0"]);
  });

  it("and make the node ask to be taken in when they have a group", () => {
    const network = scaled();
    const from = { id: idOf("9"), name: "app-3" };
    const status: FormationStatus = { kind: "member", groupId: idOf("8") };
    const actions = network.slot(0).formation.receive(from, { kind: "formStatus", nonce: "", status }, network.now);
    expect(actions).toEqual([{ kind: "send", to: "app-3", message: { kind: "joinRequest" } }]);
    expect(network.slot(0).formation.outsider).toBe(true);
  });

  it("nothing is formed before DNS was asked, or has failed", () => {
    const network = new Network(1);
    network.slot(0).listed = null;
    network.tick();
    expect(network.groups()).toEqual([]);
    network.slot(0).listed = [];
    network.tick();
    expect(network.groups()).toHaveLength(1);
  });
});
