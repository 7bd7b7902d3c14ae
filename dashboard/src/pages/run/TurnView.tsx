// One turn: its six phases, who decided what and why, what came of it, and the way to another course.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "~/api/client";
import { change, dollars, figure, spoken } from "~/lib/format";
import { Badge, Button, Card, cx, FIELD, LINK } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";
import { Tree } from "~/ui/tree";
import { configQuery, figuresQuery, seatsOf, turnQuery } from "./asked";
import { DecisionCard } from "./DecisionCard";
import { ForkDialog } from "./ForkDialog";
import { useRun } from "./live";
import { didIn, MEANING, movesOf, PHASES } from "./turn";

type TurnDetail = Schemas["TurnDetail"];

export function TurnView() {
  const { run, turn } = useRun();
  const { agent } = useSearch({ from: "/runs/$runId/turn" });
  const query = useQuery({ ...turnQuery(run.run_id, turn, agent), enabled: run.turn > 0 });
  if (run.turn === 0)
    return (
      <Empty title="Nothing is played yet" command={`windtunnel show ${run.run_id} --turn 1`}>
        As soon as the first turn is played, it is told here phase by phase.
      </Empty>
    );
  return (
    <Asked query={query}>
      {(found) => <Told turn={found} agent={agent} stale={query.isPlaceholderData} />}
    </Asked>
  );
}

function Told({ turn, agent, stale }: { turn: TurnDetail; agent: string | undefined; stale: boolean }) {
  const { run } = useRun();
  const [fork, setFork] = useState<{ before?: string } | null>(null);
  return (
    <div className={cx("space-y-4", stale && "opacity-60")} aria-busy={stale}>
      <header className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="font-semibold text-lg">
          {turn.turn === 0 ? "The start" : `What happened in turn ${turn.turn.toLocaleString("en")}`}
        </h2>
        <span className="flex flex-wrap items-center gap-2">
          <AgentChoice agent={agent} />
          <Button onClick={() => setFork({})}>Fork after this turn</Button>
        </span>
      </header>
      <Phases turn={turn} />
      {turn.turn > 0 && <Decisions turn={turn} agent={agent} onFork={(before) => setFork({ before })} />}
      <div className="grid gap-4 lg:grid-cols-2">
        <Events turn={turn} />
        <Moves turn={turn} agent={agent} />
      </div>
      <Others turn={turn} />
      {fork && <ForkDialog run={run} turn={turn.turn} {...fork} onClose={() => setFork(null)} />}
    </div>
  );
}

