// JSON schemas as a form needs them: which field stands for what, and what does not fit. Only what scenarios use.

export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  pattern?: string;
  $ref?: string;
  $defs?: Record<string, Schema>;
}

export type Path = readonly (string | number)[];
export interface Misfit {
  path: Path;
  message: string;
}

/** What a reference points to, with what stands beside the reference. */
export function resolved(schema: Schema, root: Schema): Schema {
  if (!schema.$ref) return schema;
  const { $ref, ...beside } = schema;
  const target = root.$defs?.[$ref.replace("#/$defs/", "")] ?? {};
  return { ...resolved(target, root), ...beside };
}

export type Kind =
  | { is: "choice"; of: unknown[] }
  | { is: "yes" }
  | { is: "number"; whole: boolean }
  | { is: "text" }
  | { is: "object"; fields: Record<string, Schema> }
  | { is: "map"; of: Schema }
  | { is: "list"; of: Schema; simple: boolean }
  | { is: "other" };

/** Which kind of field fits; what may also be null is what it is otherwise, and may be left empty. */
export function kindOf(given: Schema, root: Schema): Kind {
  const schema = resolved(given, root);
  if (schema.anyOf) {
    const real = schema.anyOf.filter((one) => one.type !== "null");
    return real.length === 1 && real[0] ? kindOf(real[0], root) : { is: "other" };
  }
  if (schema.enum) return { is: "choice", of: schema.enum };
  if (schema.const !== undefined) return { is: "choice", of: [schema.const] };
  if (schema.type === "boolean") return { is: "yes" };
  if (schema.type === "integer" || schema.type === "number")
    return { is: "number", whole: schema.type === "integer" };
  if (schema.type === "string") return { is: "text" };
  if (schema.type === "array" && schema.items) {
    const simple = ["number", "text", "choice"].includes(kindOf(schema.items, root).is);
    return { is: "list", of: schema.items, simple };
  }
  if (schema.properties) return { is: "object", fields: schema.properties };
  if (typeof schema.additionalProperties === "object") return { is: "map", of: schema.additionalProperties };
  return { is: "other" };
}

/** The bounds of a number, also of one that may be left out. */
export function bounds(given: Schema, root: Schema): Schema {
  const schema = resolved(given, root);
  return schema.anyOf?.find((one) => one.type !== "null") ?? schema;
}

export function initial(schema: Schema, root: Schema): unknown {
  const known = resolved(schema, root);
  if (known.default !== undefined && known.default !== null) return structuredClone(known.default);
  const kind = kindOf(known, root);
  if (kind.is === "object")
    return Object.fromEntries(
      (known.required ?? []).map((name) => [name, initial(kind.fields[name] ?? {}, root)]),
    );
  if (kind.is === "choice") return kind.of[0];
  if (kind.is === "number") return bounds(known, root).minimum ?? 0;
  if (kind.is === "yes") return false;
  if (kind.is === "list") return [];
  if (kind.is === "map") return {};
  return "";
}

/** What does not fit, as the server would say it, each at its place. The server has the last word. */
export function misfits(value: unknown, given: Schema, root: Schema, path: Path = []): Misfit[] {
  const schema = resolved(given, root);
  const wrong = (message: string): Misfit[] => [{ path, message }];
  if (schema.anyOf) {
    const all = schema.anyOf.map((one) => misfits(value, one, root, path));
    if (all.some((one) => one.length === 0)) return [];
    const like = schema.anyOf.findIndex((one) => fits(value, resolved(one, root).type));
    return like >= 0 ? (all[like] ?? []) : wrong(`is ${typeName(value)}, which does not fit`);
  }
  if (schema.const !== undefined && value !== schema.const) return wrong(`must be ${String(schema.const)}`);
  if (schema.enum && !schema.enum.includes(value))
    return wrong(
      `${JSON.stringify(value)} is not one of ${schema.enum.map((one) => one || '""').join(", ")}`,
    );
  if (schema.type && !fits(value, schema.type))
    return wrong(`must be ${named(schema.type)}, not ${typeName(value)}`);
  if (typeof value === "number") return numberMisfits(value, schema, wrong);
  if (typeof value === "string") {
    if (value.length < (schema.minLength ?? 0)) return wrong("is too short");
    if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) return wrong("is too long");
    return [];
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return wrong(`needs at least ${schema.minItems}`);
    return value.flatMap((one, at) => (schema.items ? misfits(one, schema.items, root, [...path, at]) : []));
  }
  if (typeof value === "object" && value !== null)
    return objectMisfits(value as Record<string, unknown>, schema, root, path);
  return [];
}

function numberMisfits(value: number, schema: Schema, wrong: (message: string) => Misfit[]): Misfit[] {
  if (schema.minimum !== undefined && value < schema.minimum)
    return wrong(`must be at least ${schema.minimum}, not ${value}`);
  if (schema.maximum !== undefined && value > schema.maximum)
    return wrong(`must be at most ${schema.maximum}, not ${value}`);
  if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum)
    return wrong(`must be more than ${schema.exclusiveMinimum}`);
  if (schema.exclusiveMaximum !== undefined && value >= schema.exclusiveMaximum)
    return wrong(`must be less than ${schema.exclusiveMaximum}`);
  return [];
}

function objectMisfits(value: Record<string, unknown>, schema: Schema, root: Schema, path: Path): Misfit[] {
  const found: Misfit[] = [];
  for (const name of schema.required ?? [])
    if (!(name in value)) found.push({ path, message: `lacks the key '${name}'` });
  for (const [name, one] of Object.entries(value)) {
    const of = schema.properties?.[name] ?? schema.additionalProperties;
    if (of === false) found.push({ path: [...path, name], message: `there is no key '${name}'` });
    else if (typeof of === "object") found.push(...misfits(one, of, root, [...path, name]));
  }
  return found;
}

function fits(value: unknown, type: string | undefined): boolean {
  if (type === "integer") return typeof value === "bigint" || Number.isInteger(value);
  if (type === "number") return typeof value === "number" || typeof value === "bigint";
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return type === undefined || typeof value === type;
}

const NAMES: Record<string, string> = {
  integer: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
};
const named = (type: string): string => NAMES[type] ?? type;
const typeName = (value: unknown): string =>
  value === null || value === undefined
    ? "nothing"
    : named(Array.isArray(value) ? "array" : typeof value === "bigint" ? "integer" : typeof value);
