// One metric of all runs, over one another.
import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { api, type Schemas, told } from "~/api/client";
import { Curves, type Series } from "~/charts/Curves";
import { spoken } from "~/lib/format";
import { Card, cx, FIELD } from "~/ui/kit";
import { metricKey, partOf, type Ranked } from "./differences";
import { colourFor } from "./lines";

export function MetricCurves({
  done,
  rows,
  shown,
  turn,
  onTurn,
  onMetric,
}: {
  done: Schemas["Compared"];
  rows: readonly Ranked[];
  shown: Ranked;
  turn: number | undefined;
  onTurn: (turn: number) => void;
  onMetric: (metric: string) => void;
}) {
  const { agent, name } = shown;
  const asked = useQueries({
    queries: done.runs.map((run) => ({
      queryKey: ["curve", run.run_id, agent, name],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        told(
          api.GET("/api/simulations/{run_id}/metrics", {
            params: { path: { run_id: run.run_id }, query: { agent, name, points: 400 } },
            signal,
          }),
        ),
      placeholderData: keepPreviousData,
    })),
  });
  const series: Series[] = done.runs.flatMap((run, at) => {
    const curve = asked[at]?.data?.curves.find((one) => one.agent === agent && one.name === name);
    if (!curve) return [];
    const part = partOf(run.run_id, done.changed);
    return [
      {
        id: run.run_id,
        label: `${run.run_id}${part ? ` ${part}` : ""}`,
        turns: curve.turns,
        values: curve.values,
        colour: colourFor(run.run_id, at, done.changed),
      },
    ];
  });
  const marks = [...new Set(done.changed.map((one) => one.at))].map((at) => ({ turn: at, label: "fork" }));
  const agents = Map.groupBy(
    [...rows].sort((a, b) => a.agent.localeCompare(b.agent) || a.name.localeCompare(b.name)),
    (one) => one.agent,
  );
  return (
    <Card
      title={`${spoken(name)} of ${agent === "world" ? "the world" : agent}`}
      aside={
        <select
          aria-label="which metric"
          className={cx(FIELD, "!w-auto max-w-full")}
          value={metricKey(agent, name)}
          onChange={(event) => onMetric(event.target.value)}
        >
          {[...agents].map(([one, of]) => (
            <optgroup key={one} label={one}>
              {of.map((row) => (
                <option key={row.name} value={metricKey(one, row.name)}>
                  {spoken(row.name)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      }
    >
      <Curves
        series={series}
        turn={turn}
        onTurn={onTurn}
        marks={marks}
        label={`${spoken(name)} of ${agent}`}
      />
    </Card>
  );
}
