// Every match that is over, with its result; each is a run that can be opened.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { digits, figure } from "~/lib/format";
import { Badge, Button, LINK } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { Table } from "~/ui/table";
import { matchesQuery } from "./asked";

export function Matches({ runId, total }: { runId: string; total: number }) {
  const query = useInfiniteQuery(matchesQuery(runId));
  const all = query.data?.pages.flatMap((page) => page.matches);
  if (query.error && !all) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (!all) return <Loading what="the matches" rows={5} />;
  if (all.length === 0) return <Empty title="No match is over yet">Each is told here when it is.</Empty>;
  return (
    <>
      <Table
        label="matches"
        columns={["Match", "Round", "Who sat where", "Ending", "Turns", "Seed"]}
        right={[1, 4, 5]}
        rows={all.map((one) => ({
          key: one.run_id,
          cells: [
            <Link key="run" to="/runs/$runId" params={{ runId: one.run_id }} className={LINK}>
              {one.run_id}
            </Link>,
            one.round,
            <Seats key="seats" seats={one.seats} />,
            <Ending key="ending" match={one} />,
            one.turns.toLocaleString("en"),
            String(one.seed),
          ],
        }))}
      />
      {query.hasNextPage && (
        <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more of {total.toLocaleString("en")}
        </Button>
      )}
    </>
  );
}

function Seats({ seats }: { seats: Schemas["MatchSeat"][] }) {
  return (
    <ul>
      {seats.map((one) => (
        <li key={one.seat} className="whitespace-nowrap">
          <span className="text-muted">{one.seat}</span> <span className="font-medium">{one.entrant}</span>{" "}
          <span className="figures">{digits(one.points)}</span>
          {one.score !== null && (
            <span className="figures text-muted" title="its score">
              {" "}
              ({figure(one.score)})
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

const TONES = { played: "plain", forfeited: "warn", void: "bad" } as const;

function Ending({ match }: { match: Schemas["TournamentMatch"] }) {
  const { ending, why, fault } = match;
  return (
    <span>
      <Badge tone={TONES[ending]}>{ending}</Badge>
      {ending !== "played" && (
        <span className="block max-w-xs text-muted text-xs">
          {fault && `${fault}: `}
          {why}
        </span>
      )}
    </span>
  );
}
