/**
 * One panel of the dashboard, drawn from what Prometheus answered to its queries.
 *
 * Invariant: shape, unit, names and colours are those of the panel; the data are not smoothed, and a gap stays a gap.
 *
 * Deliberately absent: all of Grafana's options that the dashboard does not use.
 */
import type { Panel } from "../../test/support/monitoring.ts";
import type { Deed } from "./real-run.ts";
import type { Range, Series } from "./prometheus.ts";
import { colourOf, FAINT, format, GRID, INK, line, PALETTE, px, rect, text, ticks } from "./svg.ts";

export interface Drawn {
  readonly name: string;
  readonly points: readonly (readonly [atSeconds: number, value: number])[];
}

export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Scene {
  readonly range: Range;
  readonly deeds: readonly Deed[];
}

/** `{{label}}` of a legend becomes the value of the label. Series of one name are one: a pod that was restarted. */
export function nameSeries(pattern: string, series: readonly Series[]): readonly Drawn[] {
  const byName = new Map<string, [number, number][]>();
  for (const { metric, values } of series) {
    const name = pattern.replaceAll(/\{\{(\w+)\}\}/gu, (_, label: string) => metric[label] ?? "");
    const points = byName.get(name) ?? [];
    for (const [at, value] of values) if (Number.isFinite(Number(value))) points.push([at, Number(value)]);
    byName.set(name, points);
  }
  return [...byName]
    .map(([name, points]) => ({ name, points: points.toSorted(([a], [b]) => a - b) }))
    .filter(({ points }) => points.length > 0)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export function drawPanel(panel: Panel, series: readonly Drawn[], frame: Frame, scene: Scene): string {
  const box = rect(frame.x, frame.y, frame.w, frame.h, "#fff", "rx='3' stroke='#d0d7de'");
  const title = text(frame.x + 10, frame.y + 18, panel.title, { size: 12, weight: "bold" });
  const inner = { x: frame.x + 10, y: frame.y + 28, w: frame.w - 20, h: frame.h - 34 };
  return [box, title, drawInner(panel, series, inner, scene)].join("\n");
}

function drawInner(panel: Panel, series: readonly Drawn[], inner: Frame, scene: Scene): string {
  switch (panel.type) {
    case "stat":
      return stat(panel, series, inner, scene.range);
    case "state-timeline":
      return stateTimeline(panel, series, inner, scene);
    case "timeseries":
      return timeSeries(panel, series, inner, scene);
    case "row":
      return "";
  }
}

/** What was true at the end. */
function stat(panel: Panel, series: readonly Drawn[], inner: Frame, { endSeconds, stepSeconds }: Range): string {
  const { unit = "none", decimals } = panel.fieldConfig?.defaults ?? {};
  const present = series.flatMap(({ name, points }) => {
    const last = points.at(-1);
    return last !== undefined && last[0] > endSeconds - 2 * stepSeconds ? [{ name, value: last[1] }] : [];
  });
  const words = present.map(({ name, value }) =>
    panel.options?.textMode === "name" ? name : format(value, unit, decimals),
  );
  const shown = words.length === 0 ? "–" : words.join(", ");
  const size = Math.min(30, (inner.w * 1.4) / shown.length);
  const style = { size: Math.round(size), anchor: "middle", weight: "bold", colour: "#2f7d32" } as const;
  return text(inner.x + inner.w / 2, inner.y + inner.h / 2 + size / 3, shown, style);
}

/** Begins of what was done, with their numbers; and the minutes. */
function timeAxis(plot: Frame, { range, deeds }: Scene, numbered: boolean): { svg: string; at: (s: number) => number } {
  const span = range.endSeconds - range.startSeconds;
  const at = (atSeconds: number): number => plot.x + ((atSeconds - range.startSeconds) / span) * plot.w;
  const minutes = ticks(0, span / 60, Math.max(3, Math.min(14, Math.floor(plot.w / 60))));
  const bottom = plot.y + plot.h;
  const labels = minutes.map((minute) =>
    text(at(range.startSeconds + minute * 60), bottom + 13, `${minute} min`, {
      size: 9,
      colour: FAINT,
      anchor: "middle",
    }),
  );
  const marks = deeds.map(({ atSeconds }) =>
    line(at(atSeconds), plot.y, at(atSeconds), bottom, "#c0392b", "stroke-dasharray='2 3' stroke-width='.8'"),
  );
  const numbers = numbered
    ? deeds.map(({ atSeconds }, index) =>
        text(at(atSeconds), plot.y - 3, String(index + 1), { size: 9, colour: "#c0392b", anchor: "middle" }),
      )
    : [];
  return { svg: [...labels, ...marks, ...numbers].join("\n"), at };
}

function legend(names: readonly string[], colours: readonly string[], x: number, y: number, width: number): string {
  let next = x;
  const parts: string[] = [];
  for (const [index, name] of names.entries()) {
    const wide = 22 + name.length * 5.6;
    if (next + wide > x + width) break;
    parts.push(
      rect(next, y - 7, 10, 4, colours[index] ?? INK),
      text(next + 14, y - 1, name, { size: 10, colour: FAINT }),
    );
    next += wide;
  }
  return parts.join("\n");
}

function stateTimeline(panel: Panel, series: readonly Drawn[], inner: Frame, scene: Scene): string {
  const { stepSeconds } = scene.range;
  const states = panel.fieldConfig?.defaults.mappings?.[0]?.options ?? {};
  const longest = Math.max(5, ...series.map(({ name }) => name.length));
  const left = 10 + longest * 6.3;
  const plot = { x: inner.x + left, y: inner.y + 10, w: inner.w - left, h: inner.h - 44 };
  const { svg, at } = timeAxis(plot, scene, true);
  const height = plot.h / Math.max(1, series.length);
  const rows = series.flatMap(({ name, points }, row) => {
    const y = plot.y + row * height;
    const label = text(plot.x - 8, y + height / 2 + 4, name, { size: 10, anchor: "end" });
    return [
      label,
      ...spansOf(points, stepSeconds).map(({ from, to, value }) => {
        const colour = colourOf(states[String(value)]?.color ?? "text");
        return rect(at(from), y + height * 0.12, Math.max(1, at(to) - at(from)), height * 0.76, colour);
      }),
    ];
  });
  const names = Object.values(states);
  const colours = names.map(({ color }) => colourOf(color));
  return [
    ...rows,
    svg,
    legend(
      names.map((state) => state.text),
      colours,
      plot.x,
      inner.y + inner.h,
      plot.w,
    ),
  ].join("\n");
}

/** Equal neighbours as one; a missing sample ends a span. */
function spansOf(points: Drawn["points"], stepSeconds: number): readonly { from: number; to: number; value: number }[] {
  const spans: { from: number; to: number; value: number }[] = [];
  for (const [at, value] of points) {
    const last = spans.at(-1);
    if (last !== undefined && last.value === value && at <= last.to + stepSeconds * 0.1) last.to = at + stepSeconds;
    else spans.push({ from: at, to: at + stepSeconds, value });
  }
  return spans;
}

function timeSeries(panel: Panel, series: readonly Drawn[], inner: Frame, scene: Scene): string {
  const plot = { x: inner.x + 56, y: inner.y + 10, w: inner.w - 60, h: inner.h - 44 };
  const { svg, at } = timeAxis(plot, scene, true);
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const { grid, up, from } = valueAxis(panel, values, plot);
  const scale = { at, up, stepSeconds: scene.range.stepSeconds };
  const isBars = panel.fieldConfig?.defaults.custom?.drawStyle === "bars";
  const colours = series.map((_, index) => PALETTE[index % PALETTE.length] ?? INK);
  const shapes = series.map(({ points }, index) => {
    const colour = colours[index] ?? INK;
    return isBars ? bars(points, { ...scale, base: Math.max(0, from) }, colour) : path(points, scale, colour);
  });
  const names = series.map(({ name }) => name);
  return [grid, svg, ...shapes, legend(names, colours, plot.x, inner.y + inner.h, plot.w)].join("\n");
}

interface ValueAxis {
  readonly grid: string;
  readonly up: (value: number) => number;
  readonly from: number;
}

function valueAxis(panel: Panel, values: readonly number[], plot: Frame): ValueAxis {
  const { unit = "none", min, max, custom } = panel.fieldConfig?.defaults ?? {};
  const isLog = custom?.scaleDistribution?.type === "log";
  const low = Math.min(...values, min ?? Number.POSITIVE_INFINITY, max ?? Number.POSITIVE_INFINITY);
  const top = Math.max(...values, max ?? Number.NEGATIVE_INFINITY);
  const above = max === undefined ? (top - low) * 0.06 : 0;
  const linear = values.length === 0 ? [0, 1] : [low, top > low ? top + above : low + 1];
  const [from = 0, to = 1] =
    isLog && values.length > 0 ? [Math.floor(Math.log10(low)), Math.ceil(Math.log10(top) + 1e-9)] : linear;
  const height = (shown: number): number => plot.y + plot.h - ((shown - from) / (to - from)) * plot.h;
  const up = (value: number): number => height(isLog ? Math.log10(value) : value);
  // Ticks of bytes are whole in MiB.
  const factor = unit === "bytes" ? 2 ** 20 : 1;
  const at = isLog
    ? Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
    : ticks(from / factor, to / factor, 5).map((tick) => tick * factor);
  const grid = at.map(
    (value) =>
      line(plot.x, up(value), plot.x + plot.w, up(value), GRID) +
      text(plot.x - 6, up(value) + 3, format(value, unit, undefined), { size: 9, colour: FAINT, anchor: "end" }),
  );
  return { grid: grid.join("\n"), up, from };
}

interface Scale {
  readonly at: (atSeconds: number) => number;
  readonly up: (value: number) => number;
  readonly stepSeconds: number;
}

function path(points: Drawn["points"], { at, up, stepSeconds }: Scale, colour: string): string {
  let before = Number.NEGATIVE_INFINITY;
  const steps = points.map(([x, value]) => {
    const command = x - before > stepSeconds * 1.5 ? "M" : "L";
    before = x;
    // A sample between two gaps would be a line of no length.
    return `${command}${px(at(x))} ${px(up(value))}${command === "M" ? "h.1" : ""}`;
  });
  return `<path d='${steps.join("")}' fill='none' stroke='${colour}' stroke-width='1.4' stroke-linecap='round'/>`;
}

function bars(
  points: Drawn["points"],
  { at, up, stepSeconds, base }: Scale & { base: number },
  colour: string,
): string {
  const wide = at(stepSeconds) - at(0);
  const boxes = points
    .filter(([, value]) => value > base)
    .map(([x, value]) => `M${px(at(x))} ${px(up(base))}V${px(up(value))}h${px(wide)}V${px(up(base))}z`);
  return `<path d='${boxes.join("")}' fill='${colour}' fill-opacity='.65'/>`;
}
