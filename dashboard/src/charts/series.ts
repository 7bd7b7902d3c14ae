// What a chart is made of, and the sums behind it. No drawing here.

export interface Series {
  id: string;
  label: string;
  /** Rising, and as many as the values; a turn with no value holds null. */
  turns: readonly number[];
  values: readonly (number | null)[];
  /** Which of the eight lines of the style; its place in the list by default. */
  colour?: number;
  /** An interval around the line, as long as the values. */
  band?: { low: readonly (number | null)[]; high: readonly (number | null)[] };
}

/** A turn worth looking at: where a curve leapt, where a fork begins. */
export interface Mark {
  turn: number;
  label: string;
}

export interface Range {
  first: number;
  last: number;
}

type Column = (number | null)[];
export interface Aligned {
  turns: number[];
  columns: Column[];
}

const LINES = 8;
/** Dashes too tell lines apart: nobody needs colour to follow one. */
const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 3],
  [2, 2],
  [10, 3, 2, 3],
  [4, 4],
  [12, 4],
  [2, 5],
  [7, 2, 2, 2, 2, 2],
];

export const lineOf = (
  one: Pick<Series, "colour">,
  place: number,
): { variable: string; dash: readonly number[] } => {
  const at = (one.colour ?? place + 1) - 1;
  // After the eighth line the same colours come again with the next dash.
  const dash = DASHES[(at + Math.floor(at / LINES)) % DASHES.length] ?? [];
  return { variable: `--line-${(at % LINES) + 1}`, dash };
};

const sameTurns = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((turn, at) => turn === b[at]));

/** All columns over one axis of turns: each series' values, and after them low and high of each band. */
export function aligned(series: readonly Series[]): Aligned {
  const first = series[0]?.turns ?? [];
  const same = series.every((one) => sameTurns(one.turns, first));
  const turns = same
    ? [...first]
    : [...new Set(series.flatMap((one) => [...one.turns]))].sort((a, b) => a - b);
  const place = same ? null : new Map(turns.map((turn, at) => [turn, at]));
  const spread = (one: Series, values: readonly (number | null)[]): Column => {
    if (!place) return values as Column;
    const column: Column = new Array(turns.length).fill(null);
    one.turns.forEach((turn, at) => {
      column[place.get(turn) as number] = values[at] ?? null;
    });
    return column;
  };
  const lines = series.map((one) => spread(one, one.values));
  const bands = series.flatMap((one) =>
    one.band ? [spread(one, one.band.low), spread(one, one.band.high)] : [],
  );
  return { turns, columns: [...lines, ...bands] };
}

/** The place of the turn nearest to this one; -1 if there is none. */
export function nearest(turns: readonly number[], turn: number): number {
  let low = 0;
  let high = turns.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((turns[middle] as number) < turn) low = middle + 1;
    else high = middle;
  }
  const after = turns[low];
  const before = turns[low - 1];
  return before !== undefined && after !== undefined && turn - before <= after - turn
    ? low - 1
    : high < 0
      ? -1
      : low;
}

/** The value at a turn, or at the last turn before it that has one: long runs are sampled. */
export function valueAt(one: Series, turn: number): number | null {
  const at = nearest(one.turns, turn);
  return at < 0 ? null : (one.values[at] ?? null);
}

/** A range made narrower (`by` < 1) or wider around a turn, inside what there is. */
export function zoomed(range: Range, around: number, by: number, whole: Range): Range {
  const least = Math.min(4, whole.last - whole.first);
  const span = Math.max(least, (range.last - range.first) * by);
  if (span >= whole.last - whole.first) return whole;
  const share = range.last > range.first ? (around - range.first) / (range.last - range.first) : 0.5;
  const first = around - span * Math.min(1, Math.max(0, share));
  return moved({ first, last: first + span }, 0, whole);
}

/** A range shifted by so many turns, no further than the ends. */
export function moved(range: Range, by: number, whole: Range): Range {
  const span = Math.min(range.last - range.first, whole.last - whole.first);
  const first = Math.min(Math.max(range.first + by, whole.first), whole.last - span);
  return { first, last: first + span };
}

/** At most so many turns, evenly spread, the first and the last among them. */
export function sampled(turns: readonly number[], most: number): number[] {
  if (turns.length <= most) return [...turns];
  const step = (turns.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, at) => turns[Math.round(at * step)] as number);
}
