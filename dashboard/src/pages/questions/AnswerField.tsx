// One field of an answer: what may stand in it beside it, and what is wrong with it below.
import { useId } from "react";
import { spoken } from "~/lib/format";
import { Button, cx, FIELD } from "~/ui/kit";
import { bounds, type Field, type Typed } from "./answering";

interface Props {
  field: Field;
  label: string;
  typed: Typed[string];
  error: string | undefined;
  names: string[];
  onType: (value: Typed[string]) => void;
}

export function AnswerField(props: Props) {
  const { field, label, typed, error, onType } = props;
  const id = useId();
  const about = [bounds(field), field.required ? "" : "may be left empty"].filter(Boolean).join("; ");
  const described = { "aria-describedby": `${id}-about ${id}-error`, "aria-invalid": error !== undefined };
  if (field.kind === "map") return <MapField {...props} typed={Array.isArray(typed) ? typed : []} />;
  if (field.kind === "boolean")
    return (
      <label className="flex items-center gap-2 text-sm">
        <input
          type="checkbox"
          checked={typed === true}
          onChange={(event) => onType(event.target.checked)}
          className="accent-accent"
        />
        {label}
      </label>
    );
  const text = String(typed);
  const long = field.kind === "json" || field.kind === "text";
  return (
    <div>
      <label htmlFor={id} className="text-sm">
        {label}
      </label>{" "}
      <span id={`${id}-about`} className="text-muted text-xs">
        {field.kind === "json" ? ["as JSON", about].filter(Boolean).join("; ") : about}
      </span>
      {field.help && <p className="text-muted text-xs">{field.help}</p>}
      {field.kind === "choice" ? (
        <select
          id={id}
          className={FIELD}
          value={text}
          onChange={(e) => onType(e.target.value)}
          {...described}
        >
          {!field.choices.includes(text) && <option value="" />}
          {field.choices.map((one) => (
            <option key={one} value={one}>
              {spoken(one)}
            </option>
          ))}
        </select>
      ) : long ? (
        <textarea
          id={id}
          rows={3}
          className={cx(FIELD, field.kind === "json" && "font-mono")}
          value={text}
          onChange={(event) => onType(event.target.value)}
          {...described}
        />
      ) : (
        <input
          id={id}
          inputMode="decimal"
          autoComplete="off"
          className={cx(FIELD, "figures")}
          value={text}
          onChange={(event) => onType(event.target.value)}
          {...described}
        />
      )}
      <Wrong id={`${id}-error`} error={error} />
    </div>
  );
}

const Wrong = ({ id, error }: { id: string; error: string | undefined }) => (
  <p id={id} role={error ? "alert" : undefined} className="min-h-5 pt-0.5 text-bad text-xs">
    {error}
  </p>
);

function MapField({ field, label, typed, error, names, onType }: Props & { typed: [string, string][] }) {
  const id = useId();
  const set = (at: number, row: [string, string]) =>
    onType(typed.map((one, index) => (index === at ? row : one)));
  const used = new Set(typed.map(([name]) => name));
  const next = names.find((name) => !used.has(name)) ?? "";
  return (
    <fieldset>
      <legend className="text-sm">
        {label} <span className="text-muted text-xs">{bounds(field)}; who is not named keeps theirs</span>
      </legend>
      {field.help && <p className="text-muted text-xs">{field.help}</p>}
      <datalist id={id}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <div className="space-y-1">
        {typed.map(([name, value], at) => (
          <div key={at} className="flex gap-1">
            <input
              aria-label={`${label}: name`}
              list={id}
              className={FIELD}
              value={name}
              onChange={(event) => set(at, [event.target.value, value])}
            />
            <input
              aria-label={`${label}: value for ${name || "it"}`}
              inputMode="decimal"
              className={cx(FIELD, "figures")}
              value={value}
              onChange={(event) => set(at, [name, event.target.value])}
            />
            <Button
              look="quiet"
              aria-label={`take ${name || "this row"} out`}
              onClick={() => onType(typed.filter((_, index) => index !== at))}
            >
              ✕
            </Button>
          </div>
        ))}
      </div>
      <Button className="mt-1" onClick={() => onType([...typed, [next, ""]])}>
        Add {next || "a row"}
      </Button>
      <Wrong id={`${id}-error`} error={error} />
    </fieldset>
  );
}
