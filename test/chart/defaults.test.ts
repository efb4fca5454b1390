/**
 * Right by default: what a user gets who sets nothing, and what follows from what one sets.
 */
import { describe, expect, it } from "vitest";
import { at, environmentOf, type KubeObject, needs, podSpecOf, render, sidecarOf } from "./support/helm.ts";

const GROUP = { "tenure/group": "app-tenure" };

function containersOf(object: KubeObject): readonly unknown[] {
  const spec = podSpecOf(object);
  return [at(spec, "initContainers"), at(spec, "containers")].flat().filter((container) => container !== undefined);
}

describe("the service of the peers", () => {
  needs("helm");

  it("is headless, has a port that is called peer, and publishes pods that are not ready", () => {
    const service = render().get("Service");
    expect(at(service, "spec")).toMatchObject({
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: GROUP,
      ports: [{ name: "peer", port: 7400, targetPort: "peer", protocol: "TCP" }, { name: "ops" }],
    });
    expect(at(service, "metadata", "name")).toBe("app-tenure-peers");
  });

  it("may be another one, and the domain of the cluster too", () => {
    const values = { service: { create: false, name: "mine", clusterDomain: "example.org" } };
    const rendering = render({ values });
    expect(rendering.all("Service")).toEqual([]);
    expect(at(rendering.get("StatefulSet"), "spec", "serviceName")).toBe("mine");
    const { TENURE_SERVICE } = environmentOf(rendering.get("StatefulSet"), "app-tenure-0");
    expect(TENURE_SERVICE).toBe("mine.default.svc.example.org");
  });
});

describe("the pods", () => {
  needs("helm");

  it("start together, have time between restarts, and are spread", () => {
    const set = render().get("StatefulSet");
    expect(at(set, "spec")).toMatchObject({
      replicas: 3,
      serviceName: "app-tenure-peers",
      podManagementPolicy: "Parallel",
      minReadySeconds: 10,
      selector: { matchLabels: GROUP },
    });
    expect(podSpecOf(set)).toMatchObject({
      topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: GROUP },
      })),
    });
    const spread = at(podSpecOf(render({ preset: "ha" }).get("StatefulSet")), "topologySpreadConstraints");
    expect([at(spread, 0, "whenUnsatisfiable"), at(spread, 1, "whenUnsatisfiable")]).toEqual([
      "DoNotSchedule",
      "ScheduleAnyway",
    ]);
  });

  it("get no token of a service account and no variables of services", () => {
    const rendering = render();
    for (const object of [...rendering.all("StatefulSet"), ...rendering.all("Pod")]) {
      expect(podSpecOf(object)).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    }
    expect(rendering.objects.filter(({ kind }) => /Role|ServiceAccount/u.test(kind))).toEqual([]);
  });

  it("fit the restricted level of Pod Security, in every container", () => {
    const rendering = render();
    const pods = [...rendering.all("StatefulSet"), ...rendering.all("Pod")];
    const containers = pods.flatMap((object) =>
      containersOf(object).map((container) => ({
        ...(at(podSpecOf(object), "securityContext") as object),
        ...(at(container, "securityContext") as object),
      })),
    );
    expect(containers).toHaveLength(3);
    for (const context of containers) {
      expect(context).toMatchObject({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      });
    }
  });

  it("request CPU and memory, and have no limit of CPU", () => {
    expect(at(sidecarOf(render().get("StatefulSet")), "resources")).toEqual({
      requests: { cpu: "50m", memory: "96Mi" },
      limits: { memory: "256Mi" },
    });
  });

  it("are disturbed one at a time", () => {
    expect(at(render().get("PodDisruptionBudget"), "spec")).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: GROUP },
    });
  });

  it("keep their data in an emptyDir, or in a volume that outlives them", () => {
    const set = render().get("StatefulSet");
    expect(at(podSpecOf(set), "volumes", 0)).toEqual({ name: "tenure-data", emptyDir: { sizeLimit: "64Mi" } });
    expect(environmentOf(set, "app-tenure-0")).toMatchObject({ TENURE_STORAGE: "ephemeral" });
    expect(at(set, "spec", "volumeClaimTemplates")).toBeUndefined();

    const values = { storage: { persistent: true, storageClassName: "fast", size: "1Gi" } };
    const kept = render({ values }).get("StatefulSet");
    expect(JSON.stringify(at(podSpecOf(kept), "volumes"))).not.toContain("emptyDir");
    expect(environmentOf(kept, "app-tenure-0")).toMatchObject({ TENURE_STORAGE: "persistent" });
    expect(at(kept, "spec", "volumeClaimTemplates")).toEqual([
      {
        metadata: { name: "tenure-data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "fast",
          resources: { requests: { storage: "1Gi" } },
        },
      },
    ]);
  });
});

