// The other chain: who played the run, paused it, voted, and how often something was asked again.
import { useInfiniteQuery } from "@tanstack/react-query";
import { api, told } from "~/api/client";
import { Button, Time } from "~/ui/kit";
import { Asked, Empty } from "~/ui/states";
import { Tree } from "~/ui/tree";
import { useRun } from "./live";

export function Operations() {
  const { run } = useRun();
  const query = useInfiniteQuery({
    queryKey: ["operations", run.run_id, run.status],
    queryFn: ({ pageParam, signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/operations", {
          params: { path: { run_id: run.run_id }, query: { after: pageParam, limit: 200 } },
          signal,
        }),
      ),
    initialPageParam: -1,
    getNextPageParam: (last) => (last.next === null ? undefined : Number(last.next)),
  });
  return (
    <Asked query={query}>
      {({ pages }) => {
        const all = pages.flatMap((page) => page.operations);
        if (all.length === 0) return <Empty title="Nothing was done with it yet" />;
        return (
          <>
            <ol className="divide-y divide-line rounded-lg border border-line bg-surface text-sm">
              {all.map((one) => (
                <li
                  key={one.seq}
                  className="grid gap-x-3 px-3 py-1.5 sm:grid-cols-[3rem_8rem_9rem_minmax(0,1fr)]"
                >
                  <span className="figures text-muted text-xs">#{one.seq}</span>
                  <span className="text-muted">
                    <Time at={one.at} />
                  </span>
                  <span className="font-medium">{one.kind}</span>
                  {one.body !== null && Object.keys(one.body as object).length > 0 && (
                    <Tree value={one.body} />
                  )}
                </li>
              ))}
            </ol>
            {query.hasNextPage && (
              <Button className="mt-2" busy={query.isFetching} onClick={() => void query.fetchNextPage()}>
                More
              </Button>
            )}
          </>
        );
      }}
    </Asked>
  );
}
