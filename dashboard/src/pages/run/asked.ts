// What the page of a run asks the server.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, told } from "~/api/client";

const POINTS = 1_000;

interface Which {
  name: string;
  agent?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
}

export const fetchCurves = (runId: string, { name, agent, since, until }: Which, signal?: AbortSignal) =>
  told(
    api.GET("/api/simulations/{run_id}/metrics", {
      params: {
        path: { run_id: runId },
        query: {
          name,
          points: POINTS,
          ...(agent && { agent }),
          ...(since && { since }),
          ...(until && { until }),
        },
      },
      ...(signal && { signal }),
    }),
  );

/** The whole curve is asked for once; what grows is put to it as it is told. */
export const curvesQuery = (runId: string, which: Which) =>
  queryOptions({
    queryKey: ["curves", runId, which],
    queryFn: ({ signal }) => fetchCurves(runId, which, signal),
    staleTime: which.since ? Number.POSITIVE_INFINITY : 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    gcTime: 30_000,
  });

export const leapsQuery = (runId: string, name: string, upto: number) =>
  queryOptions({
    // While it goes on, once for each doubling of its length is often enough.
    queryKey: ["leaps", runId, name, upto],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/leaps", {
          params: { path: { run_id: runId }, query: { name } },
          signal,
        }),
      ),
    enabled: upto > 1,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });

/** The past does not change: a turn is asked for once. */
export const turnQuery = (runId: string, turn: number, agent: string | undefined) =>
  queryOptions({
    queryKey: ["turn", runId, turn, agent],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/turns/{turn}", {
          params: { path: { run_id: runId, turn }, query: { texts: true, ...(agent && { agent }) } },
          signal,
        }),
      ),
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });

export const stateQuery = (runId: string, turn: number) =>
  queryOptions({
    queryKey: ["state", runId, turn],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/state", {
          params: { path: { run_id: runId }, query: { turn } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    placeholderData: keepPreviousData,
  });

/** The figures after a turn of the past. */
export const figuresQuery = (runId: string, turn: number) =>
  queryOptions({
    queryKey: ["figures", runId, turn],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}", {
          params: { path: { run_id: runId }, query: { turn } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    placeholderData: keepPreviousData,
  });

export const configQuery = (runId: string) =>
  queryOptions({
    queryKey: ["config", runId],
    queryFn: ({ signal }) =>
      told(api.GET("/api/simulations/{run_id}/config", { params: { path: { run_id: runId } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Who plays in a run, as its scenario says. */
export function seatsOf(
  config: Record<string, unknown> | undefined,
): { id: string; role: string; kind: string }[] {
  const agents = config?.["agents"];
  if (!Array.isArray(agents)) return [];
  return agents.map((one: Record<string, unknown>) => ({
    id: String(one["id"]),
    role: String(one["role"] ?? ""),
    kind: String(one["kind"] ?? "rule"),
  }));
}