describe("the sidecar", () => {
  needs("helm");

  it("is native: it starts first, gates the application, and hears of its end", () => {
    const spec = podSpecOf(render().get("StatefulSet"));
    expect(at(spec, "initContainers")).toHaveLength(1);
    expect(at(spec, "initContainers", 0)).toMatchObject({
      name: "tenure",
      image: "tenure:0.1.0",
      restartPolicy: "Always",
      startupProbe: { httpGet: { path: "/readyz", port: "ops" }, periodSeconds: 1, failureThreshold: 600 },
      livenessProbe: { httpGet: { path: "/healthz", port: "ops" } },
      readinessProbe: { httpGet: { path: "/readyz", port: "ops" } },
    });
    expect(at(spec, "containers")).toHaveLength(1);
    const environment = environmentOf(render().get("StatefulSet"), "app-tenure-2");
    expect(environment).toMatchObject({ TENURE_NAME: "app-tenure-2", TENURE_SIGTERM: "handover" });
    expect(environment).not.toHaveProperty("TENURE_DRAIN_TIMEOUT");
  });

  it("is a plain container on older clusters, and drains", () => {
    const values = { sidecar: { native: false }, stopping: { drainTimeout: "20s" } };
    const set = render({ kubernetes: "1.28.0", values }).get("StatefulSet");
    expect(at(podSpecOf(set), "initContainers")).toBeUndefined();
    expect(at(podSpecOf(set), "containers")).toHaveLength(2);
    expect(sidecarOf(set)).not.toHaveProperty("restartPolicy");
    expect(environmentOf(set, "a-0")).toMatchObject({ TENURE_SIGTERM: "drain", TENURE_DRAIN_TIMEOUT: "20s" });
  });

  it("gates nothing where it is told so", () => {
    const sidecar = sidecarOf(render({ values: { sidecar: { gate: false } } }).get("StatefulSet"));
    expect(at(sidecar, "startupProbe", "httpGet", "path")).toBe("/healthz");
    expect(sidecar).not.toHaveProperty("readinessProbe");
  });

  it("is killed only when it has hung for longer than its lease", () => {
    for (const [duration, least] of [
      ["2s", 30],
      ["30s", 40],
      ["1m", 70],
    ] as const) {
      const probe = at(sidecarOf(render({ values: { lease: { duration } } }).get("StatefulSet")), "livenessProbe");
      expect(Number(at(probe, "periodSeconds")) * Number(at(probe, "failureThreshold")), duration).toBe(least);
    }
  });

  it.each([
    // application + two leases + 5
    ["native", { native: true }, { applicationSeconds: 30 }, "2s", 39],
    ["native, long lease", { native: true }, { applicationSeconds: 0 }, "1.5s", 8],
    // the longer of application and drain with the lease that may outlast it
    ["plain", { native: false }, { applicationSeconds: 3, drainTimeout: "10s" }, "2s", 21],
    ["plain, patient application", { native: false }, { applicationSeconds: 60, drainTimeout: "10s" }, "2s", 69],
  ])("has time to hand over: %s", (_, sidecar, stopping, duration, seconds) => {
    const set = render({ values: { sidecar, stopping, lease: { duration } } }).get("StatefulSet");
    expect(at(podSpecOf(set), "terminationGracePeriodSeconds")).toBe(seconds);
  });

  it("runs from the tag, the chart's version, or a digest", () => {
    const imageOf = (image: object): unknown =>
      at(sidecarOf(render({ values: { image } }).get("StatefulSet")), "image");
    expect(imageOf({ repository: "r", tag: "1" })).toBe("r:1");
    expect(imageOf({ repository: "r", tag: "1", digest: `sha256:${"a".repeat(64)}` })).toBe(
      `r@sha256:${"a".repeat(64)}`,
    );
  });
});

describe("the policy of the network", () => {
  needs("helm");

  const openPorts = (values: object): unknown => {
    const ingress = at(render({ values }).get("NetworkPolicy"), "spec", "ingress");
    const rules = Array.isArray(ingress) ? ingress : [];
    return at(rules.at(-1), "ports");
  };
  const OTHERS = [{ protocol: "UDP" }, { protocol: "SCTP" }];

  it("lets the pods of the group to the peer port, and nobody else", () => {
    expect(at(render().get("NetworkPolicy"), "spec")).toMatchObject({
      podSelector: { matchLabels: GROUP },
      policyTypes: ["Ingress"],
    });
    const ingress = at(render().get("NetworkPolicy"), "spec", "ingress");
    expect(ingress).toHaveLength(2);
    expect(at(ingress, 0)).toEqual({
      from: [{ podSelector: { matchLabels: GROUP } }],
      ports: [{ protocol: "TCP", port: 7400 }],
    });
    expect(at(render().get("NetworkPolicy"), "spec", "ingress", 1)).not.toHaveProperty("from");
  });

  it("leaves every other port as it is", () => {
    expect(openPorts({})).toEqual([
      { protocol: "TCP", port: 1, endPort: 7399 },
      { protocol: "TCP", port: 7401, endPort: 65_535 },
      ...OTHERS,
    ]);
    expect(openPorts({ sidecar: { ports: { peer: 1 } } })).toEqual([
      { protocol: "TCP", port: 2, endPort: 65_535 },
      ...OTHERS,
    ]);
    expect(openPorts({ sidecar: { ports: { peer: 65_535 } } })).toEqual([
      { protocol: "TCP", port: 1, endPort: 65_534 },
      ...OTHERS,
    ]);
  });

  it("closes the operations port to all but those that are named, and the test", () => {
    const opsFrom = [{ namespaceSelector: { matchLabels: { team: "watch" } } }];
    const spec = at(render({ values: { networkPolicy: { opsFrom } } }).get("NetworkPolicy"), "spec");
    expect(at(spec, "ingress", 1)).toEqual({
      from: [...opsFrom, { podSelector: { matchLabels: { "tenure/test": "app-tenure" } } }],
      ports: [{ protocol: "TCP", port: 9464 }],
    });
    const pod = render().get("Pod");
    expect(pod.metadata.labels).toMatchObject({ "tenure/test": "app-tenure" });
    expect(openPorts({ networkPolicy: { opsFrom }, sidecar: { ports: { peer: 7400, ops: 7401 } } })).toEqual([
      { protocol: "TCP", port: 1, endPort: 7399 },
      { protocol: "TCP", port: 7402, endPort: 65_535 },
      ...OTHERS,
    ]);
  });
});
