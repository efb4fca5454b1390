/**
 * The chart as the dependency of another one: a dependency and three lines.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import {
  at,
  CHART,
  environmentOf,
  needs,
  podSpecOf,
  refusal,
  render,
  ROOT,
  runHelm,
  sidecarOf,
} from "./support/helm.ts";

const SHOP = join(ROOT, "test", "chart", "fixtures", "shop");

describe("a chart with the sidecar as its dependency", () => {
  needs("helm");
  let directory = "";
  let shop = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tenure-chart-"));
    shop = join(directory, "shop");
    cpSync(SHOP, shop, { recursive: true });
    // As `helm dependency build` does it, which would write into the fixture.
    mkdirSync(join(shop, "charts"));
    cpSync(CHART, join(shop, "charts", "tenure"), { recursive: true });
  });

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it("has the sidecar in its own pods, and no workload of the dependency", () => {
    const rendering = render({ chart: shop });
    const set = rendering.get("StatefulSet");
    expect(set.metadata.name).toBe("app-shop");
    expect(at(sidecarOf(set), "restartPolicy")).toBe("Always");
    expect(environmentOf(set, "app-shop-1")).toMatchObject({
      TENURE_NAME: "app-shop-1",
      TENURE_SERVICE: "app-tenure-peers.default.svc.cluster.local",
      TENURE_REPLICAS: "3",
      TENURE_LEASE_DURATION: "4s",
    });
    expect(at(podSpecOf(set), "volumes")).toEqual([
      { name: "tenure-data", emptyDir: { sizeLimit: "64Mi" } },
      { name: "tenure-tls", secret: { secretName: "app-tenure-peers-tls" } },
    ]);
    expect(rendering.all("ConfigMap").map(({ metadata }) => metadata.name)).toEqual(["app-tenure-test-holder"]);
  });

  it("gets the rest by itself, and all of it selects the pods by the label of the first line", () => {
    const rendering = render({ chart: shop });
    const group = { "tenure/group": "app-tenure" };
    expect(at(rendering.get("StatefulSet"), "spec", "template", "metadata", "labels")).toMatchObject(group);
    expect(at(rendering.get("Service", "app-tenure-peers"), "spec", "selector")).toEqual(group);
    expect(at(rendering.get("PodDisruptionBudget"), "spec", "selector")).toEqual({ matchLabels: group });
    expect(at(rendering.get("NetworkPolicy"), "spec", "podSelector")).toEqual({ matchLabels: group });
    expect(rendering.get("Secret", "app-tenure-peers-tls").kind).toBe("Secret");
  });

  it("is refused with the name of the value when it is wrong", () => {
    expect(refusal({ chart: shop, values: { tenure: { replicas: 0 } } })).toMatch(/tenure:\n.*\/replicas'?: minimum/u);
    expect(refusal({ chart: shop, values: { tenure: { lease: { duration: "2" } } } })).toContain(
      'lease.duration is "2"',
    );
    expect(refusal({ chart: shop, values: { tenure: { sidecar: { native: false } } } })).toContain(
      "include tenure.plainSidecar under containers",
    );
  });

  it("may switch the dependency's own workload on, and share values between its charts", () => {
    const values = { tenure: { workload: { enabled: true } }, global: { team: "a" } };
    expect(
      render({ chart: shop, values })
        .all("StatefulSet")
        .map(({ metadata }) => metadata.name),
    ).toEqual(["app-tenure", "app-shop"]);
  });

  it("may call it by an alias", () => {
    const chart = join(directory, "aliased");
    cpSync(shop, chart, { recursive: true });
    const manifest = parse(readFileSync(join(chart, "Chart.yaml"), "utf8")) as { dependencies: object[] };
    const dependencies = manifest.dependencies.map((dependency) => ({ ...dependency, alias: "lock" }));
    writeFileSync(join(chart, "Chart.yaml"), stringify({ ...manifest, dependencies }));
    writeFileSync(join(chart, "values.yaml"), "image: a\nlock: { replicas: 5 }\n");
    const path = join(chart, "templates", "statefulset.yaml");
    const template = readFileSync(path, "utf8").replaceAll(/(include "tenure\.\w+") \./gu, "$1 .Subcharts.lock");
    writeFileSync(path, template.replace(".Values.tenure", ".Values.lock"));
    const rendering = render({ chart });
    const group = { "tenure/group": "app-lock" };
    expect(environmentOf(rendering.get("StatefulSet"), "a-0")).toMatchObject({ TENURE_REPLICAS: "5" });
    expect(at(rendering.get("StatefulSet"), "spec", "template", "metadata", "labels")).toMatchObject(group);
    expect(at(rendering.get("Service", "app-lock-peers"), "spec", "selector")).toEqual(group);
  });

  it("passes helm lint", () => {
    expect(runHelm(["lint", shop])).toMatchObject({ status: 0 });
  });
});
