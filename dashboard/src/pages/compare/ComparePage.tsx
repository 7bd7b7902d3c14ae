// Runs over one another: where they part, what differs most, and what a change did.
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { api, type Schemas, told } from "~/api/client";
import { worldQuery } from "~/api/queries";
import { type Message, useChannel } from "~/api/stream";
import { Card, Head } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { ChangedCard } from "./ChangedCard";
import { AddRun, Chosen, TurnField } from "./Chosen";
import { chosenMetric, fairTurn, idsOf, metricKey, ranked } from "./differences";
import { MetricCurves } from "./MetricCurves";
import { Partings } from "./Partings";
import { Table } from "./Table";

export function ComparePage() {
  const search = useSearch({ from: "/compare" });
  const navigate = useNavigate();
  const ids = useMemo(() => idsOf(search.runs), [search.runs]);
  const change = useCallback(
    (next: { runs?: string[]; turn?: number | null; metric?: string }) =>
      void navigate({
        to: "/compare",
        replace: true,
        resetScroll: false,
        search: (now) => {
          const { turn, ...rest } = now as { runs?: string; turn?: number; metric?: string };
          const at = next.turn === undefined ? turn : next.turn;
          return {
            ...rest,
            ...(next.runs && { runs: next.runs.join(",") }),
            ...(next.metric && { metric: next.metric }),
            ...(at !== null && at !== undefined && { turn: at }),
          };
        },
      }),
    [navigate],
  );
  const compared = useCompared(ids, search.turn);
  return (
    <>
      <Head title="Compare" about="Runs beside the first one, which is the yardstick." />
      {ids.length < 2 ? (
        <TooFew ids={ids} onRuns={(runs) => change({ runs })} />
      ) : compared.data ? (
        <Told
          done={compared.data}
          ids={ids}
          turn={search.turn}
          metric={search.metric}
          change={change}
          error={compared.error}
        />
      ) : compared.error ? (
        <>
          <Trouble error={compared.error} retry={() => void compared.refetch()} />
          <div className="mt-4">
            <AddRun ids={ids} onAdd={(id) => change({ runs: [...ids, id] })} />
          </div>
        </>
      ) : (
        <Loading what="comparing" rows={8} />
      )}
    </>
  );
}

/** What the server says of these runs; asked again while one of them is played, every two seconds at most. */
function useCompared(ids: string[], turn: number | undefined) {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ["compare", ids, { turn }],
    queryFn: ({ signal }) =>
      told(api.POST("/api/compare", { body: { runs: ids, ...(turn !== undefined && { turn }) }, signal })),
    enabled: ids.length >= 2,
    placeholderData: keepPreviousData,
  });
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(later.current), []);
  const mine = new Set(query.data?.runs.map((one) => one.run_id));
  useChannel(ids.length >= 2 ? "runs" : null, (message: Message) => {
    if (!message.run_id || !mine.has(message.run_id) || later.current !== undefined) return;
    later.current = setTimeout(() => {
      later.current = undefined;
      void client.invalidateQueries({ queryKey: ["compare"] });
      void client.invalidateQueries({ queryKey: ["curve"] });
    }, 2_000);
  });
  return query;
}

function TooFew({ ids, onRuns }: { ids: string[]; onRuns: (runs: string[]) => void }) {
  return (
    <div className="space-y-4">
      <Empty
        title={ids.length === 1 ? `${ids[0]}, and which other?` : "Which runs?"}
        command="windtunnel compare RUN RUN"
      >
        Choose two or more here, or mark them in the list of runs with <kbd>x</kbd> and press <kbd>c</kbd>.
      </Empty>
      <AddRun ids={ids} onAdd={(id) => onRuns([...ids, id])} open />
    </div>
  );
}

function Told({
  done,
  ids,
  turn,
  metric,
  change,
  error,
}: {
  done: Schemas["Compared"];
  ids: string[];
  turn: number | undefined;
  metric: string | undefined;
  change: (next: { runs?: string[]; turn?: number | null; metric?: string }) => void;
  error: unknown;
}) {
  const about = useQuery(worldQuery(done.runs[0]?.world ?? ""));
  const headline = about.data?.headline ?? [];
  const rows = useMemo(() => ranked(done.rows), [done.rows]);
  const shown = chosenMetric(rows, metric, headline);
  const fair = turn === undefined ? fairTurn(done.runs) : null;
  return (
    <div className="space-y-4">
      <Chosen done={done} onRuns={(runs) => change({ runs })} />
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <AddRun ids={ids} onAdd={(id) => change({ runs: [...ids, id] })} />
        <TurnField
          turn={turn}
          last={Math.max(...done.runs.map((one) => one.turn))}
          fair={fair}
          onTurn={(at) => change({ turn: at })}
        />
      </div>
      {Boolean(error) && <Trouble error={error} />}
      {done.changed.map((one) => (
        <ChangedCard
          key={JSON.stringify([one.parent, one.at, one.changes, one.branches])}
          changed={one}
          headline={headline}
          onMetric={(name) => change({ metric: name })}
        />
      ))}
      {shown && (
        <MetricCurves
          done={done}
          rows={rows}
          shown={shown}
          turn={turn}
          onTurn={(at) => change({ turn: at })}
          onMetric={(name) => change({ metric: name })}
        />
      )}
      <Partings done={done} />
      <Card title="What differs most">
        <Table
          rows={rows}
          runs={done.runs}
          shown={shown && metricKey(shown.agent, shown.name)}
          onMetric={(name) => change({ metric: name })}
        />
      </Card>
    </div>
  );
}
