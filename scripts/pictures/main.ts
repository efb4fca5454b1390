/**
 * The pictures of docs/how-to/observe.md: `node scripts/pictures/main.ts run <directory>`, then `… draw <directory>`.
 *
 * Invariant: a picture is made of the dashboard's own queries and real data; see real-run.ts.
 *
 * Deliberately absent: Grafana, which is no package of the system. What it draws itself looks a little different.
 */
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { drawAll } from "./draw-all.ts";
import { realRun } from "./real-run.ts";

const [task, given] = process.argv.slice(2);
const directory = resolve(given ?? "pictures-data");
if (task === "run") {
  mkdirSync(directory, { recursive: true });
  await realRun(directory);
} else if (task === "draw") {
  await drawAll(directory);
} else {
  console.error("usage: node scripts/pictures/main.ts <run|draw> <directory>");
  process.exitCode = 2;
}
// Keep-alive sockets would hold up the end.
process.exit();
