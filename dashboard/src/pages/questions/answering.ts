// From the JSON schema of an answer to the fields of a form, and from what stands in the fields to the answer.
// The server judges what is sent; what is checked here spares a person a way there and back.

export type Schema = Record<string, unknown>;
export type Kind = "number" | "integer" | "text" | "boolean" | "choice" | "map" | "json";

export interface Field {
  name: string;
  kind: Kind;
  required: boolean;
  help: string;
  choices: string[];
  minimum: number | undefined;
  maximum: number | undefined;
  fallback: unknown;
}

/** One of the things that may be answered: an action with its fields, or a value of its own. */
export interface Choice {
  name: string;
  help: string;
  /** Fields of an object; null where the answer is one value, which `field` describes. */
  fields: Field[] | null;
  field: Field;
  /** What is always part of it, such as its type. */
  fixed: Record<string, unknown>;
  constant: unknown;
}

/** What stands in the fields, as it was typed. A map's rows are name and value. */
export type Typed = Record<string, string | boolean | [string, string][]>;
export const ALONE = "answer";

const object = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function resolved(schema: unknown, root: Schema): Schema {
  let now: unknown = schema;
  for (let steps = 0; steps < 20 && object(now) && typeof now["$ref"] === "string"; steps++) {
    const path = now["$ref"].replace(/^#\//, "").split("/");
    now = path.reduce<unknown>((at, step) => (object(at) ? at[step] : undefined), root);
  }
  return object(now) ? now : {};
}

/** Of "this or nothing", this. */
function solid(schema: unknown, root: Schema): Schema {
  const found = resolved(schema, root);
  const ways = (found["anyOf"] ?? found["oneOf"]) as unknown[] | undefined;
  const real = ways?.map((one) => resolved(one, root)).filter((one) => one["type"] !== "null") ?? [];
  return real.length === 1 && real[0] ? { ...found, ...real[0] } : found;
}

const plainEnum = (schema: Schema): string[] =>
  Array.isArray(schema["enum"]) && schema["enum"].every((one) => typeof one === "string")
    ? (schema["enum"] as string[])
    : [];

function fieldOf(name: string, raw: unknown, required: boolean, root: Schema): Field {
  const schema = solid(raw, root);
  const number = (key: string) => (typeof schema[key] === "number" ? schema[key] : undefined);
  const choices = plainEnum(schema);
  const inner = object(schema["additionalProperties"]) ? solid(schema["additionalProperties"], root) : null;
  const numbers = inner?.["type"] === "number" || inner?.["type"] === "integer";
  const kinds: Record<string, Kind> = {
    number: "number",
    integer: "integer",
    string: "text",
    boolean: "boolean",
  };
  const bounds = numbers && inner ? inner : schema;
  return {
    name,
    kind: choices.length > 0 ? "choice" : numbers ? "map" : (kinds[String(schema["type"])] ?? "json"),
    required,
    help: String(schema["description"] ?? "").trim(),
    choices,
    minimum: numbers ? (bounds["minimum"] as number | undefined) : number("minimum"),
    maximum: numbers ? (bounds["maximum"] as number | undefined) : number("maximum"),
    fallback: schema["default"],
  };
}

function choiceOf(raw: unknown, root: Schema): Choice {
  const schema = resolved(raw, root);
  const properties = object(schema["properties"]) ? schema["properties"] : null;
  const needed = new Set(Array.isArray(schema["required"]) ? (schema["required"] as string[]) : []);
  const fixed: Record<string, unknown> = {};
  const fields: Field[] = [];
  for (const [name, one] of Object.entries(properties ?? {})) {
    const inner = resolved(one, root);
    const only = plainEnum(inner);
    if ("const" in inner) fixed[name] = inner["const"];
    else if (only.length === 1 && needed.has(name)) fixed[name] = only[0];
    else fields.push(fieldOf(name, one, needed.has(name), root));
  }
  const constant = schema["const"];
  const name = fixed["type"] ?? schema["title"] ?? constant ?? Object.keys(properties ?? {}).join(", ");
  return {
    name: String(name || ALONE),
    help: String(schema["description"] ?? "").trim(),
    fields: properties ? fields : null,
    field: fieldOf(ALONE, schema, true, root),
    fixed,
    constant,
  };
}

export function choicesOf(schema: Schema): Choice[] {
  const ways = (schema["anyOf"] ?? schema["oneOf"]) as unknown[] | undefined;
  return (ways ?? [schema]).map((one) => choiceOf(one, schema));
}

export const fieldsOf = (choice: Choice): Field[] =>
  choice.constant !== undefined ? [] : (choice.fields ?? [choice.field]);

/** What the fields hold before anybody types: what is so now, if what was seen says it; else the schema's own. */
export function startOf(choice: Choice, seen: unknown): Typed {
  const now = object(seen) ? seen : {};
  return Object.fromEntries(
    fieldsOf(choice).map((field): [string, Typed[string]] => {
      const at = now[field.name];
      if (field.kind === "map") return [field.name, []];
      if (field.kind === "boolean") return [field.name, at === true || field.fallback === true];
      const fits = field.kind === "number" || field.kind === "integer" ? typeof at === "number" : false;
      const start = fits && field.required ? at : field.fallback;
      if (start === undefined || start === null) return [field.name, ""];
      return [field.name, typeof start === "object" ? JSON.stringify(start) : String(start)];
    }),
  );
}

/** Names that a map may speak of: those of the like things that were seen, such as partners. */
export function namesSeen(seen: unknown): string[] {
  if (!object(seen)) return [];
  const maps = Object.values(seen).filter(
    (one): one is Schema => object(one) && Object.values(one).every(object),
  );
  return [...new Set(maps.flatMap((one) => Object.keys(one)))];
}

export interface Built {
  answer: unknown;
  errors: Record<string, string>;
}

export function build(choice: Choice, typed: Typed): Built {
  if (choice.constant !== undefined) return { answer: choice.constant, errors: {} };
  const errors: Record<string, string> = {};
  const values: Record<string, unknown> = { ...choice.fixed };
  for (const field of fieldsOf(choice)) {
    try {
      const value = read(field, typed[field.name]);
      if (value !== undefined) values[field.name] = value;
    } catch (error) {
      errors[field.name] = error instanceof Error ? error.message : String(error);
    }
  }
  return { answer: choice.fields ? values : values[ALONE], errors };
}

function read(field: Field, typed: Typed[string] | undefined): unknown {
  if (typeof typed === "boolean") return typed;
  if (Array.isArray(typed)) return readMap(field, typed);
  const text = (typed ?? "").trim();
  if (text === "") {
    if (field.required) throw new Error("this must be there");
    return undefined;
  }
  if (field.kind === "number" || field.kind === "integer") return readNumber(field, text);
  if (field.kind !== "json") return typed;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("this is no JSON: text stands in quotation marks");
  }
}

function readMap(field: Field, rows: [string, string][]): Record<string, number> | undefined {
  const told = rows.map(([name, text]): [string, string] => [name.trim(), text.trim()]);
  const full = told.filter(([name, text]) => name || text);
  if (full.length === 0 && !field.required) return undefined;
  if (full.some(([name]) => !name)) throw new Error("a row has no name");
  if (new Set(full.map(([name]) => name)).size < full.length) throw new Error("a name stands here twice");
  return Object.fromEntries(full.map(([name, text]) => [name, readNumber(field, text, `${name}: `)]));
}

function readNumber(field: Field, text: string, where = ""): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) throw new Error(`${where}this is no number`);
  if (field.kind === "integer" && !Number.isInteger(value)) throw new Error(`${where}a whole number`);
  if (field.minimum !== undefined && value < field.minimum)
    throw new Error(`${where}at least ${field.minimum}`);
  if (field.maximum !== undefined && value > field.maximum)
    throw new Error(`${where}at most ${field.maximum}`);
  return value;
}

/** What may stand in a field, in words. */
export function bounds(field: Field): string {
  const { minimum: least, maximum: most } = field;
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  if (least !== undefined) return `at least ${least}`;
  return most !== undefined ? `at most ${most}` : "";
}
