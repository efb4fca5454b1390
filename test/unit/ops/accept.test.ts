import { describe, expect, it } from "vitest";
import { wantsOpenMetrics } from "../../../src/ops/accept.ts";

describe("wantsOpenMetrics", () => {
  it.each<[string | undefined, boolean]>([
    [undefined, false],
    ["", false],
    ["*/*", false],
    ["text/plain", false],
    ["text/html,application/xhtml+xml,*/*;q=0.8", false],
    ["application/openmetrics-text", true],
    ["application/openmetrics-text; version=1.0.0; charset=utf-8", true],
    ["Application/OpenMetrics-Text;Version=1.0.0", true],
    ["application/openmetrics-text;version=0.0.1", false],
    ["application/openmetrics-text;version=2.0.0", false],
    ["application/openmetrics-text;q=0", false],
    ["application/openmetrics-text;q=nonsense", false],
    ["application/openmetrics-text;q=0.5,text/plain;q=0.6", false],
    ["application/openmetrics-text;q=0.6,text/plain;q=0.5", true],
    // What Prometheus 2 and 3 send
    [
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      true,
    ],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
        "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      true,
    ],
  ])("%j: %s", (accept, wanted) => {
    expect(wantsOpenMetrics(accept)).toBe(wanted);
  });
});
