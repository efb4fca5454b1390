/**
 * What the documentation shows of the chart works: every `helm install` and `helm upgrade` on a page renders, and every
 * manifest among the examples fits Kubernetes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KUBERNETES_VERSIONS } from "../../scripts/schemas.ts";
import { filesOf, readTree } from "../tidy/support/tree.ts";
import { conform } from "./support/conform.ts";
import { environmentOf, needs, podSpecOf, render, Rendering, ROOT, runHelm } from "./support/helm.ts";

const EXAMPLES = join(ROOT, "examples", "kubernetes");
const COMMAND = /\bhelm (?:install|upgrade(?: --install)?) (?<release>[\w-]+) charts\/tenure(?<options>[^\n`]*)/gu;
/** What `helm template` does not know, or must not do here. */
const ELSEWHERE = new Set(["--reuse-values"]);

/** Options as words, with something in place of what the reader is to fill in. */
function wordsOf(options: string): readonly string[] {
  const filled = options.replaceAll(/<[^>]*>/gu, "images.example.org").trim();
  return filled.split(/\s+/u).filter((word) => word !== "" && !ELSEWHERE.has(word));
}

const commands = filesOf(readTree(), /\.md$|(?:^|\/)values-\w+\.yaml$/u).flatMap(([page, text]) =>
  [...text.replaceAll(/\\\n\s*/gu, " ").matchAll(COMMAND)].map(({ 0: command, groups }) => ({
    page,
    command: command.trim(),
    release: groups?.["release"] ?? "",
    options: wordsOf(groups?.["options"] ?? ""),
  })),
);

describe("a command of the documentation", () => {
  needs("helm");

  it("is found", () => {
    expect(commands.map(({ page }) => page)).toEqual(
      expect.arrayContaining(["charts/tenure/README.md", "docs/tutorial/cluster.md", "charts/tenure/values-ha.yaml"]),
    );
  });

  it.each(commands)("works: $command ($page)", ({ release, options }) => {
    const { status, stderr } = runHelm(["template", release, "charts/tenure", ...options]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });
});

describe("an example", () => {
  needs("helm", "kubeconform", "schemas");

  it.each(["statefulset.yaml", "store.yaml"])("fits Kubernetes: %s", (name) => {
    const text = readFileSync(join(EXAMPLES, name), "utf8");
    for (const version of KUBERNETES_VERSIONS) {
      const { status, stdout } = conform(version, text);
      expect({ status, stdout }, version).toMatchObject({ status: 0 });
    }
  });

  it("has settings that the chart's pods have too", () => {
    const example = new Rendering(readFileSync(join(EXAMPLES, "statefulset.yaml"), "utf8")).get("StatefulSet");
    const names = Object.keys(environmentOf(render().get("StatefulSet"), "a-0"));
    // The pod's name is its hostname, unless a chart says otherwise.
    expect(names).toEqual(expect.arrayContaining(Object.keys(environmentOf(example, "a-0"))));
  });

  it("runs in place of the worker of the chart", () => {
    const rendering = render({ args: ["-f", join(EXAMPLES, "worker-values.yaml")] });
    expect(rendering.objects.filter(({ metadata }) => metadata.name === "app-tenure-worker")).toEqual([]);
    expect(podSpecOf(rendering.get("StatefulSet"))).toMatchObject({
      containers: [
        { command: ["node", "/opt/code/worker.ts"], volumeMounts: [{ name: "code", mountPath: "/opt/code" }] },
      ],
    });
    for (const version of KUBERNETES_VERSIONS) expect(conform(version, rendering.text).status).toBe(0);
  });
});
