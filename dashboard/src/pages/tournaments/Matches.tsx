// Every match of a tournament that is over, with its result.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "~/ui/kit";
import { MatchTable } from "~/ui/matches";
import { Empty, Loading, Trouble } from "~/ui/states";
import { matchesQuery } from "./asked";

export function Matches({ runId, total }: { runId: string; total: number }) {
  const query = useInfiniteQuery(matchesQuery(runId));
  const all = query.data?.pages.flatMap((page) => page.matches);
  if (query.error && !all) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (!all) return <Loading what="the matches" rows={5} />;
  if (all.length === 0) return <Empty title="No match is over yet">Each is told here when it is.</Empty>;
  return (
    <>
      <MatchTable all={all} within="Round" right place={(one) => one.round} />
      {query.hasNextPage && (
        <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more of {total.toLocaleString("en")}
        </Button>
      )}
    </>
  );
}
