// What differs, and how much: the sums behind the page. Values and intervals come from the server.
import type { Schemas } from "~/api/client";

export type Row = Schemas["ComparedRow"];
export type Effect = Schemas["Effect"];

/** The largest difference to the first run, as a share of the larger of the two values; null where none is told. */
export function relative(row: Row): number | null {
  const base = row.values[0];
  if (base === null || base === undefined) return null;
  let most: number | null = null;
  row.values.slice(1).forEach((value, at) => {
    const apart = row.differences[at + 1];
    if (value === null || apart === null || apart === undefined) return;
    const size = Math.max(Math.abs(base), Math.abs(value));
    most = Math.max(most ?? 0, size === 0 ? 0 : Math.abs(apart) / size);
  });
  return most;
}

export interface Ranked extends Row {
  share: number | null;
}

/** The largest differences first; what some run lacks stands after what all have, what is equal last. */
export function ranked(rows: readonly Row[]): Ranked[] {
  const place = (one: Ranked): number => (one.share === null ? 1e-9 : one.share);
  return rows
    .map((row) => ({ ...row, share: relative(row) }))
    .sort((a, b) => place(b) - place(a) || a.agent.localeCompare(b.agent) || a.name.localeCompare(b.name));
}

/** What is clear first, and of that what is large beside the value it changes. */
export function telling(effects: readonly Effect[], headline: readonly string[]): Effect[] {
  const size = (one: Effect): number => {
    const of = Math.max(Math.abs(one.reference), Math.abs(one.branch));
    return of === 0 ? 0 : Math.abs(one.mean) / of;
  };
  const first = (one: Effect): number => (headline.includes(one.name) ? 1 : 0);
  return effects
    .filter((one) => one.mean !== 0 || headline.includes(one.name))
    .sort((a, b) => Number(b.clear) - Number(a.clear) || first(b) - first(a) || size(b) - size(a));
}

/** Where all runs can be compared fairly: the last turn that each of them has played; null where all stand there. */
export function fairTurn(runs: readonly { turn: number }[]): number | null {
  const turns = runs.map((one) => one.turn);
  const least = Math.min(...turns);
  return Math.max(...turns) > least ? least : null;
}

export const idsOf = (runs: string | undefined): string[] => [
  ...new Set(
    (runs ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => /^[\w-]{1,80}$/.test(one)),
  ),
];

const key = (agent: string, name: string): string => `${agent}/${name}`;
export const metricKey = key;

/** Which curve is shown: the one that was asked for, the headline's, or the one that differs most. */
export function chosenMetric(
  rows: readonly Ranked[],
  asked: string | undefined,
  headline: readonly string[],
): Ranked | undefined {
  return (
    rows.find((one) => key(one.agent, one.name) === asked) ??
    headline
      .map((name) => rows.find((one) => one.name === name && one.agent === "world"))
      .find((one) => one !== undefined) ??
    rows.find((one) => headline.includes(one.name)) ??
    rows[0]
  );
}

/** What each run is to the others, as far as forks are concerned. */
export function partOf(runId: string, changed: readonly Schemas["Changed"][]): "branch" | "control" | null {
  if (changed.some((one) => one.branches.includes(runId))) return "branch";
  return changed.some((one) => one.controls.includes(runId)) ? "control" : null;
}
