// A value as people read it: figures beside their names, like things in a table, what is deeper can be opened.
// Everything here may have been written by an agent or a world, so it is text, and nothing else.
import type { ReactNode } from "react";
import { tabled } from "~/lib/data";
import { digits, spoken, whole } from "~/lib/format";
import { cx } from "./kit";

const DEEP = 6;

export function Data({ value, label }: { value: unknown; label: string }) {
  return <Value value={value} label={label} depth={0} />;
}

function Value({ value, label, depth }: { value: unknown; label: string; depth: number }): ReactNode {
  if (typeof value !== "object" || value === null) return <Plain value={value} />;
  const rows = tabled(value);
  if (rows && rows.length === 0) return <span className="text-muted">none</span>;
  if (depth >= DEEP) return <code className="font-mono text-xs">{JSON.stringify(value)}</code>;
  if (rows) return <Rows rows={rows} label={label} />;
  if (Array.isArray(value)) return <Items items={value} label={label} depth={depth} />;
  return <Fields all={Object.entries(value)} depth={depth} />;
}

function Plain({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="text-muted">–</span>;
  if (typeof value === "number")
    return (
      <span className="figures" title={whole(value)}>
        {digits(value)}
      </span>
    );
  if (typeof value === "boolean") return <span>{value ? "yes" : "no"}</span>;
  return <span className="whitespace-pre-wrap break-words">{String(value)}</span>;
}

const flat = (value: unknown): boolean =>
  typeof value !== "object" || value === null || Object.keys(value).length === 0;

function Fields({ all, depth }: { all: [string, unknown][]; depth: number }) {
  const plain = all.filter(([, value]) => flat(value));
  const deep = all.filter(([, value]) => !flat(value));
  return (
    <div className="min-w-0 space-y-3">
      {plain.length > 0 && (
        <dl className="grid grid-cols-[repeat(auto-fill,minmax(9rem,1fr))] gap-x-4 gap-y-2">
          {plain.map(([name, value]) => (
            <div key={name} className="min-w-0">
              <dt className="text-muted text-xs">{spoken(name)}</dt>
              <dd className="text-sm">
                <Value value={value} label={name} depth={depth + 1} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {deep.map(([name, value]) => (
        <details key={name} open={depth < 2} className="min-w-0">
          <summary className="font-medium text-sm">{spoken(name)}</summary>
          <div className={cx("mt-1 min-w-0 pl-3", depth > 0 && "border-line border-l")}>
            <Value value={value} label={spoken(name)} depth={depth + 1} />
          </div>
        </details>
      ))}
    </div>
  );
}

function Items({ items, label, depth }: { items: unknown[]; label: string; depth: number }) {
  return (
    <ol className="space-y-1 text-sm">
      {items.map((one, at) => (
        <li key={at} className={cx(!flat(one) && "border-line border-l pl-3")}>
          <Value value={one} label={`${label} ${at + 1}`} depth={depth + 1} />
        </li>
      ))}
    </ol>
  );
}

function Rows({ rows, label }: { rows: [string, Record<string, unknown>][]; label: string }) {
  const columns = [...new Set(rows.flatMap(([, row]) => Object.keys(row)))];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label={label} tabIndex={0} className="max-w-full overflow-x-auto">
      <table className="text-sm whitespace-nowrap">
        <thead>
          <tr className="border-line border-b text-left text-muted text-xs">
            <th scope="col" className="py-1 pr-4 font-normal">
              <span className="sr-only">which</span>
            </th>
            {columns.map((name) => (
              <th key={name} scope="col" className="py-1 pr-4 text-right font-normal">
                {spoken(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, row]) => (
            <tr key={name} className="border-line/60 border-b last:border-0">
              <th scope="row" className="py-1 pr-4 text-left font-medium whitespace-nowrap">
                {name}
              </th>
              {columns.map((column) => (
                <td key={column} className="py-1 pr-4 text-right">
                  <Plain value={row[column]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
