/**
 * The chart as it is rendered, whole: a change of what users get must be seen as a change of these files.
 * `npx vitest run test/chart/render -u` writes them anew.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Ask, CHART, needs, render, ROOT, runHelm } from "./support/helm.ts";

const SNAPSHOTS = join(ROOT, "test", "chart", "snapshots");

const CASES: Readonly<Record<string, Ask>> = {
  default: {},
  ha: { preset: "ha" },
  single: { preset: "single" },
  plain: { values: { sidecar: { native: false } }, kubernetes: "1.28.0" },
  "cert-manager": { args: ["--api-versions", "cert-manager.io/v1"] },
  application: {
    values: {
      image: { repository: "images.example.org/tenure", digest: `sha256:${"0".repeat(64)}` },
      networkPolicy: { opsFrom: [{ namespaceSelector: { matchLabels: { team: "watch" } } }] },
      tls: { mode: "secret", secretName: "shop-certificates" },
      workload: {
        image: "images.example.org/shop:1.0.0",
        args: ["--serve"],
        env: [{ name: "LOCK", value: "http://127.0.0.1:4040" }],
        ports: [{ name: "http", containerPort: 8080 }],
        readinessProbe: { httpGet: { path: "/", port: "http" } },
        resources: { requests: { cpu: "100m" } },
      },
    },
  },
};

describe("the chart", () => {
  needs("helm");

  it.each(Object.entries(CASES).map(([name, ask]) => ({ name, ask })))("renders: $name", async ({ name, ask }) => {
    await expect(render(ask).stable).toMatchFileSnapshot(join(SNAPSHOTS, `${name}.yaml`));
  });

  it.each([[], ["-f", join(CHART, "values-ha.yaml")], ["-f", join(CHART, "values-single.yaml")]])(
    "passes helm lint %s",
    (...args) => {
      expect(runHelm(["lint", "--strict", CHART, ...args])).toMatchObject({ status: 0 });
    },
  );

  it("says what to type next", () => {
    const notes = (args: readonly string[]): string =>
      runHelm(["install", "app", CHART, "--dry-run=client", ...args]).stdout.split("NOTES:")[1] ?? "";
    expect(notes([])).toContain("kubectl -n default rollout status statefulset/app-tenure");
    expect(notes([])).toContain("helm -n default test app --logs");
    expect(notes([])).toContain("an example worker runs beside the sidecar");
    expect(notes(["--set", "workload.image=shop:1.0.0"])).not.toContain("example worker");
    expect(notes(["--set", "replicas=4"])).toContain("4 members survive the loss of as many as 3 do");
    expect(notes(["--set", "tls.mode=none"])).toContain("can take the lock");
    expect(notes([])).not.toContain("Warning");
  });
});
