/**
 * The small files of a data directory, with their checksum made right or not (src/storage/envelope.ts, shapes.ts).
 *
 * Promise: `storage_corrupt` or `storage_version`, or data that is written again as the same file.
 */
import { crc32 } from "node:zlib";
import { readFileSync } from "node:fs";
import { decodeEnvelope, encodeEnvelope } from "../../../src/storage/envelope.ts";
import { decode, formShape, identityShape, type Shape, snapshotShape, storable } from "../../../src/storage/shapes.ts";
import { bytesMutator, either } from "../engine/bytes.ts";
import { changeJson } from "../engine/json.ts";
import { type Mutator, refusal, require, same, shapeOf, type Target } from "../engine/target.ts";

const FILE = /^\{"version":(\d+),"crc32":"([0-9a-f]{8})","data":([^]*)\}\n$/u;
const SHAPES: readonly (readonly [string, Shape<unknown>])[] = [
  ["identity", identityShape],
  ["form", formShape],
  ["snapshot", snapshotShape],
];

/** Changes the data and makes the checksum right. */
const changeData: Mutator = (input, dice, others) => {
  const [, version = "1", , data = "{}"] = FILE.exec(input.toString()) ?? [];
  const lately = others.slice(-20).map((other) => Buffer.from(FILE.exec(other.toString())?.[3] ?? "{}"));
  const text = changeJson(Buffer.from(data), dice, lately);
  const newVersion = dice.once(20) ? String(dice.below(3)) : version;
  const sum = crc32(text, crc32(`${newVersion}:`))
    .toString(16)
    .padStart(8, "0");
  return Buffer.concat([Buffer.from(`{"version":${newVersion},"crc32":"${sum}","data":`), text, Buffer.from("}\n")]);
};

/** By the table of docs/reference/disk-format.md. */
function isIntact(input: Buffer): boolean {
  const text = input.toString("latin1");
  const [, version, sum, data = ""] = FILE.exec(text) ?? [];
  return version === "1" && Number.parseInt(sum ?? "", 16) === crc32(Buffer.from(data, "latin1"), crc32("1:"));
}

export function open(): Target {
  const file = (name: string): Buffer => readFileSync(new URL(`../../golden/disk-v1/${name}.json`, import.meta.url));
  return {
    covers: ["src/storage/envelope.ts", "src/storage/shapes.ts"],
    seeds: [
      file("identity"),
      file("form"),
      file("snapshot"),
      Buffer.from('{"version":2,"crc32":"00000000","data":{}}\n'),
    ],
    mutate: either([4, changeData], [1, bytesMutator(['{"version":', ',"crc32":"', '","data":', "}\n", "1000000000"])]),
    run(input) {
      try {
        const data = decodeEnvelope(input, "/data/form.json");
        require(isIntact(input), "what is accepted is of this version and has the right checksum");
        require(same(
          decodeEnvelope(encodeEnvelope(data), "/data/form.json"),
          data,
        ), "data is written and read as the same");
        const fits = SHAPES.map(([name, shape]) => {
          const decoded = decode(shape, data);
          if (decoded.kind === "fault") return `${name} ${shapeOf(decoded.fault)}`;
          require(same(storable(shape, decoded.value), decoded.value), "what was read can be stored");
          return name;
        });
        return fits.find((word) => !word.includes(" ")) ?? fits.join();
      } catch (error) {
        return refusal(error, ["storage_corrupt", "storage_version"]);
      }
    },
  };
}
