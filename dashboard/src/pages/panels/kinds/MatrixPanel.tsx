// A number for each pair of names. Its colour says how large it is, its sign what it is: nobody needs the colour.
import { cx } from "~/ui/kit";
import { ground, most, signed } from "../heat";
import type { PartOf } from "../PanelFrame";
import { amount, exact, more, number } from "../said";
import { More, None, Sheet } from "./parts";

export function MatrixPanel({ panel, data, part }: PartOf<"matrix">) {
  if (data.rows.length === 0 || data.columns.length === 0)
    return <None>Nothing stands between any two of them yet.</None>;
  const top = most(data.cells);
  const label = part.agent ? `${panel.title}: ${part.agent}` : panel.title;
  return (
    <>
      <Sheet label={label}>
        <table className="figures w-full border-separate border-spacing-px text-sm [overflow-wrap:break-word]">
          <caption className="sr-only">{label}</caption>
          <thead>
            <tr>
              <td className="sticky left-0 z-10 bg-surface" />
              {data.columns.map((name) => (
                <th
                  key={name}
                  scope="col"
                  className="min-w-14 px-1.5 py-1 text-right align-bottom font-medium text-xs"
                >
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.rows.map((name, row) => (
              <tr key={name} className="group">
                <th
                  scope="row"
                  className="sticky left-0 z-10 max-w-32 bg-surface px-1.5 py-1 text-left font-medium text-xs group-hover:bg-raised"
                >
                  {name}
                </th>
                {data.columns.map((column, at) => (
                  <Heat
                    key={column}
                    value={data.cells[row]?.[at] ?? null}
                    top={top}
                    unit={panel.unit}
                    pair={`${name}, ${column}`}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Sheet>
      {top > 0 && <Scale top={top} unit={panel.unit} both={signed(data.cells)} />}
      {data.more > 0 && <More>{more(data.more, "cells")}</More>}
    </>
  );
}

function Heat({ value, top, unit, pair }: { value: number | null; top: number; unit: string; pair: string }) {
  return (
    <td
      title={value === null ? `${pair}: nothing` : `${pair}: ${exact(value, unit)}`}
      className={cx(
        "whitespace-nowrap rounded-sm px-1.5 py-1 text-right outline-accent hover:outline-2",
        !value && "text-muted",
      )}
      style={{ background: ground(value, top) }}
    >
      {value === null ? <span className="sr-only">nothing</span> : number(value)}
    </td>
  );
}

const STEPS = [1, 0.5, 0.1];

/** What the colours stand for. */
function Scale({ top, unit, both }: { top: number; unit: string; both: boolean }) {
  const steps = [...(both ? STEPS.map((share) => -share) : []), 0, ...[...STEPS].reverse()];
  return (
    <ul aria-label="what the colours stand for" className="figures mt-2 flex flex-wrap gap-px text-xs">
      {steps.map((share) => (
        <li
          key={share}
          className="min-w-12 rounded-sm px-1.5 py-0.5 text-center"
          style={{ background: ground(share * top, top) }}
        >
          {share === 0 ? "0" : amount(share * top, Math.abs(share) === 1 ? unit : unit === "%" ? "%" : "")}
        </li>
      ))}
    </ul>
  );
}
