// A form made from a JSON schema: each value with its help, its bounds and what is wrong with it.
import { type ReactNode, useEffect, useId, useState } from "react";
import { spoken } from "~/lib/format";
import { bounds, initial, kindOf, type Misfit, type Path, resolved, type Schema } from "~/lib/schema";
import { Button, cx, FIELD } from "./kit";

export interface FormProps {
  root: Schema;
  /** `undefined` takes a value out: then its default holds. */
  onChange: (path: Path, value: unknown) => void;
  misfits: readonly Misfit[];
}
interface FieldProps extends FormProps {
  schema: Schema;
  path: Path;
  value: unknown;
  required?: boolean;
  label?: string;
}

export const placed = (path: Path): string => `field-${path.join(".")}`;
const same = (a: Path, b: Path): boolean => a.length === b.length && a.every((part, at) => part === b[at]);

export function SchemaFields({
  fields,
  value,
  path,
  required = [],
  ...form
}: FormProps & {
  fields: [string, Schema][];
  value: Record<string, unknown>;
  path: Path;
  required?: string[];
}) {
  return (
    <div className="grid gap-x-4 gap-y-3 sm:grid-cols-2">
      {fields.map(([name, schema]) => (
        <SchemaField
          key={name}
          {...form}
          schema={schema}
          path={[...path, name]}
          value={value[name]}
          required={required.includes(name)}
        />
      ))}
    </div>
  );
}

/** One value, of whatever kind. */
export function SchemaField(props: FieldProps) {
  const { schema: given, root, path, value, label } = props;
  const schema = resolved(given, root);
  const kind = kindOf(schema, root);
  const name = label ?? spoken(String(path.at(-1)));
  if (kind.is === "object") return <ObjectField {...props} fields={kind.fields} name={name} />;
  if (kind.is === "map") return <MapField {...props} of={kind.of} name={name} />;
  if (kind.is === "list" && !kind.simple) return <ListField {...props} of={kind.of} name={name} />;
  if (kind.is === "yes") return <YesField {...props} name={name} />;
  if (kind.is === "choice")
    return (
      <Labelled {...props} name={name}>
        {(id, help) => (
          <select
            id={id}
            aria-describedby={help}
            className={FIELD}
            value={value === undefined ? "" : JSON.stringify(value)}
            onChange={(event) =>
              props.onChange(path, event.target.value === "" ? undefined : JSON.parse(event.target.value))
            }
          >
            <option value="">{fallback(schema) ?? "as it is"}</option>
            {kind.of
              .filter((one) => one !== "")
              .map((one) => (
                <option key={String(one)} value={JSON.stringify(one)}>
                  {String(one)}
                </option>
              ))}
          </select>
        )}
      </Labelled>
    );
  if (kind.is === "number" || kind.is === "text" || kind.is === "list")
    return <TypedField {...props} kind={kind.is} name={name} />;
  return (
    <Labelled {...props} name={name}>
      {(id, help) => (
        <p id={id} aria-describedby={help} className="rounded-md bg-raised px-2 py-1 text-muted text-xs">
          {value === undefined
            ? "not set; it is written in the YAML"
            : `${JSON.stringify(value).slice(0, 120)}, see the YAML`}
        </p>
      )}
    </Labelled>
  );
}

const fallback = (schema: Schema): string | undefined => {
  const value = schema.default;
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "object" ? undefined : `${String(value)} (default)`;
};

/** The label, the field, its help, and what is wrong. */
function Labelled({
  schema: given,
  root,
  path,
  misfits,
  name,
  required,
  children,
}: FieldProps & { name: string; children: (id: string, help: string) => ReactNode }) {
  const help = useId();
  const schema = resolved(given, root);
  const wrong = misfits.filter((one) => same(one.path, path));
  return (
    <div className="min-w-0 text-sm">
      <label htmlFor={placed(path)} className="font-medium">
        {name}
        {required && <span className="text-muted"> (needed)</span>}
      </label>
      {children(placed(path), help)}
      <p id={help} className="mt-0.5 text-muted text-xs">
        {schema.description}
      </p>
      {wrong.map((one) => (
        <p key={one.message} role="alert" className="text-bad text-xs">
          {one.message}
        </p>
      ))}
    </div>
  );
}

/** What was typed, until it is what it should be: half a number is not taken for one. */
function TypedField(props: FieldProps & { kind: "number" | "text" | "list"; name: string }) {
  const { value, kind, root, schema, path, onChange, misfits } = props;
  const said = shown(value, kind);
  const [typed, setTyped] = useState(said);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was typed here is not taken back by what it means
  useEffect(() => {
    if (shown(meaning(typed, kind), kind) !== said) setTyped(said);
  }, [said]);
  const of = bounds(schema, root);
  const wrong = misfits.some((one) => same(one.path, path));
  return (
    <Labelled {...props}>
      {(id, help) => (
        <input
          id={id}
          aria-describedby={help}
          aria-invalid={wrong}
          inputMode={kind === "number" ? "decimal" : "text"}
          className={cx(FIELD, kind === "number" && "figures", wrong && "!border-bad")}
          placeholder={fallback(schema) ?? (kind === "list" ? "one, two, three" : range(of))}
          value={typed}
          maxLength={kind === "text" ? of.maxLength : undefined}
          onChange={(event) => {
            setTyped(event.target.value);
            onChange(path, meaning(event.target.value, kind));
          }}
        />
      )}
    </Labelled>
  );
}

