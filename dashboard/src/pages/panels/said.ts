// How a panel's numbers and cells are said. Units are the world's own words.
import type { Schemas } from "~/api/client";
import { change, figure, whole } from "~/lib/format";

export type Panel = Schemas["Panel"];
export type Data = Schemas["PanelData"];
export type Kind = Panel["kind"];
export type Cell = Schemas["PanelTableRow"]["cells"][number];
export type Of<K extends Kind> = Extract<Panel, { kind: K }>;
export type DataOf<K extends Kind> = Extract<Data, { kind: K }>;

const MINUS = "−"; // as wide as a plus, and seen better than a hyphen
const MONEY = /^[$€£¥]$/;

/** A number with a true minus: 1.234M, −98.4. */
export const number = (value: number | null | undefined): string => figure(value).replace("-", MINUS);

/** The number and its unit: 5.2%, $1.2K, 12 goods. */
export function amount(value: number | null | undefined, unit = "", say = number): string {
  const said = say(value);
  if (!unit || value === null || value === undefined) return said;
  if (MONEY.test(unit)) return said.startsWith(MINUS) ? MINUS + unit + said.slice(1) : unit + said;
  return unit === "%" ? `${said}%` : `${said} ${unit}`;
}

/** With all its digits, for who wants to know exactly. */
export const exact = (value: number | null | undefined, unit = ""): string =>
  amount(value, unit, (it) => (it === null || it === undefined ? "nothing" : whole(it).replace("-", MINUS)));

export interface Moved {
  sign: "▲" | "▼" | "＝";
  words: string;
}

/** From one turn to the next: a share of what there was, or points of what is a share itself. */
export function moved(value: number | null, before: number | null, unit = ""): Moved | null {
  if (value === null || before === null) return null;
  const by = value - before;
  if (by === 0) return { sign: "＝", words: "unchanged" };
  const sign = by > 0 ? "▲" : "▼";
  const plus = by > 0 ? "+" : "";
  if (unit === "%") return { sign, words: `${plus}${number(by)} points` };
  if (before === 0) return { sign, words: `${plus}${number(by)}` };
  return { sign, words: change(by / Math.abs(before)).replace("-", MINUS) };
}

export const said = (cell: Cell): string => {
  if (cell === null) return "–";
  if (typeof cell === "number") return number(cell);
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  return cell;
};

const MOST_PAIRS = 24;
const DEEPEST = 2;

/** A text that is a small JSON object, as its names and values; null where it is anything else. */
export function pairs(text: string): [string, Cell][] | null {
  if (!text.startsWith("{") || text.length > 2_000) return null;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  const found = flat(read, "", 0);
  return found.length <= MOST_PAIRS && found.every(([, value]) => !isThing(value))
    ? (found as [string, Cell][])
    : null;
}

const isThing = (value: unknown): value is object => typeof value === "object" && value !== null;

/** What lies within is named by the way to it, as far as anybody wants to read that. */
function flat(value: unknown, name: string, depth: number): [string, unknown][] {
  if (!isThing(value) || Array.isArray(value) || depth > DEEPEST) return [[name, value]];
  return Object.entries(value).flatMap(([key, one]) => flat(one, name ? `${name}.${key}` : key, depth + 1));
}

export const more = (count: number, what: string): string =>
  `${count.toLocaleString("en")} more ${what} ${count === 1 ? "is" : "are"} not shown`;
