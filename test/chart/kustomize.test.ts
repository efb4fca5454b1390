/**
 * The manifests: what `kubectl apply -k` would apply, the same sidecar as the chart's.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { KUBERNETES_VERSIONS } from "../../scripts/schemas.ts";
import { pathOf } from "../../scripts/tools.ts";
import { conform } from "./support/conform.ts";
import { at, CHART, environmentOf, needs, podSpecOf, render, Rendering, ROOT, sidecarOf } from "./support/helm.ts";

const MANIFESTS = join(ROOT, "manifests");

/** Throws with kustomize's message when it refuses. */
function built(directory: string): Rendering {
  const { status, stdout, stderr } = spawnSync(pathOf("kustomize"), ["build", directory], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return new Rendering(stdout);
}

describe("the worked example", () => {
  needs("helm", "kustomize", "kubeconform", "schemas");

  it("has the sidecar of the chart", () => {
    const sidecar = sidecarOf(built(join(MANIFESTS, "example")).get("StatefulSet"));
    const ofChart = render({ release: "worker", values: { fullnameOverride: "worker" } }).get("StatefulSet");
    const expected = sidecarOf(ofChart);
    for (const key of ["image", "imagePullPolicy", "restartPolicy", "ports", "startupProbe", "livenessProbe"]) {
      expect(at(sidecar, key), key).toEqual(at(expected, key));
    }
    for (const key of ["readinessProbe", "resources", "securityContext", "volumeMounts"]) {
      expect(at(sidecar, key), key).toEqual(at(expected, key));
    }
    const {
      POD_NAMESPACE: _,
      TENURE_SERVICE,
      ...environment
    } = environmentOf(built(join(MANIFESTS, "example")).get("StatefulSet"), "worker-0");
    const { TENURE_SERVICE: service, ...others } = environmentOf(ofChart, "worker-0");
    expect(environment).toEqual(others);
    expect(TENURE_SERVICE?.replace("$(POD_NAMESPACE)", "default")).toBe(service);
  });

  it("has the service, the budget and the policy of the chart", () => {
    const rendering = built(join(MANIFESTS, "example"));
    const chart = render({ release: "worker", values: { fullnameOverride: "worker" } });
    for (const kind of ["Service", "PodDisruptionBudget", "NetworkPolicy"]) {
      expect(at(rendering.get(kind), "spec"), kind).toEqual(at(chart.get(kind), "spec"));
    }
    const pods = at(rendering.get("StatefulSet"), "spec", "template", "metadata", "labels");
    expect(pods).toMatchObject({ "tenure/group": "worker" });
    expect(at(rendering.get("StatefulSet"), "spec", "podManagementPolicy")).toBe("Parallel");
    expect(at(podSpecOf(rendering.get("StatefulSet")), "terminationGracePeriodSeconds")).toBe(
      at(podSpecOf(chart.get("StatefulSet")), "terminationGracePeriodSeconds"),
    );
  });

  it("has the certificates of the chart, for its namespace", () => {
    const rendering = built(join(MANIFESTS, "example"));
    const chart = render({
      release: "worker",
      values: { fullnameOverride: "worker", tls: { mode: "cert-manager" } },
      args: ["--namespace", "worker"],
    });
    for (const [kind, name] of [
      ["Issuer", "worker-peers-root"],
      ["Issuer", "worker-peers"],
      ["Certificate", "worker-peers-issuer"],
      ["Certificate", "worker-peers"],
    ] as const) {
      expect(at(rendering.get(kind, name), "spec"), name).toEqual(at(chart.get(kind, name), "spec"));
      expect(rendering.get(kind, name).metadata.namespace).toBe("worker");
    }
  });

  it("runs the worker of the chart", () => {
    const script = readFileSync(join(MANIFESTS, "base", "worker.mjs"), "utf8");
    expect(script).toBe(readFileSync(join(CHART, "scripts", "worker.mjs"), "utf8"));
  });

  it.each(KUBERNETES_VERSIONS)("fits Kubernetes %s", (version) => {
    const rendering = built(join(MANIFESTS, "example"));
    const { status, stdout } = conform(version, rendering.text);
    expect(stdout).toContain(`${rendering.objects.length} resources found`);
    expect({ status, stdout }).toMatchObject({ status: 0 });
  });
});

describe("the component", () => {
  needs("kustomize");
  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tenure-kustomize-"));
    cpSync(MANIFESTS, join(directory, "manifests"), { recursive: true });
  });

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  /** A kustomization of somebody else's, with these objects. */
  function kustomization(name: string, objects: readonly object[]): string {
    const path = join(directory, name);
    mkdirSync(path);
    writeFileSync(join(path, "objects.yaml"), objects.map((object) => stringify(object)).join("---\n"));
    writeFileSync(
      join(path, "kustomization.yaml"),
      JSON.stringify({ resources: ["objects.yaml"], components: ["../manifests/sidecar"] }),
    );
    return path;
  }

  const workload = (kind: string, name: string): object => ({
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: {
      replicas: 5,
      serviceName: "web",
      template: {
        metadata: { labels: { app: name } },
        spec: {
          initContainers: [{ name: "migrate", image: "migrate:1" }],
          containers: [{ name: "web", image: "web:1" }],
          volumes: [{ name: "cache", emptyDir: {} }],
        },
      },
    },
  });

  it("adds the sidecar to an existing StatefulSet, and takes nothing away", () => {
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { selector: { app: "web" } },
    };
    const rendering = built(kustomization("existing", [workload("StatefulSet", "web-shop"), service]));
    const set = rendering.get("StatefulSet");
    const environment = environmentOf(set, "web-shop-3");
    expect(environment).toMatchObject({
      TENURE_NAME: "web-shop-3",
      TENURE_REPLICAS: "5",
      TENURE_SERVICE: "web-shop-peers.$(POD_NAMESPACE).svc.cluster.local",
    });
    expect(at(set, "spec", "serviceName")).toBe("web");
    expect(at(set, "spec", "template", "metadata", "labels")).toEqual({ app: "web-shop", "tenure/group": "web-shop" });
    const names = (list: unknown): unknown =>
      (list as readonly object[]).map((item) => String(at(item, "name"))).toSorted();
    expect(names(at(podSpecOf(set), "initContainers"))).toEqual(["migrate", "tenure"]);
    expect(names(at(podSpecOf(set), "volumes"))).toEqual(["cache", "tenure-data", "tenure-tls"]);
    expect(JSON.stringify(at(podSpecOf(set), "volumes"))).toContain('"secretName":"web-shop-peers-tls"');
    expect(at(rendering.get("Service", "web-shop-peers"), "spec", "selector")).toEqual({ "tenure/group": "web-shop" });
    expect(at(rendering.get("Service", "web"), "spec", "selector")).toEqual({ app: "web" });
    expect(at(rendering.get("NetworkPolicy", "web-shop-peers"), "spec", "podSelector", "matchLabels")).toEqual({
      "tenure/group": "web-shop",
    });
  });

  it("refuses what it cannot name a group after", () => {
    const two = kustomization("two", [workload("StatefulSet", "a"), workload("StatefulSet", "b")]);
    expect(() => built(two)).toThrow("multiple matches");
    const none = kustomization("none", [workload("Deployment", "a")]);
    expect(() => built(none)).toThrow("StatefulSet");
  });
});
