// What the pages of tournaments ask.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, type Status, told } from "~/api/client";
import { ended } from "~/ui/kit";

const SLOW = 10_000; // ms: the stream says when something happened; this is for a line that is broken

export const tournamentsQuery = infiniteQueryOptions({
  queryKey: ["tournaments"],
  queryFn: ({ signal, pageParam }) =>
    told(api.GET("/api/tournaments", { params: { query: { after: pageParam, limit: 50 } }, signal })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
  refetchInterval: SLOW,
});

const again = (status: Status | undefined): number | false => (status && !ended(status) ? SLOW : false);

export const standingsQuery = (runId: string) =>
  queryOptions({
    queryKey: ["tournament", runId, "standings"],
    queryFn: ({ signal }) =>
      told(api.GET("/api/tournaments/{run_id}", { params: { path: { run_id: runId } }, signal })),
    refetchInterval: (query) => again(query.state.data?.status),
  });

/** The matches that are over, page by page. */
export const matchesQuery = (runId: string) =>
  infiniteQueryOptions({
    queryKey: ["tournament", runId, "matches"],
    queryFn: ({ signal, pageParam }) =>
      told(
        api.GET("/api/tournaments/{run_id}/matches", {
          params: { path: { run_id: runId }, query: { after: pageParam, limit: 100 } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.next === null ? null : Number(page.next)),
  });

/** How each rating went, round by round: the metrics of the tournament's own run. */
export const ratingsQuery = (runId: string) =>
  queryOptions({
    queryKey: ["tournament", runId, "ratings"],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/metrics", {
          params: { path: { run_id: runId }, query: { name: "rating", points: 400 } },
          signal,
        }),
      ),
  });
