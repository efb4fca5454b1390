/**
 * The dashboard as pictures: its rows, its queries, the data of a real run.
 *
 * Invariant: every panel of the dashboard is in one of the pictures, so that a query which answers nothing is seen.
 *
 * Deliberately absent: an opinion. What was done is numbered and listed below; what it did, the panels show.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Dashboard, fillIn, type Panel, readDashboard, ROOT } from "../../test/support/monitoring.ts";
import { type Drawn, drawPanel, nameSeries, type Scene } from "./panel.ts";
import { Prometheus, SCRAPE_SECONDS } from "./prometheus.ts";
import type { Deed } from "./real-run.ts";
import { FAINT, FONT, rect, text } from "./svg.ts";

const IMAGES = join(ROOT, "docs", "images");
const COLUMN = 50;
/** Of Grafana's grid: the height of a cell, and the gap below it. */
const CELL = 30;
const GAP = 8;
const WIDTH = 24 * COLUMN;

interface Picture {
  readonly file: string;
  readonly rows: readonly string[];
}

const PICTURES: readonly Picture[] = [
  { file: "observe-lock.svg", rows: ["Now", "The lock"] },
  { file: "observe-group.svg", rows: ["Changes of the holder", "The group"] },
  { file: "observe-ground.svg", rows: ["What the lease rests on"] },
];

interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A row and the panels up to the next one. */
function sectionsOf({ panels }: Dashboard): readonly Section[] {
  const starts = panels.flatMap(({ type }, index) => (type === "row" ? [index] : []));
  return starts.map((start, nth) => ({
    title: panels[start]?.title ?? "",
    panels: panels.slice(start + 1, starts[nth + 1]),
  }));
}

async function ask(prometheus: Prometheus, panel: Panel, { range }: Scene): Promise<readonly Drawn[]> {
  const rangeSeconds = Math.round(range.endSeconds - range.startSeconds);
  const drawn: Drawn[] = [];
  for (const { expr, legendFormat } of panel.targets ?? []) {
    const query = fillIn(expr, { rangeSeconds, rateSeconds: 4 * SCRAPE_SECONDS });
    drawn.push(...nameSeries(legendFormat, await prometheus.queryRange(query, range)));
  }
  if (drawn.length === 0) console.warn(`no data: ${panel.title}`);
  return drawn;
}

const pixels = (cells: number): number => cells * (CELL + GAP);

async function drawPicture(prometheus: Prometheus, sections: readonly Section[], scene: Scene): Promise<string> {
  const parts: string[] = [];
  let top = 0;
  for (const { title, panels } of sections) {
    parts.push(text(8, top + 22, title, { size: 14, weight: "bold" }));
    top += 32;
    const first = Math.min(...panels.map(({ gridPos }) => gridPos.y));
    const end = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos;
      const frame = { x: x * COLUMN + GAP / 2, y: top + pixels(y - first), w: w * COLUMN - GAP, h: pixels(h) - GAP };
      parts.push(drawPanel(panel, await ask(prometheus, panel, scene), frame, scene));
    }
    top += pixels(end - first);
  }
  for (const [index, { atSeconds, what }] of scene.deeds.entries()) {
    const minute = ((atSeconds - scene.range.startSeconds) / 60).toFixed(1);
    const [column, row] = [index % 3, Math.floor(index / 3)];
    const words = `${index + 1}  ${what} (${minute} min)`;
    parts.push(text(10 + (column * WIDTH) / 3, top + 16 + row * 16, words, { size: 10, colour: FAINT }));
  }
  const height = top + 16 * Math.ceil(scene.deeds.length / 3) + 12;
  const open = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ${WIDTH} ${height}' ${FONT}>`;
  return `${[open, rect(0, 0, WIDTH, height, "#f4f5f5"), ...parts, "</svg>"].join("\n")}\n`;
}

/** Reads what real-run.ts left in `directory`, and writes docs/images. */
export async function drawAll(directory: string): Promise<void> {
  const events = JSON.parse(readFileSync(join(directory, "events.json"), "utf8")) as {
    readonly startSeconds: number;
    readonly endSeconds: number;
    readonly deeds: readonly Deed[];
  };
  const range = { startSeconds: events.startSeconds, endSeconds: events.endSeconds, stepSeconds: SCRAPE_SECONDS };
  const sections = sectionsOf(readDashboard());
  const prometheus = await Prometheus.start(directory, null);
  try {
    mkdirSync(IMAGES, { recursive: true });
    const left = new Set(sections.map(({ title }) => title));
    for (const { file, rows } of PICTURES) {
      const chosen = sections.filter(({ title }) => rows.includes(title));
      for (const { title } of chosen) left.delete(title);
      const svg = await drawPicture(prometheus, chosen, { range, deeds: events.deeds });
      writeFileSync(join(IMAGES, file), svg);
      console.log(`${file}: ${Math.round(svg.length / 1024)} KiB`);
    }
    if (left.size > 0) throw new Error(`in no picture: ${[...left].join(", ")}`);
  } finally {
    await prometheus.stop();
  }
}
