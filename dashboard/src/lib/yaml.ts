// The text of a scenario or the like, changed without losing what people wrote beside it.
import { type Document, isCollection, isMap, LineCounter, parseDocument } from "yaml";
import type { Path } from "./schema";

export interface Read {
  value: Record<string, unknown>;
  /** What cannot be read, each with its line; then the value is that of before. */
  errors: { line: number; message: string }[];
  /** The line of a place; of what is not there, that of what it would stand in. Counted from 1. */
  lineOf: (path: Path) => number;
}

// A scenario's server reads YAML 1.2 and refuses a key that stands twice, as this does.
const HOW = { version: "1.2", uniqueKeys: true, intAsBigInt: false } as const;

/** `what` the text is of, and how such a one begins: for whoever has not begun it. */
export function readYaml(text: string, what = "scenario", first = "world: NAME"): Read {
  const lines = new LineCounter();
  const doc = parseDocument(text, { ...HOW, lineCounter: lines });
  const errors = doc.errors.map((one) => ({
    line: lines.linePos(one.pos[0]).line,
    message: one.message.split("\n")[0]?.replace(/ at line \d+.*$/, "") ?? "cannot be read",
  }));
  const value = errors.length === 0 ? (doc.toJS({ maxAliasCount: 100 }) as unknown) : {};
  if (errors.length === 0 && (typeof value !== "object" || value === null || Array.isArray(value)))
    errors.push({
      line: 1,
      message: `${/^[aeiou]/.test(what) ? "an" : "a"} ${what} is a mapping of keys to values: begin with ${first}`,
    });
  return {
    value: errors.length === 0 ? (value as Record<string, unknown>) : {},
    errors,
    lineOf: (path) => lines.linePos(startOf(doc, path)).line,
  };
}

function startOf(doc: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? doc.contents : doc.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((one) => String(one.key) === String(name));
      const key = pair?.key as { range?: [number, number, number] } | undefined;
      if (key?.range) return key.range[0];
    } else if (isCollection(parent)) {
      const item = parent.get(name, true) as { range?: [number, number, number] } | undefined;
      if (item?.range) return item.range[0];
    }
  }
  return 0;
}

/** The text with one value put in place; `undefined` takes it out, and what is empty by that. */
export function edited(text: string, path: Path, value: unknown): string {
  const doc = parseDocument(text, HOW);
  if (doc.errors.length > 0) return text;
  if (value === undefined) {
    if (!doc.hasIn(path)) return text;
    doc.deleteIn(path);
    const parent = path.slice(0, -1);
    const left: unknown = parent.length > 0 ? doc.getIn(parent, true) : undefined;
    if (isMap(left) && left.items.length === 0 && typeof path.at(-1) === "string") doc.deleteIn(parent);
  } else {
    for (let length = 1; length < path.length; length++) {
      const part = path.slice(0, length);
      if (!isCollection(doc.getIn(part, true)))
        doc.setIn(part, doc.createNode(typeof path[length] === "number" ? [] : {}));
    }
    doc.setIn(path, typeof value === "object" && value !== null ? doc.createNode(value) : value);
  }
  return doc.toString({ lineWidth: 0, flowCollectionPadding: false });
}
