// A value of any shape, exactly as it is: what is deep is closed, and drawn when it is opened. Always text.
import { useState } from "react";
import { cx } from "./kit";

const SHOWN = 200;
const LONG = 400;

export function Tree({ value, name, open = false }: { value: unknown; name?: string; open?: boolean }) {
  return (
    <div className="min-w-0 overflow-x-auto font-mono text-xs leading-5">
      <Node value={value} {...(name !== undefined && { name })} open={open} />
    </div>
  );
}

function Node({ value, name, open = false }: { value: unknown; name?: string; open?: boolean }) {
  const [shown, setShown] = useState(open);
  const [most, setMost] = useState(SHOWN);
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0)
    return (
      <div className="pl-4">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  const all = Object.entries(value);
  const list = Array.isArray(value);
  return (
    <div>
      <button
        type="button"
        aria-expanded={shown}
        onClick={() => setShown(!shown)}
        className="max-w-full rounded px-0.5 text-left hover:bg-raised"
      >
        <span aria-hidden className="inline-block w-3.5 text-muted">
          {shown ? "▾" : "▸"}
        </span>
        <Name name={name} />
        <span className="text-muted">{list ? `[${all.length}]` : `{${all.length}}`}</span>
        {!shown && <span className="text-muted"> {glance(value)}</span>}
      </button>
      {shown && (
        <div className="ml-1.5 border-line border-l pl-2">
          {all.slice(0, most).map(([key, one]) => (
            <Node key={key} name={key} value={one} />
          ))}
          {all.length > most && (
            <button type="button" className="pl-4 text-accent" onClick={() => setMost(most + 5 * SHOWN)}>
              {(all.length - most).toLocaleString("en")} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

const Name = ({ name }: { name: string | undefined }) =>
  name === undefined ? null : (
    <>
      <span className="text-accent">{name}</span>
      <span className="text-muted">: </span>
    </>
  );

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const cut = text.length > LONG && !whole;
  return (
    <>
      <span
        className={cx(
          "whitespace-pre-wrap break-words",
          typeof value === "string" ? "text-good" : "text-ink",
        )}
      >
        {cut ? text.slice(0, LONG) : text}
      </span>
      {cut && (
        <button type="button" className="text-accent" onClick={() => setWhole(true)}>
          … {(text.length - LONG).toLocaleString("en")} more characters
        </button>
      )}
    </>
  );
}

/** The first plain things in it, so that one need not open it to know what it is. */
export function glance(value: object, most = 60): string {
  const parts: string[] = [];
  for (const [key, one] of Object.entries(value)) {
    if (typeof one === "object" && one !== null) continue;
    parts.push(
      Array.isArray(value) ? String(one) : `${key} ${typeof one === "number" ? +one.toPrecision(4) : one}`,
    );
    if (parts.join(", ").length > most) break;
  }
  const said = parts.join(", ");
  return said.length > most ? `${said.slice(0, most)}…` : said;
}
