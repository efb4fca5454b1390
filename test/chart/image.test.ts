/**
 * The image and the chart agree: on the user, the ports, the place of the program, and what goes to the builder.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { at, CHART, ROOT } from "./support/helm.ts";

const DOCKERFILE = readFileSync(join(ROOT, "Dockerfile"), "utf8");
const VALUES: unknown = parse(readFileSync(join(CHART, "values.yaml"), "utf8"));
const MANIFEST: unknown = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8"));
const PACKAGE: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** The arguments of every instruction of this name, lines that go on joined. */
function instructions(name: string): readonly string[] {
  const lines = DOCKERFILE.replaceAll(/\\\n\s*/gu, " ").split("\n");
  return lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());
}

describe("the image", () => {
  it("runs as the user that the chart asks for, by number", () => {
    const user = at(VALUES, "sidecar", "securityContext", "runAsUser");
    expect(instructions("USER")).toEqual([`${String(user)}:${String(user)}`]);
  });

  it("exposes the ports of the chart", () => {
    const ports = Object.values(at(VALUES, "sidecar", "ports") ?? {}).map(String);
    expect(
      instructions("EXPOSE")
        .flatMap((list) => list.split(" "))
        .toSorted(),
    ).toEqual(ports.toSorted());
  });

  it("has the version of the program, like the chart", () => {
    expect(at(MANIFEST, "appVersion")).toBe(at(PACKAGE, "version"));
    expect(instructions("LABEL").join(" ")).toContain('org.opencontainers.image.version="${VERSION}"');
  });

  it("takes its bases as arguments, of the Node that the tests run on", () => {
    const defaults = instructions("ARG").filter((argument) => argument.includes("_IMAGE="));
    const major = process.versions.node.split(".", 1).join("");
    expect(defaults.map((argument) => /^(\w+)=node:(\d+)-/u.exec(argument)?.slice(1))).toEqual([
      ["BUILD_IMAGE", major],
      ["RUNTIME_IMAGE", major],
    ]);
    expect(instructions("FROM")).toEqual(["${BUILD_IMAGE} AS build", "${RUNTIME_IMAGE}"]);
  });

  it("needs no shell to start or to be asked for its health, and brings its bill of materials", () => {
    for (const name of ["ENTRYPOINT", "HEALTHCHECK"]) {
      expect(instructions(name)).toHaveLength(1);
      expect(instructions(name)[0]).toMatch(/(?:^|CMD )\["node", /u);
    }
    expect(instructions("RUN").join("\n")).toContain("npm sbom --sbom-format=cyclonedx --omit=dev");
  });

  it("is built from nothing that .dockerignore keeps back", () => {
    const kept = readFileSync(join(ROOT, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1).replace(/\/$/u, ""));
    const copied = instructions("COPY")
      .filter((line) => !line.startsWith("--from="))
      .flatMap((line) => line.split(" ").slice(0, -1));
    expect(copied.toSorted()).toEqual(kept.toSorted());
  });
});
