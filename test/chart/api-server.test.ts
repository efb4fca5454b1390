/**
 * A real API server takes every object of the chart and the manifests, under the restricted level of Pod Security, and
 * Helm keeps certificates across upgrades there.
 *
 * On demand: the API server takes minutes to build. `npm run test:apiserver` does it, once.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { CRD_MODULES, folderOf, KUBERNETES_VERSIONS } from "../../scripts/schemas.ts";
import { missing, pathOf, TOOLS } from "../../scripts/tools.ts";
import { ApiServer } from "./support/api-server.ts";
import { type Ask, at, CHART, type KubeObject, needs, render, Rendering, ROOT } from "./support/helm.ts";

const TOOLS_NEEDED = ["helm", "kustomize", "schemas", "etcd", "kube-apiserver"] as const;
const START_TIMEOUT_MS = 180_000;
const NAMESPACE = "restricted";
const LEVELS = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};
const [, , KUBERNETES] = KUBERNETES_VERSIONS;

const CASES: Readonly<Record<string, Ask>> = {
  default: {},
  ha: { preset: "ha" },
  single: { preset: "single" },
  plain: { values: { sidecar: { native: false } } },
  "cert-manager": { values: { tls: { mode: "cert-manager" } } },
  "a share of pods": { values: { podDisruptionBudget: { maxUnavailable: "20%" } } },
  "a closed operations port": { values: { networkPolicy: { opsFrom: [{ podSelector: {} }] } } },
  monitoring: {
    values: {
      monitoring: { podMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboard: { enabled: true } },
    },
  },
  "the other monitor": { values: { monitoring: { serviceMonitor: { enabled: true } } } },
};

/** The pod that the StatefulSet would make: only pods are held against the level, workloads only warned of. */
function podOf(set: KubeObject): KubeObject {
  const template = at(set, "spec", "template") as Pick<KubeObject, "metadata"> & { readonly spec: object };
  const claims = (at(set, "spec", "volumeClaimTemplates") ?? []) as readonly KubeObject[];
  const volumes = claims.map(({ metadata }) => ({
    name: metadata.name,
    persistentVolumeClaim: { claimName: metadata.name },
  }));
  const spec = { ...template.spec, volumes: [...((at(template.spec, "volumes") ?? []) as object[]), ...volumes] };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...template.metadata, name: "a-pod" }, spec };
  return pod;
}

