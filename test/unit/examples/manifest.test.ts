/**
 * The manifest of examples/kubernetes: fields that Kubernetes knows, settings that the sidecar reads, and names that
 * fit together.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as kubernetes from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { readSettings } from "../../../src/config/read-settings.ts";

type Json = Readonly<Record<string, unknown>>;
interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

const MANIFEST = join(import.meta.dirname, "..", "..", "..", "examples", "kubernetes", "statefulset.yaml");
const PLAIN = new Set(["string", "number", "boolean"]);

/** The fields of a type as the client library has them from the API's own description; null for plain types. */
function attributesOf(type: string): readonly Attribute[] | null {
  const model: unknown = Reflect.get(kubernetes, type);
  if (typeof model !== "function" || !("getAttributeTypeMap" in model)) return null;
  return (model.getAttributeTypeMap as () => readonly Attribute[])();
}

/** What Kubernetes would refuse: fields that it does not know, and values of another type. */
function faultsOf(type: string, value: unknown, path: string): readonly string[] {
  const [, inner] = /^Array<(.*)>$/u.exec(type) ?? [];
  if (inner !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((element, position) => faultsOf(inner, element, `${path}[${position}]`));
  }
  const attributes = attributesOf(type);
  if (attributes === null) return PLAIN.has(type) && typeof value !== type ? [`${path} is no ${type}`] : [];
  return Object.entries(value as Json).flatMap(([key, member]) => {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    return attribute === undefined ? [`${path}.${key} is unknown`] : faultsOf(attribute.type, member, `${path}.${key}`);
  });
}

const [service, set] = parseAllDocuments(readFileSync(MANIFEST, "utf8")).map((document) => {
  expect(document.errors).toStrictEqual([]);
  return document.toJS() as Json;
});
const spec = set?.["spec"] as kubernetes.V1StatefulSetSpec;
const sidecar = spec.template.spec?.initContainers?.[0];

describe("the manifest", () => {
  it("has fields that Kubernetes knows", () => {
    expect(faultsOf("V1Service", service, "Service")).toStrictEqual([]);
    expect(faultsOf("V1StatefulSet", set, "StatefulSet")).toStrictEqual([]);
    const template = { spec: { containers: [{ imag: "" }] } };
    const wrong = { spec: { replicas: "3", podManagment: "Parallel", template } };
    expect(faultsOf("V1StatefulSet", wrong, "StatefulSet")).toStrictEqual([
      "StatefulSet.spec.replicas is no number",
      "StatefulSet.spec.podManagment is unknown",
      "StatefulSet.spec.template.spec.containers[0].imag is unknown",
    ]);
  });

  it("configures the sidecar so that it starts, with the names of this StatefulSet", () => {
    const env = Object.fromEntries((sidecar?.env ?? []).map(({ name, value }) => [name, value ?? ""]));
    const reading = readSettings(env, [], { hostname: "app-0" });
    expect(reading).toMatchObject({
      kind: "settings",
      settings: {
        name: "app-0",
        group: spec.serviceName,
        service: `${spec.serviceName}.default.svc.cluster.local`,
        replicas: spec.replicas,
        storage: "ephemeral",
        sigterm: "handover",
        insecurePeers: false,
      },
    });
    const settings = reading.kind === "settings" ? reading.settings : null;
    const mounts = sidecar?.volumeMounts?.map(({ mountPath }) => mountPath);
    expect(mounts).toStrictEqual([settings?.dataDir, settings?.tlsDir]);
    const ports = sidecar?.ports?.map(({ containerPort }) => containerPort);
    expect(ports).toStrictEqual([settings?.peerPort, settings?.opsPort]);
  });

  it("lets members find each other before they are ready, and starts them together", () => {
    expect(service).toMatchObject({
      metadata: { name: spec.serviceName },
      spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: spec.selector.matchLabels },
    });
    expect(service).toMatchObject({ spec: { ports: [{ name: "peer", port: 7400 }] } });
    expect(spec.podManagementPolicy).toBe("Parallel");
    expect(sidecar?.restartPolicy).toBe("Always");
    // The second label is what alerts and runbooks select by.
    expect(spec.template.metadata?.labels).toStrictEqual({ ...spec.selector.matchLabels, "tenure/group": "app" });
    const volumes = spec.template.spec?.volumes?.map(({ name }) => name);
    expect(sidecar?.volumeMounts?.map(({ name }) => name)).toStrictEqual(volumes);
  });
});
