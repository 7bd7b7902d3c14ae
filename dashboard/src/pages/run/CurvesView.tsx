// How a run went: any metric of any agent, live; from a point to what happened in its turn in one step.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useDeferredValue, useMemo, useState } from "react";
import { Curves, type Range } from "~/charts/Curves";
import { change, spoken } from "~/lib/format";
import { useCommands } from "~/lib/keys";
import { ButtonLink, Card, cx, FIELD, LINK } from "~/ui/kit";
import { Asked, Empty, Loading, Trouble } from "~/ui/states";
import { figuresQuery, leapsQuery } from "./asked";
import { FiguresTable } from "./FiguresTable";
import { metricNames } from "./growing";
import { useRun } from "./live";
import { StateAfter } from "./StateAfter";
import { useCurves } from "./useCurves";

const CHIPS = 6;

export function CurvesView() {
  const { run } = useRun();
  const search = useSearch({ from: "/runs/$runId/" });
  const navigate = useNavigate({ from: "/runs/$runId/" });
  const names = useMemo(() => metricNames(run.metrics, run.headline), [run.metrics, run.headline]);
  const metric = search.metric ?? names[0];
  const choose = (next: { metric?: string; agent?: string | undefined }) =>
    void navigate({
      search: (now) => {
        const { agent: _, ...rest } = now;
        const agent = "agent" in next ? next.agent : now.agent;
        return { ...rest, ...(next.metric && { metric: next.metric }), ...(agent && { agent }) };
      },
      replace: true,
      resetScroll: false,
    });
  if (metric === undefined)
    return run.turn === 0 ? (
      <Empty title="Nothing is played yet" command={`windtunnel show ${run.run_id}`}>
        Curves begin with the first turn. This page shows them as soon as it is played.
      </Empty>
    ) : (
      <Empty title="This world scores nothing">
        Its journal and its state are there all the same: look at a turn, or at the journal.
      </Empty>
    );
  return (
    <div className="space-y-4">
      <Card
        title={spoken(metric)}
        aside={<Choice names={names} metric={metric} agent={search.agent} onChoose={choose} />}
      >
        <Drawn metric={metric} agent={search.agent} />
      </Card>
      <AfterTurn names={names} metric={metric} onChoose={(name) => choose({ metric: name })} />
      <StateAfter />
    </div>
  );
}

function Choice({
  names,
  metric,
  agent,
  onChoose,
}: {
  names: readonly string[];
  metric: string;
  agent: string | undefined;
  onChoose: (next: { metric?: string; agent?: string | undefined }) => void;
}) {
  const { run } = useRun();
  const agents = Object.keys(run.metrics);
  const at = names.indexOf(metric);
  const step = (by: number) => {
    const next = names[(at + by + names.length) % names.length];
    if (next) onChoose({ metric: next });
  };
  useCommands([
    { title: "The next metric", key: "m", group: "Run", run: () => step(1) },
    { title: "The metric before", key: "M", group: "Run", run: () => step(-1) },
  ]);
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {names.slice(0, CHIPS).map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === metric}
          onClick={() => onChoose({ metric: name })}
          className={cx(
            "hidden rounded-md px-2 py-1 text-xs sm:block",
            name === metric ? "bg-accent-soft font-medium text-accent" : "text-muted hover:bg-raised",
          )}
        >
          {spoken(name)}
        </button>
      ))}
      <select
        aria-label="metric"
        className={FIELD}
        style={{ width: "9.5rem" }}
        value={metric}
        onChange={(event) => onChoose({ metric: event.target.value })}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {spoken(name)}
          </option>
        ))}
      </select>
      <select
        aria-label="agent"
        className={FIELD}
        style={{ width: "8.5rem" }}
        value={agent ?? ""}
        onChange={(event) => onChoose({ agent: event.target.value || undefined })}
      >
        <option value="">all agents</option>
        {agents.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </div>
  );
}

