/** The lock API over a fake application, as one entry that can be bundled. */
import { startLockApi } from "../../src/api/lock-api.ts";
import { createFakeApplication } from "./fake-application.ts";

export interface FakeLockApi {
  readonly port: number;
  readonly faults: readonly string[];
  close(): Promise<void>;
}

export async function startFakeLockApi(): Promise<FakeLockApi> {
  const faults: string[] = [];
  const api = await startLockApi({
    application: createFakeApplication(),
    host: "127.0.0.1",
    port: 0,
    socketPath: null,
    onFault: (code, where, message) => faults.push(`${code} ${where} ${message}`),
  });
  return { port: api.port, faults, close: () => api.close() };
}
