// Every agent's figures after the turn that is looked at; a column's name chooses the curve above.
import { memo } from "react";
import { figure, spoken, whole } from "~/lib/format";
import { cx } from "~/ui/kit";
import type { Scores } from "./live";

export const FiguresTable = memo(function FiguresTable({
  metrics,
  names,
  chosen,
  turn,
  onChoose,
}: {
  metrics: Scores;
  names: readonly string[];
  chosen: string | undefined;
  turn: number;
  onChoose: (name: string) => void;
}) {
  const agents = Object.keys(metrics).sort((a, b) => Number(b === "world") - Number(a === "world"));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label="figures of each agent" tabIndex={0} className="max-h-96 overflow-auto">
      <table className="figures w-full border-collapse text-right text-sm">
        <caption className="sr-only">figures after turn {turn}</caption>
        <thead className="sticky top-0 z-10 bg-surface">
          <tr>
            <th scope="col" className="sticky left-0 bg-surface px-2 py-1 text-left font-medium text-muted">
              agent
            </th>
            {names.map((name) => (
              <th key={name} scope="col" className="whitespace-nowrap px-2 py-1 font-normal">
                <button
                  type="button"
                  aria-pressed={name === chosen}
                  title={`draw ${spoken(name)}`}
                  onClick={() => onChoose(name)}
                  className={cx(
                    "rounded px-1 hover:bg-raised",
                    name === chosen ? "font-semibold text-accent" : "text-muted",
                  )}
                >
                  {spoken(name)}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <tr key={agent} className="border-line border-t">
              <th
                scope="row"
                className="sticky left-0 whitespace-nowrap bg-surface px-2 py-1 text-left font-medium"
              >
                {agent}
              </th>
              {names.map((name) => {
                const value = metrics[agent]?.[name];
                return (
                  <td
                    key={name}
                    title={value === undefined ? undefined : whole(value)}
                    className={cx("whitespace-nowrap px-2 py-1", name === chosen && "bg-accent-soft")}
                  >
                    {value === undefined ? "" : figure(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
});
