// A world's page: asked for once for a turn of the past; again and again, but calmly, where it goes on.
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, told } from "~/api/client";
import { useChannel } from "~/api/stream";
import { calmly } from "~/lib/calm";

const BREATH = 1_000; // ms between two questions, however fast the run plays
const POINTS = 600;

/** Without a turn: as it stands now. */
export const panelsQuery = (runId: string, turn: number | undefined) =>
  queryOptions({
    queryKey: ["panels", runId, turn ?? "last"],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/panels", {
          params: { path: { run_id: runId }, query: turn === undefined ? {} : { turn } },
          signal,
        }),
      ),
    // The past does not change; what waits for people now, which a page may show as well, does.
    staleTime: turn === undefined ? 0 : 30_000,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
    placeholderData: keepPreviousData,
  });

export const curvesQuery = (runId: string, name: string) =>
  queryOptions({
    queryKey: ["panels", runId, "curves", name],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/metrics", {
          params: { path: { run_id: runId }, query: { name, points: POINTS } },
          signal,
        }),
      ),
    staleTime: 0,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
  });

/** Ask again when `known` has grown since it was last asked: never two questions at a time, and the last is asked. */
export function useAgain(
  { isFetching, refetch }: { isFetching: boolean; refetch: () => unknown },
  known: number,
): void {
  const asked = useRef(known);
  useEffect(() => {
    if (isFetching || known <= asked.current) return;
    asked.current = known;
    refetch();
  }, [known, isFetching, refetch]);
}

/** The page after `turn`, or, without one, as the run goes on. */
export function usePage(runId: string, turn: number | undefined) {
  const query = useQuery(panelsQuery(runId, turn));
  const [said, setSaid] = useState(0);
  const hear = useMemo(() => calmly(() => setSaid((count) => count + 1), BREATH), []);
  useChannel(turn === undefined ? `run:${runId}` : null, hear);
  useAgain(query, said);
  return query;
}
