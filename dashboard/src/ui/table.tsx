// A plain table that scrolls within itself where a phone is too narrow for it.
import type { ReactNode } from "react";
import { cx } from "./kit";

export interface TableRow {
  key: string;
  cells: ReactNode[];
  dim?: boolean;
}

export function Table({
  label,
  columns,
  rows,
  right = [],
}: {
  label: string;
  columns: string[];
  rows: TableRow[];
  /** Which columns hold figures. */
  right?: number[];
}) {
  const side = (at: number) => (right.includes(at) ? "figures text-right" : "text-left");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label={label} tabIndex={0} className="max-w-full overflow-x-auto">
      <table className="w-full text-sm [overflow-wrap:normal]">
        <thead>
          <tr className="border-line border-b text-muted text-xs">
            {columns.map((name, at) => (
              <th key={name} scope="col" className={cx("py-1 pr-4 font-normal whitespace-nowrap", side(at))}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.key}
              className={cx("border-line/60 border-b last:border-0", row.dim && "text-muted")}
            >
              {row.cells.map((cell, at) =>
                at === 0 ? (
                  <th key={at} scope="row" className="py-1.5 pr-4 text-left align-top font-normal">
                    {cell}
                  </th>
                ) : (
                  <td key={at} className={cx("py-1.5 pr-4 align-top", side(at))}>
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
