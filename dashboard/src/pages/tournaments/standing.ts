// The sums behind a table of standings.
import type { Schemas } from "~/api/client";

type Line = Schemas["TournamentLine"];
export interface Axis {
  low: number;
  high: number;
}

/** From the lowest end of an interval to the highest; null where there is nothing to draw. */
export function axisOf(lines: readonly Line[]): Axis | null {
  const ends = lines.flatMap((one) => (one.low === null || one.high === null ? [] : [one.low, one.high]));
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  return ends.length > 0 && low < high ? { low, high } : null;
}

/** Where a value lies on the axis, from 0 to 1. */
export const placeOn = (axis: Axis, value: number): number =>
  Math.min(1, Math.max(0, (value - axis.low) / (axis.high - axis.low)));

/** "2", or "1 to 3": the ranks that the matches leave open. */
export function ranks(line: Pick<Line, "best" | "worst">): string {
  if (line.best === null || line.worst === null) return "–";
  return line.best === line.worst ? String(line.best) : `${line.best} to ${line.worst}`;
}

/** What went wrong in its matches, in words; empty where nothing did. */
export const flaws = (line: Pick<Line, "forfeits" | "void" | "refused">): string =>
  [
    line.forfeits > 0 && `${line.forfeits} forfeited`,
    line.void > 0 && `${line.void} void`,
    line.refused > 0 && `${line.refused} refused`,
  ]
    .filter(Boolean)
    .join(", ");

/** The registered name behind `name@1.2.0`; null for what is not of the registry. */
export function registered(strategy: string): { name: string; version: string } | null {
  const [name, version] = strategy.split("@");
  return name && version ? { name, version } : null;
}
