/**
 * Every object that is rendered fits its description in Kubernetes, at three versions, field by field.
 */
import { describe, expect, it } from "vitest";
import { KUBERNETES_VERSIONS } from "../../scripts/schemas.ts";
import { conform } from "./support/conform.ts";
import { type Ask, needs, render } from "./support/helm.ts";

const EVERYTHING_ON = {
  networkPolicy: { opsFrom: [{ podSelector: {} }] },
  storage: { persistent: true, storageClassName: "fast", whenDeleted: "Delete" },
  workload: {
    image: "app:1",
    command: ["a"],
    args: ["b"],
    env: [{ name: "A", value: "b" }],
    envFrom: [{ configMapRef: { name: "a" } }],
    ports: [{ containerPort: 80 }],
    lifecycle: { preStop: { exec: { command: ["a"] } } },
    startupProbe: { httpGet: { path: "/", port: 80 } },
    livenessProbe: { tcpSocket: { port: 80 } },
    readinessProbe: { exec: { command: ["a"] } },
    resources: { limits: { memory: "1Gi" } },
    volumeMounts: [{ name: "a", mountPath: "/a" }],
    volumes: [{ name: "a", emptyDir: {} }],
    podAnnotations: { a: "b" },
    podLabels: { a: "b" },
    serviceAccountName: "a",
    priorityClassName: "a",
    nodeSelector: { a: "b" },
    tolerations: [{ key: "a", operator: "Exists" }],
    affinity: { nodeAffinity: {} },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "a", whenUnsatisfiable: "DoNotSchedule" }],
  },
  image: { pullSecrets: [{ name: "a" }] },
  service: { annotations: { a: "b" } },
  commonLabels: { a: "b" },
  monitoring: { podMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboard: { enabled: true } },
};

const CASES: Readonly<Record<string, Ask>> = {
  default: {},
  ha: { preset: "ha" },
  single: { preset: "single" },
  plain: { values: { sidecar: { native: false } } },
  "cert-manager": { values: { tls: { mode: "cert-manager" } } },
  "everything on": { values: EVERYTHING_ON },
  "the other monitor": { values: { monitoring: { serviceMonitor: { enabled: true } } } },
};

describe.each(KUBERNETES_VERSIONS)("Kubernetes %s", (version) => {
  needs("helm", "kubeconform", "schemas");

  it.each(Object.entries(CASES).map(([name, ask]) => ({ name, ask })))("knows every field: $name", ({ ask }) => {
    const rendering = render({ ...ask, kubernetes: version });
    const { status, stdout } = conform(version, rendering.text);
    expect(stdout).toContain(`${rendering.objects.length} resources found`);
    expect(stdout).toContain("Invalid: 0, Errors: 0, Skipped: 0");
    expect(status).toBe(0);
  });
});

describe("the descriptions", () => {
  needs("helm", "kubeconform", "schemas");

  it.each([
    ["a field that is misspelt", "publishNotReadyAddresses:", "publishNotReadyAddress:"],
    ["a field at the wrong place", "restartPolicy: Always", "serviceName: Always"],
    ["a word for a number", "endPort: 65535", "endPort: all"],
    ["a field that is missing", "containerPort: 7400", "hostPort: 7400"],
    ["a kind that nobody has asked for", "kind: NetworkPolicy", "kind: NetworkPolice"],
  ])("refuse %s", (_, right, wrong) => {
    const { text } = render();
    expect(text).toContain(right);
    expect(conform(KUBERNETES_VERSIONS[2], text.replace(right, wrong)).status).not.toBe(0);
  });
});
