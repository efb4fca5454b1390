/**
 * The verbs of the scripts, by their names.
 *
 * Invariant: one file per verb; test/transcript/harness.test.ts checks that each is used by some script.
 *
 * Deliberately absent: control flow. A script is a list, so that its transcript can be read from top to bottom.
 */
import type { Verb } from "../harness/verb.ts";
import { change } from "./change.ts";
import { cluster } from "./cluster.ts";
import { crash } from "./crash.ts";
import { cut } from "./cut.ts";
import { deliver } from "./deliver.ts";
import { disk } from "./disk.ts";
import { drop } from "./drop.ts";
import { duplicate } from "./duplicate.ts";
import { eligible } from "./eligible.ts";
import { expectation } from "./expect.ts";
import { heal } from "./heal.ts";
import { hold } from "./hold.ts";
import { join } from "./join.ts";
import { leave } from "./leave.ts";
import { message } from "./message.ts";
import { pause } from "./pause.ts";
import { resign } from "./resign.ts";
import { restart } from "./restart.ts";
import { resume } from "./resume.ts";
import { runTo } from "./run-to.ts";
import { settle } from "./settle.ts";
import { show } from "./show.ts";
import { suspend } from "./suspend.ts";
import { tick } from "./tick.ts";
import { tickTo } from "./tick-to.ts";
import { trace } from "./trace.ts";
import { unhold } from "./unhold.ts";
import { wake } from "./wake.ts";

export const VERBS: ReadonlyMap<string, Verb> = new Map(
  Object.entries({
    change,
    cluster,
    crash,
    cut,
    deliver,
    disk,
    drop,
    duplicate,
    eligible,
    expect: expectation,
    heal,
    hold,
    join,
    leave,
    message,
    pause,
    resign,
    restart,
    resume,
    "run-to": runTo,
    settle,
    show,
    suspend,
    tick,
    "tick-to": tickTo,
    trace,
    unhold,
    wake,
  }),
);