function Drawn({ metric, agent }: { metric: string; agent: string | undefined }) {
  const { run, turn, fixed, setTurn } = useRun();
  const [range, setRange] = useState<Range | null>(null);
  const { query, series, coming } = useCurves(metric, agent, useDeferredValue(range));
  const leaps = useLeaps(metric, agent);
  if (query.error && series.length === 0)
    return <Trouble error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <Curves
        series={series}
        coming={coming}
        turn={turn}
        onTurn={setTurn}
        marks={(leaps ?? []).map((one) => ({
          turn: one.turn,
          label: `${one.agent}'s ${spoken(metric)} moved most in turn ${one.turn}`,
        }))}
        onRange={setRange}
        label={`${spoken(metric)} of ${run.scenario}`}
      />
      <div className="mt-2 flex min-h-10 flex-wrap items-center gap-x-4 gap-y-2 border-line border-t pt-2 text-sm">
        <ButtonLink
          look={fixed ? "primary" : "plain"}
          to="/runs/$runId/turn"
          params={{ runId: run.run_id }}
          search={{ turn, ...(agent && agent !== "world" && { agent }) }}
        >
          What happened in turn {turn.toLocaleString("en")}
        </ButtonLink>
        <Moves leaps={leaps} onTurn={setTurn} />
      </div>
    </>
  );
}

const MARKS = 8;

function useLeaps(metric: string, agent: string | undefined) {
  const { run } = useRun();
  // Where a curve moved most is asked anew when it is twice as long, and when it has ended.
  const done = ["completed", "failed", "cancelled", "paused"].includes(run.status);
  const upto = done ? run.turn : 2 ** Math.floor(Math.log2(Math.max(1, run.turn)));
  const { data } = useQuery(leapsQuery(run.run_id, metric, upto));
  return data?.leaps
    .filter((one) => one.name === metric && (agent === undefined || one.agent === agent))
    .slice(0, MARKS);
}

function Moves({ leaps, onTurn }: { leaps: ReturnType<typeof useLeaps>; onTurn: (turn: number) => void }) {
  if (leaps === undefined) return null;
  if (leaps.length === 0) return <span className="text-muted">no turn moved it more than others</span>;
  return (
    <p className="flex min-w-0 flex-wrap gap-x-3 gap-y-1 text-muted">
      <span>
        <span aria-hidden className="text-warn">
          ▲
        </span>{" "}
        moved most
      </span>
      {leaps.map((one) => (
        <button key={one.agent} type="button" onClick={() => onTurn(one.turn)} className={LINK}>
          {one.agent} in turn {one.turn}
          {one.before !== 0 && ` (${change((one.after - one.before) / Math.abs(one.before))})`}
        </button>
      ))}
    </p>
  );
}

function AfterTurn({
  names,
  metric,
  onChoose,
}: {
  names: readonly string[];
  metric: string;
  onChoose: (name: string) => void;
}) {
  const { run, turn, fixed } = useRun();
  const past = useQuery({ ...figuresQuery(run.run_id, turn), enabled: fixed && turn < run.turn });
  const shown = fixed && turn < run.turn ? past.data : run;
  return (
    <Card
      title={`After turn ${(shown?.as_of ?? turn).toLocaleString("en")}`}
      aside={
        shown?.leader && (
          <span className="text-muted text-xs">
            most wealth:{" "}
            <Link
              to="."
              search={(now) => ({ ...now, ...(shown.leader && { agent: shown.leader }) })}
              className={LINK}
            >
              {shown.leader}
            </Link>
          </span>
        )
      }
    >
      {shown ? (
        <FiguresTable
          metrics={shown.metrics}
          names={names}
          chosen={metric}
          turn={shown.as_of}
          onChoose={onChoose}
        />
      ) : (
        <Asked query={past} loading={<Loading rows={4} />}>
          {() => null}
        </Asked>
      )}
    </Card>
  );
}
