// What several kinds of panels are made of.
import { type ReactNode, useId, useState } from "react";
import { cx, Words } from "~/ui/kit";
import { type Cell, exact, number, pairs, said } from "../said";

export const None = ({ children }: { children: ReactNode }) => (
  <p className="rounded-md border border-line border-dashed px-3 py-4 text-center text-muted text-sm">
    {children}
  </p>
);

export const More = ({ children }: { children: ReactNode }) => (
  <p className="mt-2 text-muted text-xs">{children}</p>
);

/** What is wider or higher than its place: reached and moved by keyboard as well. */
export function Sheet({ label, children, high }: { label: string; children: ReactNode; high?: boolean }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      // What is said only to those who do not see stands absolutely: without a place of its own here, it would widen the page.
      className={cx("relative", high ? "max-h-[28rem] overflow-auto" : "overflow-x-auto")}
    >
      {children}
    </section>
  );
}

/** A cell as it is said. Whatever is text came out of the run, and is shown as text. */
export function Value({ cell, unit = "" }: { cell: Cell; unit?: string }) {
  if (typeof cell === "number")
    return (
      <span className="figures" title={exact(cell, unit)}>
        {number(cell)}
      </span>
    );
  if (cell === null || cell === "") return <span className="text-muted">–</span>;
  if (typeof cell === "string" && cell.length > LONG) return <Long text={cell} />;
  return <span className="whitespace-pre-wrap">{said(cell)}</span>;
}

const LONG = 140;

function Long({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const name = useId();
  return (
    <span className="block min-w-48">
      <span id={name} className="whitespace-pre-wrap">
        {open ? text : `${text.slice(0, LONG)}…`}
      </span>{" "}
      <button
        type="button"
        aria-expanded={open}
        aria-describedby={name}
        onClick={() => setOpen(!open)}
        className="rounded text-accent text-xs underline"
      >
        {open ? "less" : "all of it"}
      </button>
    </span>
  );
}

/** What somebody wrote or did: a flat record as its parts, anything else as the words that it is. */
export function Body({ text }: { text: string }) {
  const record = pairs(text);
  if (!record) return <Words flows>{text}</Words>;
  if (record.length === 0) return <p className="text-muted text-xs">nothing more</p>;
  return (
    <dl className="flex flex-wrap gap-x-4 gap-y-0.5 border-line border-l-4 bg-ground px-3 py-1.5 text-xs">
      {record.map(([name, value]) => (
        <div key={name} className="flex min-w-0 gap-1.5">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 whitespace-pre-wrap font-mono">
            <Value cell={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
