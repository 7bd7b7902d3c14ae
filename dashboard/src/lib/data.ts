// How values of any shape are laid out.

const named = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Things of one kind, as named rows: a map or a list of objects whose values are all plain. Else null. */
export function tabled(value: object): [string, Record<string, unknown>][] | null {
  const entries = Array.isArray(value)
    ? value.map((one, at): [string, unknown] => [String(at + 1), one])
    : Object.entries(value);
  const row = (one: unknown): one is Record<string, unknown> =>
    named(one) &&
    Object.keys(one).length > 0 &&
    Object.values(one).every((cell) => typeof cell !== "object" || cell === null);
  return entries.every((entry): entry is [string, Record<string, unknown>] => row(entry[1])) ? entries : null;
}