const range = (of: Schema): string =>
  of.minimum !== undefined && of.maximum !== undefined && of.maximum < 1e9
    ? `${of.minimum} to ${of.maximum}`
    : "";

function shown(value: unknown, kind: string): string {
  if (value === undefined || value === null) return "";
  if (kind === "list" && Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A number where it is one; what is none is kept as text, so that it is told and not lost. */
function meaning(text: string, kind: string): unknown {
  if (text.trim() === "") return undefined;
  if (kind === "text") return text;
  const number = (one: string): unknown => (one !== "" && Number.isFinite(Number(one)) ? Number(one) : one);
  if (kind === "number") return number(text.trim());
  const parts = text.split(",").map((one) => one.trim());
  return parts.filter((one) => one !== "");
}

function YesField(props: FieldProps & { name: string }) {
  const { value, schema, root, path, onChange, name } = props;
  const known = resolved(schema, root);
  const help = useId();
  return (
    <div className="text-sm">
      <label className="flex items-center gap-2 font-medium">
        <input
          id={placed(path)}
          type="checkbox"
          className="size-4 accent-accent"
          aria-describedby={help}
          checked={(value ?? known.default ?? false) === true}
          onChange={(event) =>
            onChange(path, event.target.checked === known.default ? undefined : event.target.checked)
          }
        />
        {name}
      </label>
      <p id={help} className="mt-0.5 text-muted text-xs">
        {known.description}
      </p>
    </div>
  );
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

function Group({ name, help, children }: { name: string; help?: string | undefined; children: ReactNode }) {
  return (
    <details className="col-span-full rounded-md border border-line px-3 py-2 text-sm">
      <summary className="font-medium">
        {name} {help && <span className="font-normal text-muted text-xs">{help}</span>}
      </summary>
      <div className="mt-3 space-y-3">{children}</div>
    </details>
  );
}

function ObjectField({
  fields,
  name,
  ...props
}: FieldProps & { fields: Record<string, Schema>; name: string }) {
  const known = resolved(props.schema, props.root);
  return (
    <Group name={name} help={known.description}>
      <SchemaFields
        {...props}
        fields={Object.entries(fields)}
        value={asObject(props.value)}
        required={known.required ?? []}
      />
    </Group>
  );
}

function MapField({ of, name, ...props }: FieldProps & { of: Schema; name: string }) {
  const [key, setKey] = useState("");
  const value = asObject(props.value);
  const { schema, path, onChange, root } = props;
  return (
    <Group name={`${name} (${Object.keys(value).length})`} help={resolved(schema, root).description}>
      {Object.entries(value).map(([one, inner]) => (
        <div key={one} className="flex items-start gap-2">
          <div className="min-w-0 flex-1">
            <SchemaField {...props} schema={of} path={[...path, one]} value={inner ?? {}} label={one} />
          </div>
          <Button
            look="quiet"
            aria-label={`take out ${one}`}
            onClick={() => onChange([...path, one], undefined)}
          >
            ✕
          </Button>
        </div>
      ))}
      <div className="flex gap-2">
        <input
          aria-label={`a name among ${name}`}
          placeholder="name"
          className={cx(FIELD, "!w-40")}
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <Button
          disabled={key.trim() === "" || key.trim() in value}
          onClick={() => {
            onChange([...path, key.trim()], initial(of, root));
            setKey("");
          }}
        >
          Add
        </Button>
      </div>
    </Group>
  );
}

function ListField({ of, name, ...props }: FieldProps & { of: Schema; name: string }) {
  const value = Array.isArray(props.value) ? (props.value as unknown[]) : [];
  const { schema, path, onChange, root } = props;
  return (
    <Group name={`${name} (${value.length})`} help={resolved(schema, root).description}>
      {value.map((inner, at) => (
        <div key={at} className="flex items-start gap-2">
          <div className="min-w-0 flex-1">
            <SchemaField {...props} schema={of} path={[...path, at]} value={inner} label={`${at + 1}`} />
          </div>
          <Button
            look="quiet"
            aria-label={`take out ${at + 1}`}
            onClick={() => onChange([...path, at], undefined)}
          >
            ✕
          </Button>
        </div>
      ))}
      <Button onClick={() => onChange([...path, value.length], initial(of, root))}>Add one</Button>
    </Group>
  );
}
