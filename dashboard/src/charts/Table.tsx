// The same figures as a table, for who reads rather than looks.
import { whole } from "~/lib/format";
import { cx } from "~/ui/kit";
import { aligned, nearest, type Range, type Series, sampled } from "./series";

const ROWS = 200;

export function Figures({
  series,
  height,
  range,
  turn,
  unit,
  label,
  step,
}: {
  series: readonly Series[];
  height: number;
  range: Range | null;
  turn: number | undefined;
  unit: string | undefined;
  label: string;
  step: string;
}) {
  const { turns, columns } = aligned(series);
  const shown = range ? turns.filter((one) => one >= range.first && one <= range.last) : turns;
  const rows = sampled(shown, ROWS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label={`${label} as a table`} tabIndex={0} className="overflow-auto" style={{ height }}>
      <table className="figures w-full border-collapse text-right text-sm">
        <caption className="sr-only">
          {label}
          {unit && `, ${unit}`}
          {rows.length < shown.length && `, ${rows.length} of ${shown.length} ${step}s`}
        </caption>
        <thead>
          <tr className="sticky top-0 bg-surface">
            <th scope="col" className="px-2 py-1 font-medium">
              {step}
            </th>
            {series.map((one) => (
              <th key={one.id} scope="col" className="px-2 py-1 font-medium">
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const at = nearest(turns, row);
            return (
              <tr key={row} className={cx("border-line border-t", row === turn && "bg-accent-soft")}>
                <th scope="row" className="px-2 py-0.5 font-normal text-muted">
                  {row.toLocaleString("en")}
                </th>
                {series.map((one, column) => {
                  const value = columns[column]?.[at];
                  return (
                    <td key={one.id} className="px-2 py-0.5">
                      {value === null || value === undefined ? "–" : whole(value)}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
