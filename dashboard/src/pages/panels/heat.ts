// How strong a cell's colour is. Amounts of a matrix differ by orders of magnitude, so that a root is taken:
// small ones are still seen. The sign stands in the number too; nobody needs the colour to read it.

const FAINTEST = 6;
const STRONGEST = 42; // percent; more would take the contrast from the number

/** The largest amount, whatever its sign. */
export const most = (cells: readonly (readonly (number | null)[])[]): number =>
  cells.reduce((top, row) => row.reduce((so: number, cell) => Math.max(so, Math.abs(cell ?? 0)), top), 0);

/** Percent of the colour for this amount; 0 where there is none. */
export function strength(value: number | null, top: number): number {
  if (value === null || value === 0 || !(top > 0)) return 0;
  const share = Math.min(1, Math.abs(value) / top);
  return Math.round((FAINTEST + (STRONGEST - FAINTEST) * Math.sqrt(share)) * 10) / 10;
}

/** The ground of a cell, as CSS has it. What came in is blue, what went out is orange. */
export function ground(value: number | null, top: number): string | undefined {
  const percent = strength(value, top);
  if (percent === 0) return undefined;
  return `color-mix(in srgb, var(--line-${(value ?? 0) < 0 ? 2 : 1}) ${percent}%, transparent)`;
}

/** Whether anything is below zero: only then two colours mean something. */
export const signed = (cells: readonly (readonly (number | null)[])[]): boolean =>
  cells.some((row) => row.some((cell) => cell !== null && cell < 0));
