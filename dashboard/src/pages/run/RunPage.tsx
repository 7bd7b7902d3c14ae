// A run: how it stands, what can be done with it, and the views that all look at the same turn.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams, useRouterState, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { RunDetail } from "~/api/client";
import { runQuery } from "~/api/queries";
import { Badge, Copy, cx, Head, LINK, Progress, Spent, StatusBadge, Time } from "~/ui/kit";
import { Asked } from "~/ui/states";
import { RunContext, useFollowed } from "./live";
import { RunActions } from "./RunActions";
import { TurnBar } from "./TurnBar";
import { Verdict } from "./Verdict";
import { WaitsFor } from "./WaitsFor";

const TABS = [
  { to: "/runs/$runId", name: "Curves", end: "" },
  { to: "/runs/$runId/turn", name: "Turn", end: "/turn" },
  { to: "/runs/$runId/world", name: "World", end: "/world" },
  { to: "/runs/$runId/journal", name: "Journal", end: "/journal" },
  { to: "/runs/$runId/proof", name: "Proof", end: "/proof" },
  { to: "/runs/$runId/answer", name: "Answer", end: "/answer" },
] as const;
/** Views of one turn, which the slider moves. */
const OF_A_TURN = ["", "/turn", "/world"];

export function RunPage() {
  const { runId } = useParams({ from: "/runs/$runId" });
  // Another run's head stays until this one's is there, so that nothing jumps; its id tells which it is.
  const query = useQuery({ ...runQuery(runId), placeholderData: keepPreviousData });
  return (
    <>
      {query.error && !query.data && <Head title="A run that cannot be shown" />}
      <Asked query={query}>{(run) => <Looked key={run.run_id} run={run} />}</Asked>
    </>
  );
}

function Looked({ run }: { run: RunDetail }) {
  const live = useFollowed(run);
  const { turn: named } = useSearch({ from: "/runs/$runId" });
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const setTurn = useCallback(
    (turn: number | undefined) =>
      void navigate({
        to: ".",
        search: ({ turn: _, ...rest }: Record<string, unknown>) =>
          turn === undefined ? rest : { ...rest, turn },
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const turn = Math.min(named ?? run.turn, run.turn);
  const looked = useMemo(
    () => ({ run, live, turn, fixed: named !== undefined, setTurn }),
    [run, live, turn, named, setTurn],
  );
  const view = path.replace(/\/$/, "").split(run.run_id)[1] ?? "";
  return (
    <RunContext value={looked}>
      <RunHead run={run} />
      <Tabs run={run} />
      {OF_A_TURN.includes(view) && <TurnBar />}
      <Outlet />
    </RunContext>
  );
}

function RunHead({ run }: { run: RunDetail }) {
  return (
    <>
      <Head title={run.scenario} about={<About run={run} />}>
        <RunActions run={run} />
      </Head>
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
        <StatusBadge status={run.status} reason={run.reason} />
        <div className="w-44">
          <Progress turn={run.turn} of={run.max_turns} />
        </div>
        <Verdict runId={run.run_id} head={run.head} />
        {run.spent > 0 && (
          <span className="text-muted">
            spent <Spent dollars={run.spent} />
          </span>
        )}
        {run.reason && <span className="min-w-0 text-muted">{run.reason}</span>}
      </div>
      {run.status === "waiting" && <WaitsFor run={run} />}
    </>
  );
}

/** What a match belongs to: a tournament, or an evolution. Until it is known which, it leads nowhere. */
function MatchOf({ whole }: { whole: string }) {
  const { data } = useQuery(runQuery(whole));
  const to = data?.world === "evolution" ? "/evolution" : "/tournaments";
  return (
    <span>
      a match of{" "}
      {data ? (
        <Link to={to} search={{ id: whole }} className={LINK}>
          {whole}
        </Link>
      ) : (
        whole
      )}
    </span>
  );
}

function About({ run }: { run: RunDetail }) {
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Copy text={run.run_id} label="copy the run's id" />
      <span>
        world{" "}
        <Link to="/worlds" search={{ world: run.world }} className={LINK}>
          {run.world}
        </Link>
      </span>
      <span className="figures">seed {run.seed}</span>
      <span>{run.mode}</span>
      <span>
        started <Time at={run.created} />
      </span>
      {run.run_id.includes(".") && <MatchOf whole={run.run_id.replace(/\.\d+$/, "")} />}
      {run.world === "tournament" && (
        <Link to="/tournaments" search={{ id: run.run_id }} className={LINK}>
          its standings
        </Link>
      )}
      {run.world === "evolution" && (
        <Link to="/evolution" search={{ id: run.run_id }} className={LINK}>
          its candidates
        </Link>
      )}
      {run.parent && (
        <span>
          forked from{" "}
          <Link
            to="/runs/$runId"
            params={{ runId: run.parent }}
            search={run.parent_turn === null ? {} : { turn: run.parent_turn }}
            className={LINK}
          >
            {run.parent}
          </Link>{" "}
          after turn {run.parent_turn}
        </span>
      )}
      {run.children.length > 0 && (
        <span>
          <Link to="/" search={{ parent: run.run_id }} className={LINK}>
            {run.children.length} {run.children.length === 1 ? "fork" : "forks"}
          </Link>{" "}
          (
          <Link
            to="/compare"
            search={{ runs: [run.run_id, ...run.children.slice(0, 7)].join(",") }}
            className={LINK}
          >
            compare
          </Link>
          )
        </span>
      )}
      {run.tags.map((tag) => (
        <Badge key={tag}>{tag}</Badge>
      ))}
    </span>
  );
}

function Tabs({ run }: { run: RunDetail }) {
  return (
    <nav aria-label="Views of this run" className="mb-3 overflow-x-auto border-line border-b">
      <ul className="flex gap-1">
        {TABS.map((one) => (
          <li key={one.to}>
            <Link
              to={one.to}
              params={{ runId: run.run_id }}
              // In the journal most entries are everybody's: who looks at one agent would miss them.
              search={({ turn, agent }) => ({
                ...(turn !== undefined && { turn }),
                ...(agent && one.end !== "/journal" && { agent }),
              })}
              activeOptions={{ exact: true, includeSearch: false }}
              className="-mb-px block whitespace-nowrap border-transparent border-b-2 px-3 py-1.5 text-muted text-sm hover:text-ink"
              activeProps={{ className: cx("!border-accent font-medium !text-ink") }}
            >
              {one.name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