describe("an API server", () => {
  needs(...TOOLS_NEEDED);
  let started: ApiServer | null = null;
  const api = (): ApiServer => {
    if (started === null) throw new Error("there is no API server");
    return started;
  };

  beforeAll(async () => {
    if (missing(...TOOLS_NEEDED) !== null) return;
    started = await ApiServer.start();
    for (const object of [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels: LEVELS } },
      // Made by a controller where there is one.
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
    ]) {
      expect(await api().create(object, NAMESPACE, { dryRun: false })).toMatchObject({ status: 201 });
    }
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await started?.stop();
  });

  /** Every object of it is taken without a word, and so is every pod that would follow. */
  async function expectTaken(objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) {
      const asked = [object, ...(object.kind === "StatefulSet" ? [podOf(object)] : [])];
      for (const one of asked) {
        const verdict = await api().create(one, NAMESPACE, { dryRun: true });
        expect(verdict, `${one.kind} ${one.metadata.name}: ${verdict.body}`).toMatchObject({
          status: 201,
          warnings: [],
        });
      }
    }
  }

  /** Throws with Helm's message when it fails. */
  const helm = (...args: readonly string[]): string => {
    const all = [...args, "--kubeconfig", api().kubeconfig, "--namespace", NAMESPACE];
    const { status, stdout, stderr } = spawnSync(pathOf("helm"), all, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  const secretOf = async (name: string): Promise<KubeObject> => {
    const { body } = await api().ask("GET", `/api/v1/namespaces/${NAMESPACE}/secrets/${name}`);
    return JSON.parse(body) as KubeObject;
  };

  describe("before cert-manager is there", () => {
    it("keeps the certificates of the chart across upgrades", async () => {
      helm("install", "app", CHART);
      const [ca, peers] = [await secretOf("app-tenure-peers-ca"), await secretOf("app-tenure-peers-tls")];
      helm("upgrade", "app", CHART, "--set", "lease.duration=3s");
      expect((await secretOf("app-tenure-peers-ca")).data).toEqual(ca.data);
      expect((await secretOf("app-tenure-peers-tls")).data).toEqual(peers.data);
    });

    it("renews the certificate under the same CA when its time has come or its names change", async () => {
      const [ca, peers] = [await secretOf("app-tenure-peers-ca"), await secretOf("app-tenure-peers-tls")];
      const path = `/api/v1/namespaces/${NAMESPACE}/secrets/app-tenure-peers-tls`;
      const annotations = { ...peers.metadata.annotations, "tenure/renew-after": "1" };
      const due = { ...peers, metadata: { ...peers.metadata, annotations } };
      expect(await api().ask("PUT", path, due)).toMatchObject({ status: 200 });
      // The annotation was Helm's until a moment ago.
      helm("upgrade", "app", CHART, "--force-conflicts");
      const renewed = await secretOf("app-tenure-peers-tls");
      expect(renewed.data?.["tls.crt"]).not.toBe(peers.data?.["tls.crt"]);
      expect(renewed.data?.["ca.crt"]).toBe(ca.data?.["tls.crt"]);
      helm("upgrade", "app", CHART, "--set", "service.clusterDomain=example.org");
      const renamed = await secretOf("app-tenure-peers-tls");
      expect(renamed.data?.["tls.crt"]).not.toBe(renewed.data?.["tls.crt"]);
      expect(renamed.data?.["ca.crt"]).toBe(ca.data?.["tls.crt"]);
    });
  });

  describe("with the kinds of others", () => {
    beforeAll(async () => {
      if (missing(...TOOLS_NEEDED) !== null) return;
      for (const { module, folder } of CRD_MODULES) {
        const directory = join(folderOf(module, TOOLS), folder);
        for (const file of readdirSync(directory).filter((name) =>
          /_(?:issuers|certificates|.*monitors|prometheusrules)\.yaml$/u.test(name),
        )) {
          for (const document of parseAllDocuments(readFileSync(join(directory, file), "utf8"))) {
            const crd = document.toJSON() as KubeObject;
            expect(await api().create(crd, NAMESPACE, { dryRun: false })).toMatchObject({ status: 201 });
          }
        }
      }
      // They are served a moment later.
      for (const path of ["cert-manager.io/v1", "monitoring.coreos.com/v1"]) {
        await vi.waitFor(
          async () => {
            const { body } = await api().ask("GET", `/apis/${path}`);
            expect(body).toMatch(/"kind":"(?:Certificate|PrometheusRule)"/u);
          },
          { timeout: 30_000 },
        );
      }
    }, START_TIMEOUT_MS);

    it.each(Object.entries(CASES).map(([name, ask]) => ({ name, ask })))("takes the chart: $name", async ({ ask }) => {
      const { objects } = render({
        release: "other",
        ...ask,
        kubernetes: KUBERNETES,
        args: ["--namespace", NAMESPACE],
      });
      await expectTaken(objects);
    });

    it("takes the manifests", async () => {
      const args = ["build", join(ROOT, "manifests", "example")];
      const { stdout } = spawnSync(pathOf("kustomize"), args, { encoding: "utf8" });
      const objects = new Rendering(stdout).objects.map((object) => ({
        ...object,
        metadata: { ...object.metadata, ...(object.kind === "Namespace" ? {} : { namespace: NAMESPACE }) },
      }));
      await expectTaken(objects);
    });

    it("leaves a group with a CA of the chart there, and gives a new one to cert-manager", async () => {
      const ca = await secretOf("app-tenure-peers-ca");
      helm("upgrade", "app", CHART);
      expect((await secretOf("app-tenure-peers-ca")).data).toEqual(ca.data);
      helm("install", "new", CHART);
      expect(helm("get", "manifest", "new")).toMatch(/^kind: Certificate$/mu);
    });

    it.each<readonly [string, Ask, string]>([
      ["a container that runs as root", { values: { sidecar: { securityContext: { runAsUser: 0 } } } }, "runAsUser=0"],
      [
        "privileges",
        { values: { workload: { securityContext: { allowPrivilegeEscalation: true } } } },
        "allowPrivilegeEscalation",
      ],
      [
        "a volume of the host",
        { values: { workload: { volumes: [{ name: "a", hostPath: { path: "/" } }] } } },
        "hostPath",
      ],
    ])("refuses the pod with %s", async (_, ask, message) => {
      const set = render({ release: "wrong", ...ask, kubernetes: KUBERNETES, args: ["--namespace", NAMESPACE] }).get(
        "StatefulSet",
      );
      const verdict = await api().create(podOf(set), NAMESPACE, { dryRun: true });
      expect(verdict.body).toContain(message);
      expect(verdict.status).toBe(403);
      expect(await api().create(set, NAMESPACE, { dryRun: true })).toMatchObject({
        status: 201,
        warnings: [expect.stringContaining("restricted")],
      });
    });
  });
});