function AgentChoice({ agent }: { agent: string | undefined }) {
  const { run } = useRun();
  const navigate = useNavigate({ from: "/runs/$runId/turn" });
  const seats = seatsOf(useQuery(configQuery(run.run_id)).data).map((one) => one.id);
  const all = new Set([...seats, ...Object.keys(run.metrics).filter((one) => one !== "world")]);
  if (agent) all.add(agent);
  return (
    <select
      aria-label="agent"
      className={FIELD}
      style={{ width: "10rem" }}
      value={agent ?? ""}
      onChange={(event) => {
        const chosen = event.target.value;
        void navigate({
          search: ({ agent: _, ...rest }) => ({ ...rest, ...(chosen && { agent: chosen }) }),
          replace: true,
          resetScroll: false,
        });
      }}
    >
      <option value="">all agents</option>
      {[...all].map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  );
}

/** The phases in their order. Those that did nothing keep their place. */
function Phases({ turn }: { turn: TurnDetail }) {
  const others = turn.phases
    .filter((one) => !PHASES.some((name) => name === one.name))
    .map((one) => one.name);
  const names = turn.turn === 0 ? others : [...PHASES, ...others];
  return (
    <ol aria-label="phases of the turn" className="grid grid-cols-2 gap-2 sm:grid-cols-3 xl:grid-cols-6">
      {names.map((name, at) => {
        const phase = turn.phases.find((one) => one.name === name);
        return (
          <li key={name} className="rounded-lg border border-line bg-surface px-3 py-2 text-sm">
            <p className="flex items-baseline justify-between gap-2">
              <span className="font-medium">
                <span className="figures mr-1 text-muted">{at + 1}</span>
                {MEANING[name] ?? name}
              </span>
              <span className="text-muted text-xs">{name}</span>
            </p>
            <p className="mt-0.5 min-h-5 text-muted text-xs">{phase ? didIn(name, turn) : "nothing"}</p>
            {phase && (
              <Link
                to="/runs/$runId/journal"
                params={{ runId: turn.run_id }}
                search={{ turn: turn.turn, phase: name }}
                className={cx(LINK, "figures text-xs")}
              >
                {phase.entries === 1 ? `entry ${phase.first}` : `entries ${phase.first} to ${phase.last}`}
              </Link>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function Decisions({
  turn,
  agent,
  onFork,
}: {
  turn: TurnDetail;
  agent: string | undefined;
  onFork: (agent: string) => void;
}) {
  const [most, setMost] = useState(20);
  if (turn.decisions.length === 0)
    return (
      <Empty title={agent ? `${agent} decided nothing in this turn` : "Nobody decided anything in this turn"}>
        Not every turn is everybody's: look at the turn before ([) or the next (]).
      </Empty>
    );
  return (
    <section aria-label="decisions" className="space-y-3">
      {turn.unseen && (
        <p className="text-muted text-sm">What agents saw cannot be computed again: {turn.unseen}</p>
      )}
      {turn.decisions.slice(0, most).map((one) => (
        <DecisionCard
          key={`${one.agent} ${one.attempt}`}
          decision={one}
          turn={turn}
          onFork={() => onFork(one.agent)}
        />
      ))}
      {turn.decisions.length > most && (
        <Button onClick={() => setMost(most + 50)}>{turn.decisions.length - most} more decisions</Button>
      )}
    </section>
  );
}

function Events({ turn }: { turn: TurnDetail }) {
  return (
    <Card title="What came of it" aside={<Badge>{turn.events.length} events</Badge>}>
      {turn.events.length === 0 && <p className="text-muted text-sm">no event</p>}
      <ul className="max-h-96 space-y-2 overflow-y-auto text-sm">
        {turn.events.map((one, at) => (
          <li key={at} className="min-w-0">
            <span className="font-medium">{spoken(one.kind)}</span>
            {one.agent && <span className="text-muted"> by {one.agent}</span>}{" "}
            {one.outside && <Badge tone="warn">from outside</Badge>}{" "}
            {one.visible_to && (
              <Badge title={one.visible_to.join(", ")}>seen by {one.visible_to.length}</Badge>
            )}
            {typeof one.body === "object" ? <Tree value={one.body} /> : <p>{String(one.body)}</p>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

const SHOWN = 12;

function Moves({ turn, agent }: { turn: TurnDetail; agent: string | undefined }) {
  const before = useQuery({ ...figuresQuery(turn.run_id, turn.turn - 1), enabled: turn.turn > 1 });
  const known = before.data?.as_of === turn.turn - 1 ? before.data.metrics : null;
  const moves = known ? movesOf(known, turn.metrics, SHOWN) : [];
  return (
    <Card title="What moved" aside={<span className="text-muted text-xs">the largest share first</span>}>
      {turn.turn <= 1 && <p className="text-muted text-sm">There is no turn before to hold it against.</p>}
      {turn.turn > 1 && !known && <Loading rows={4} />}
      {known && moves.length === 0 && <p className="text-muted text-sm">no figure changed</p>}
      {moves.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <section aria-label="figures that moved" tabIndex={0} className="overflow-x-auto">
          <table className="figures w-full text-right text-sm">
            <thead className="text-muted text-xs">
              <tr>
                <th scope="col" className="py-1 text-left font-normal">
                  figure
                </th>
                <th scope="col" className="px-2 font-normal">
                  before
                </th>
                <th scope="col" className="px-2 font-normal">
                  after
                </th>
                <th scope="col" className="font-normal">
                  change
                </th>
              </tr>
            </thead>
            <tbody>
              {moves.map((one) => (
                <tr key={`${one.agent} ${one.name}`} className="whitespace-nowrap border-line border-t">
                  <th scope="row" className="py-1 text-left font-normal">
                    {!agent && <span className="text-muted">{one.agent} </span>}
                    <Link
                      to="/runs/$runId"
                      params={{ runId: turn.run_id }}
                      search={{ turn: turn.turn, metric: one.name, agent: one.agent }}
                      className={LINK}
                    >
                      {spoken(one.name)}
                    </Link>
                  </th>
                  <td className="px-2">{figure(one.before)}</td>
                  <td className="px-2">{figure(one.after)}</td>
                  <td>{one.share === null ? "from 0" : change(one.share)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Card>
  );
}

/** Calls that led to no decision of an agent: a game master's, a judge's, a broker's. */
function Others({ turn }: { turn: TurnDetail }) {
  const used = new Set(turn.decisions.flatMap((one) => one.calls));
  const others = turn.calls.filter((one) => !used.has(one.id));
  if (others.length === 0) return null;
  return (
    <Card title="Other calls to the outside">
      <ul className="space-y-2 text-sm">
        {others.map((one) => (
          <li key={one.id} className="min-w-0">
            <span className="flex flex-wrap items-center gap-2">
              <code className="font-mono text-xs">{one.id}</code>
              <Badge>{one.kind}</Badge>
              <Badge tone={one.status === "failed" ? "bad" : one.status === "waiting" ? "warn" : "plain"}>
                {one.status}
              </Badge>
              {one.model && <span className="text-muted">{one.model}</span>}
              {one.cost > 0 && <span className="figures text-muted">{dollars(one.cost)}</span>}
            </span>
            <Tree value={one.request} name="asked" />
            <Tree value={one.reply} name="answered" />
          </li>
        ))}
      </ul>
    </Card>
  );
}
