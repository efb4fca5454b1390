/**
 * Every command for people, once: its flags, what it does, and how it ends.
 *
 * Invariant: reading, help and docs/reference/command-line.md come from this table alone. A command that is not here
 * does not exist.
 *
 * Deliberately absent: `run`, the sidecar itself, whose flags are in src/config/variables.ts; and the code of the
 * commands, which is loaded only when one of them is run.
 */
import type { Key } from "../config/variables.ts";

/** How the program is started, in the image (whose working directory holds `dist`) as in a clone. */
export const PROGRAM = "node dist/main.js";

/** The container of the sidecar in the manifests and the chart. */
export const CONTAINER = "tenure";

export const EXIT = { fine: 0, fault: 1, usage: 2, noHolder: 3 } as const;

/** Where the sidecar is: settings of its own, so that a command finds it with the environment of its container. */
export const ADDRESS_KEYS = ["httpHost", "httpPort", "httpSocket"] as const satisfies readonly Key[];

export interface CommandFlag {
  /** With its dashes. */
  readonly name: `--${string}`;
  /** The name of its value for the help; null: it stands alone. */
  readonly value: string | null;
  readonly description: string;
  /** It may be given more than once; of others the last one counts. */
  readonly repeats?: boolean;
}

export const JSON_FLAG: CommandFlag = {
  name: "--json",
  value: null,
  description: "One JSON document on standard output instead of text for people.",
};

const TO_FLAG: CommandFlag = {
  name: "--to",
  value: "pod",
  description: "Who shall hold the lock next: a voter that is connected and eligible. Any of them if not given.",
};

export interface CommandSpec {
  /** One line for the overview. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  /** Besides --json, --help and those of ADDRESS_KEYS. */
  readonly flags: readonly CommandFlag[];
  /** What --json prints. */
  readonly json: string;
  /** Statuses besides 1 and 2, which mean the same everywhere. */
  readonly statuses: Readonly<Record<number, string>>;
}

const ANSWERED = { [EXIT.fine]: "the sidecar answered" };

export const COMMANDS = {
  status: {
    summary: "the group at a glance: holder, lease, members, and what stands in the way",
    description: [
      "Shows who holds the lock, with its token and for how long this pod has known it; what is left of the lease, " +
        "if this pod holds it; the members; and what is wrong, with what to type next: all as this pod sees it.",
    ],
    flags: [],
    json: '`{"holder":{"name","token","forMs"} or null,"leader":…,"cluster":…}`, with the answers of those paths',
    statuses: {
      [EXIT.fine]: "this pod knows a holder, itself or another",
      [EXIT.noHolder]: "the sidecar answered, and knows no holder",
    },
  },
  members: {
    summary: "the members, with their incarnations",
    description: ["Lists the members of the group's latest configuration, as this pod knows them."],
    flags: [],
    json: "the answer of /cluster",
    statuses: ANSWERED,
  },
  history: {
    summary: "past tenures with their tokens, newest first",
    description: ["Lists the last 128 tenures that are in this pod's log, and how each ended."],
    flags: [],
    json: "the answer of /history",
    statuses: ANSWERED,
  },
  transfer: {
    summary: "moves the lock to another pod, once the application has stopped",
    description: [
      "To be run in the holder's pod. The application is told `draining`; the lease is kept until it confirms that " +
        "it has stopped, or TENURE_DRAIN_TIMEOUT and the last deadline it was given are over. Then the lock is " +
        "released and handed over. This pod stays eligible.",
      "Waits until the next holder is known. Interrupting it ends the waiting, not the transfer.",
    ],
    flags: [TO_FLAG],
    json: '`{"released":true,"from":…,"holder":{"name","token","forMs"} or null}`',
    statuses: {
      [EXIT.fine]: "handed over, to the pod of --to if one was named",
      [EXIT.fault]:
        "the sidecar cannot be reached or refuses; or the lock was released, but another pod than that of --to, or " +
        "this one again, holds it",
      [EXIT.noHolder]: "released, and no next holder became known in time",
    },
  },
  resign: {
    summary: "says for the application that it has stopped; releases at once",
    description: [
      "WARNING: this tells tenure that the application of this pod has stopped. Nothing is waited for: the next pod " +
        "may act at once. If the application still acts, two of them do, and only a resource that checks tokens is " +
        "safe. Run it when the application is known to be gone or idle; to move the lock under a running " +
        "application, use `transfer`.",
      "While the sidecar drains, this is the confirmation that it waits for.",
    ],
    flags: [TO_FLAG],
    json: '`{"released":true,"from":…,"holder":{"name","token","forMs"} or null}`',
    statuses: { [EXIT.fine]: "released, whoever is next" },
  },
  init: {
    summary: "forms the very first group, of this pod alone; the others join it",
    description: [
      "For a set of pods that has never had a group, and cannot form one by itself: some of them will never come up. " +
        "To be run in the pod with the ordinal 0. The others join as soon as they find it.",
      "WARNING: where a group exists that this pod cannot reach, this makes a second one, and each of the two may " +
        "have a holder. If there ever was a group, bring its pods back, or use `rescue`.",
    ],
    flags: [],
    json: '`{"formed":true,"groupId":…,"holder":{"name","token","forMs"} or null}`',
    statuses: { [EXIT.fine]: "formed; the holder is known a moment later" },
  },
  rescue: {
    summary: "a new group of this pod alone, when a majority of the old one is gone for good",
    description: [
      "Without --confirm it changes nothing: it shows who counts as alive, and the command to type.",
      "To be run in one pod that still has its data. It makes a new group with another id, whose tokens are above " +
        "all that this pod can know of, and which waits for at least one lease duration. It is refused while the " +
        "voters that may be alive are enough to elect a leader, while a pod of the set may have become a voter " +
        "unseen, and while DNS does not answer. A voter counts as gone when its pod came back with an empty " +
        "directory, or when --lost names it and it does not answer.",
      "WARNING: --lost is your word that the pod and its disk no longer exist. A pod that is only cut off may still " +
        "lead the old group, beside the new one. Afterwards, delete the other pods that still have data of the old " +
        "group, and that data with them: they are not part of the new one.",
    ],
    flags: [
      {
        name: "--confirm",
        value: "group id",
        description: "The id of the group that is given up, as `rescue` alone shows it.",
      },
      {
        name: "--lost",
        value: "pod",
        description: "A pod that is gone for good, with its disk. May be given more than once.",
        repeats: true,
      },
    ],
    json: '`{"rescued":true,"groupId":…,"holder":{"name","token","forMs"} or null}`',
    statuses: {
      [EXIT.fine]: "this pod is the new group; its holder is known after a lease duration or two",
      [EXIT.usage]: "a flag or value that does not exist; or --confirm was not given, and nothing was changed",
    },
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS).filter((name): name is CommandName => name in COMMANDS);

/** What every command's status 1 and 2 mean. */
export const COMMON_STATUSES: Readonly<Record<number, string>> = {
  [EXIT.fault]: "the sidecar cannot be reached or refuses; standard error says why, and what to do",
  [EXIT.usage]: "a command, flag or value that does not exist; standard error says which",
};
