// One tournament: its standings, who met whom, how ratings went, and every match.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schemas } from "~/api/client";
import { useLive } from "~/app/live";
import { Steering } from "~/app/steering";
import { Curves } from "~/charts/Curves";
import { dollars } from "~/lib/format";
import { ButtonLink, Card, Copy, Head, LINK, Progress, StatusBadge } from "~/ui/kit";
import { Asked, Empty, Loading, Trouble } from "~/ui/states";
import { ratingsQuery, standingsQuery } from "./asked";
import { Matches } from "./Matches";
import { Bracket, Crosstable } from "./Meetings";
import { rounded, StandingsTable } from "./StandingsTable";

type Standings = Schemas["TournamentStandings"];

export function TournamentView({ runId }: { runId: string }) {
  const query = useQuery(standingsQuery(runId));
  useLive(`tournament:${runId}`, ["tournament", runId]);
  return (
    <>
      {!query.data && <Head title={query.error ? "A tournament that cannot be shown" : "Tournament"} />}
      <Asked query={query} loading={<Loading what="the standings" rows={8} />}>
        {(standings) => <Told standings={standings} />}
      </Asked>
    </>
  );
}

function Told({ standings }: { standings: Standings }) {
  return (
    <>
      <Head title={standings.title} about={<About standings={standings} />}>
        <Steering runId={standings.run_id} status={standings.status} within={["tournament"]} />
        <ButtonLink to="/runs/$runId" params={{ runId: standings.run_id }}>
          Its run
        </ButtonLink>
      </Head>
      <div className="space-y-4">
        <Progressed standings={standings} />
        <Card title="Standings">
          <StandingsTable lines={standings.lines} />
        </Card>
        <Notes standings={standings} />
        {standings.bracket.length > 0 && (
          <Card title="Bracket">
            <Bracket rounds={standings.bracket} />
          </Card>
        )}
        {standings.crosstable.length > 0 && (
          <Card title="Who met whom">
            <Crosstable rows={standings.crosstable} order={standings.lines.map((one) => one.entrant)} />
          </Card>
        )}
        <Ratings runId={standings.run_id} />
        <Card title="Matches">
          <Matches runId={standings.run_id} total={standings.matches} />
        </Card>
      </div>
    </>
  );
}

function About({ standings }: { standings: Standings }) {
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Copy text={standings.run_id} label="copy the tournament's id" />
      <span>{standings.format}</span>
      <span>
        world{" "}
        <Link to="/worlds" search={{ world: standings.world }} className={LINK}>
          {standings.world}
        </Link>{" "}
        {standings.version}
      </span>
      <Link to="/tournaments" className={LINK}>
        all tournaments
      </Link>
    </span>
  );
}

function Progressed({ standings }: { standings: Standings }) {
  const { status, reason, rounds, of_rounds, matches, to_come, cost } = standings;
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
      <StatusBadge status={status} reason={reason} />
      {of_rounds === null ? (
        <span className="figures text-muted">{rounds} rounds</span>
      ) : (
        <div className="w-44">
          <Progress turn={rounds} of={of_rounds} label="rounds played" />
        </div>
      )}
      <span className="figures text-muted">{matches.toLocaleString("en")} matches</span>
      {to_come !== null && to_come > 0 && (
        <span className="figures text-muted">{to_come.toLocaleString("en")} meetings to come</span>
      )}
      {cost > 0 && <span className="figures text-muted">{dollars(cost)}</span>}
      {reason && <span className="min-w-0 text-muted">{reason}</span>}
    </div>
  );
}

function Notes({ standings }: { standings: Standings }) {
  const { notes, seat, rules, selfplay } = standings;
  const told: ReactNode[] = [...selfplay.map((past) => past.sentence), ...notes, rules];
  if (seat)
    told.push(
      `the first seat is worth ${rounded(seat.points)} points of rating (${rounded(seat.low)} to ${rounded(seat.high)})`,
    );
  return (
    <Card title="What to know before believing it">
      <ul className="list-disc space-y-1 pl-5 text-sm">
        {told.map((one, at) => (
          <li key={at}>{one}</li>
        ))}
      </ul>
    </Card>
  );
}

function Ratings({ runId }: { runId: string }) {
  const query = useQuery(ratingsQuery(runId));
  const curves = query.data?.curves ?? [];
  return (
    <Card title="Ratings by round">
      {query.error ? (
        <Trouble error={query.error} retry={() => void query.refetch()} />
      ) : curves.length === 0 ? (
        query.isPending ? (
          <Loading what="the ratings" rows={4} />
        ) : (
          <Empty title="No round is over yet">Ratings are told after each round.</Empty>
        )
      ) : (
        <>
          <p className="mb-2 text-muted text-sm">
            Elo, in the order of play: it shows how things went. Who is better than whom, the standings say.
          </p>
          <Curves
            label="ratings by round"
            step="round"
            series={curves.map((one) => ({
              id: one.agent,
              label: one.agent,
              turns: one.turns,
              values: one.values,
            }))}
          />
        </>
      )}
    </Card>
  );
}
