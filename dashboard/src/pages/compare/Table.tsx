// Every metric of every run, the largest difference first.
import { useState } from "react";
import type { Run } from "~/api/client";
import { change, figure, spoken, whole } from "~/lib/format";
import { Button, cx, FIELD } from "~/ui/kit";
import { metricKey, type Ranked } from "./differences";

const FIRST = 20;

export function Table({
  rows,
  runs,
  shown,
  onMetric,
}: {
  rows: readonly Ranked[];
  runs: readonly Run[];
  shown: string | undefined;
  onMetric: (metric: string) => void;
}) {
  const [all, setAll] = useState(false);
  const [sought, setSought] = useState("");
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = rows.filter((one) =>
    words.every((word) => `${one.agent} ${one.name} ${spoken(one.name)}`.toLowerCase().includes(word)),
  );
  const differing = fitting.filter((one) => one.share === null || one.share > 0);
  const told = all ? fitting : differing.slice(0, FIRST);
  return (
    <>
      <div className="mb-2 flex flex-wrap items-center gap-2 text-sm">
        <input
          type="search"
          aria-label="search metrics"
          placeholder="agent or metric"
          className={cx(FIELD, "!w-48")}
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
        <Button aria-pressed={all} onClick={() => setAll(!all)}>
          {all ? "Only what differs most" : `All ${fitting.length}`}
        </Button>
        <span role="status" className="text-muted text-xs">
          {differing.length} of {fitting.length} differ
        </span>
      </div>
      <section
        className="relative max-h-[36rem] overflow-auto"
        aria-label="metrics side by side"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
      >
        <table className="w-full text-sm">
          <thead className="sticky top-0 bg-surface text-muted text-xs">
            <tr className="border-line border-b text-left">
              <th scope="col" className="py-1 pr-3 font-medium">
                metric
              </th>
              {runs.map((run, at) => (
                <th key={run.run_id} scope="col" className="px-2 py-1 text-right font-medium font-mono">
                  {run.run_id}
                  {at === 0 && <span className="block font-sans font-normal">yardstick</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {told.map((row) => (
              <Line
                key={metricKey(row.agent, row.name)}
                row={row}
                chosen={metricKey(row.agent, row.name) === shown}
                onMetric={onMetric}
              />
            ))}
          </tbody>
        </table>
        {told.length === 0 && (
          <p className="py-4 text-muted text-sm">
            {fitting.length === 0
              ? "no metric is like that"
              : "nothing differs: after this turn they are equal"}
          </p>
        )}
      </section>
    </>
  );
}

function Line({
  row,
  chosen,
  onMetric,
}: {
  row: Ranked;
  chosen: boolean;
  onMetric: (metric: string) => void;
}) {
  const base = row.values[0] ?? null;
  return (
    <tr className={cx("border-line border-b last:border-0", chosen && "bg-accent-soft")}>
      <th scope="row" className="min-w-40 py-1 pr-3 text-left font-normal">
        <button
          type="button"
          aria-pressed={chosen}
          title="show its curves"
          onClick={() => onMetric(metricKey(row.agent, row.name))}
          className="text-left hover:underline"
        >
          {spoken(row.name)} <span className="text-muted text-xs">{row.agent}</span>
        </button>
      </th>
      {row.values.map((value, at) => {
        const apart = row.differences[at];
        return (
          <td key={at} className="figures whitespace-nowrap px-2 py-1 text-right align-top">
            <span title={value === null ? "it has none" : whole(value)}>{figure(value)}</span>
            {at > 0 && (
              <span className="block text-muted text-xs">
                {apart === null || apart === undefined
                  ? ""
                  : apart === 0
                    ? "equal"
                    : base
                      ? change(apart / Math.abs(base))
                      : `${apart > 0 ? "+" : ""}${figure(apart)}`}
              </span>
            )}
          </td>
        );
      })}
    </tr>
  );
}
