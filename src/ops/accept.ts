/**
 * Which text format a scraper asks for: RFC 9110, 12.5.1, as far as two formats need it.
 *
 * Invariant: without a clear wish for OpenMetrics 1.0.0 the answer is the Prometheus text format, which every scraper
 * reads.
 *
 * Deliberately absent: 406. A scraper that takes neither is better off with a text it may still understand.
 */

/** Whether `accept` ranks OpenMetrics 1.0.0 at least as high as plain text. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = qualityOf(parameters);
    const version = parameters.find((parameter) => parameter.startsWith("version="));
    if (type === "application/openmetrics-text") {
      if (version === undefined || version === "version=1.0.0") openMetrics = Math.max(openMetrics, quality);
    } else if (type === "text/plain") {
      text = Math.max(text, quality);
    }
  }
  return openMetrics > 0 && openMetrics >= text;
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  if (given === undefined) return 1;
  const quality = Number(given.slice(2));
  return Number.isFinite(quality) ? quality : 0;
}
