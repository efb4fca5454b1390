/**
 * The lock API over a fake application, on a free port, closed after each test.
 *
 * Invariant: no fault is overlooked. A test that expects none finds `faults` empty.
 *
 * Deliberately absent: shared servers. Each test has its own, so that waiters and limits do not leak between tests.
 */
import { afterEach } from "vitest";
import { startLockApi, type LockApi, type LockApiLimits } from "../../src/api/lock-api.ts";
import type { ErrorCode } from "../../src/base/errors.ts";
import { createFakeApplication, type FakeApplication } from "./fake-application.ts";
import { ask, type Answer, type Ask } from "./http.ts";

export interface Bench {
  readonly application: FakeApplication;
  readonly api: LockApi;
  readonly faults: { readonly code: ErrorCode; readonly where: string; readonly message: string }[];
  ask(what: Ask | string): Promise<Answer>;
}

const open = new Set<LockApi>();

afterEach(async () => {
  await Promise.all([...open].map((api) => api.close()));
  open.clear();
});

export async function startBench(
  limits: Partial<LockApiLimits> = {},
  socketPath: string | null = null,
): Promise<Bench> {
  const application = createFakeApplication();
  const faults: Bench["faults"] = [];
  const api = await startLockApi({
    application,
    host: "127.0.0.1",
    port: 0,
    socketPath,
    onFault: (code, where, message) => faults.push({ code, where, message }),
    limits,
  });
  open.add(api);
  return {
    application,
    api,
    faults,
    ask: (what) => ask({ port: api.port, ...(typeof what === "string" ? { path: what } : what) }),
  };
}
