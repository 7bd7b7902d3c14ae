// Which agent is better, by how much, and how sure one can be: all tournaments, or one of them.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { BeginLink, HeadLink } from "~/pages/begin/BeginLink";
import { Button, Head, LINK, StatusBadge, Time } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { Table } from "~/ui/table";
import { tournamentsQuery } from "./asked";
import { TournamentView } from "./TournamentView";

export function TournamentsPage() {
  const { id } = useSearch({ from: "/tournaments" });
  return id ? <TournamentView key={id} runId={id} /> : <AllTournaments />;
}

function AllTournaments() {
  const query = useInfiniteQuery(tournamentsQuery);
  const all = query.data?.pages.flatMap((page) => page.tournaments);
  return (
    <>
      <Head title="Tournaments" about="Which agent is better, by how much, and how sure one can be">
        <HeadLink kind="tournament" />
      </Head>
      {query.error && <Trouble error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading what="the tournaments" rows={5} />}
      {all?.length === 0 && <NoTournament />}
      {all && all.length > 0 && <List all={all} />}
      {query.hasNextPage && (
        <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  );
}

function NoTournament() {
  return (
    <Empty title="There are no tournaments yet" command="windtunnel tournament FILE">
      A tournament lets strategies meet under the same luck, each match a run of its own. Its file names a
      scenario, who enters, and a format; <code>POST /api/tournaments</code> takes the same as JSON.
      <span className="mt-3 block">
        <BeginLink kind="tournament" />
      </span>
    </Empty>
  );
}

function List({ all }: { all: Schemas["TournamentInfo"][] }) {
  return (
    <Table
      label="tournaments"
      columns={["Tournament", "Status", "Format", "World", "Entrants", "Rounds", "Begun"]}
      right={[4, 5]}
      rows={all.map((one) => ({
        key: one.run_id,
        cells: [
          <span key="title" className="block min-w-36">
            <Link to="/tournaments" search={{ id: one.run_id }} className={LINK}>
              {one.title}
            </Link>
            <span className="block font-mono text-muted text-xs">{one.run_id}</span>
          </span>,
          <StatusBadge key="status" status={one.status} reason={one.reason} />,
          one.format,
          one.world,
          one.entrants.toLocaleString("en"),
          one.of_rounds === null ? one.rounds : `${one.rounds} of ${one.of_rounds}`,
          <Time key="begun" at={one.created} />,
        ],
      }))}
    />
  );
}
