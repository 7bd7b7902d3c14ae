// What the pages of evolution ask.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, told } from "~/api/client";
import { ended } from "~/ui/kit";

const SLOW = 10_000; // ms: the stream says when something happened; this is for a line that is broken

export const evolutionsQuery = infiniteQueryOptions({
  queryKey: ["evolutions"],
  queryFn: ({ signal, pageParam }) =>
    told(api.GET("/api/evolution", { params: { query: { after: pageParam, limit: 50 } }, signal })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
  refetchInterval: SLOW,
});

export const evolutionQuery = (runId: string, generation: number | undefined) =>
  queryOptions({
    queryKey: ["evolution", runId, { generation }],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/evolution/{run_id}", {
          params: { path: { run_id: runId }, query: generation === undefined ? {} : { generation } },
          signal,
        }),
      ),
    refetchInterval: (query) => (query.state.data && !ended(query.state.data.status) ? SLOW : false),
  });

/** The matches that are over, page by page. */
export const matchesQuery = (runId: string) =>
  infiniteQueryOptions({
    queryKey: ["evolution", runId, "matches"],
    queryFn: ({ signal, pageParam }) =>
      told(
        api.GET("/api/evolution/{run_id}/matches", {
          params: { path: { run_id: runId }, query: { after: pageParam, limit: 30 } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.next === null ? null : Number(page.next)),
  });

/** What waits for people, all of it; and everything, the newest first. */
export const pendingQuery = queryOptions({
  queryKey: ["proposals", "pending"],
  queryFn: ({ signal }) =>
    told(
      api.GET("/api/evolution/proposals", { params: { query: { status: "pending", limit: 1000 } }, signal }),
    ),
  refetchInterval: SLOW,
});

export const proposalsQuery = infiniteQueryOptions({
  queryKey: ["proposals", "all"],
  queryFn: ({ signal, pageParam }) =>
    told(api.GET("/api/evolution/proposals", { params: { query: { after: pageParam, limit: 50 } }, signal })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
  refetchInterval: SLOW,
});

export const proposalQuery = (id: number) =>
  queryOptions({
    queryKey: ["proposals", "one", id],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/evolution/proposals/{proposal_id}", {
          params: { path: { proposal_id: String(id) } },
          signal,
        }),
      ),
    refetchInterval: SLOW,
  });
