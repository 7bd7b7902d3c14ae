// Where in a text a refusal of the server belongs.
import type { Problem } from "~/api/client";
import type { Path } from "~/lib/schema";

export interface Placed {
  path: Path;
  message: string;
}

type Said = Pick<Problem, "message" | "where" | "errors">;

/** Each value that it is about: by field, or as its first words name one ("entrant NAME: …"). */
export function placesOf(said: Said, value: Record<string, unknown>): Placed[] {
  if (said.errors.length > 0)
    return said.errors.map(({ field, message }) => ({ path: fieldOf(field), message }));
  const [, word, name] = /^(\w+)(?: ([^:]+))?: /.exec(said.message) ?? [];
  const key = keyOf(value, word) ?? keyOf(value, said.where);
  if (!key) return [];
  const list = value[key];
  const at = name && Array.isArray(list) ? list.findIndex((one) => JSON.stringify(one).includes(name)) : -1;
  return [{ path: at < 0 ? [key] : [key, at], message: said.message }];
}

const fieldOf = (field: string): Path =>
  field
    .replace(/^body\./, "")
    .split(".")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** A refusal names one of a list, or the whole: `tournament` and `evolution`, which are titles here. */
const keyOf = (value: Record<string, unknown>, word: string | null | undefined): string | undefined =>
  word === "tournament" || word === "evolution"
    ? undefined
    : [word, `${word}s`].find((key) => key !== undefined && key !== null && key in value) || undefined;
