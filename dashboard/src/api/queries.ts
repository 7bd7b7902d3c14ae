// What several pages ask. Each query is a function, so that its key is written in one place.
import { queryOptions } from "@tanstack/react-query";
import { api, Problem, type Schemas, told } from "./client";

export const runQuery = (runId: string, turn?: number) =>
  queryOptions({
    queryKey: ["run", runId, { turn }],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}", {
          params: { path: { run_id: runId }, query: turn === undefined ? {} : { turn } },
          signal,
        }),
      ),
  });

export const worldsQuery = queryOptions({
  queryKey: ["worlds"],
  queryFn: ({ signal }) => told(api.GET("/api/worlds", { signal })),
  staleTime: 60_000,
});

export const worldQuery = (world: string) =>
  queryOptions({
    queryKey: ["world", world],
    queryFn: ({ signal }) => told(api.GET("/api/worlds/{world}", { params: { path: { world } }, signal })),
    staleTime: 60_000,
  });

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => told(api.GET("/api/me", { signal })),
  staleTime: 60_000,
});

export const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => told(api.GET("/api/system", { signal })),
  refetchInterval: 5_000,
});

export const waitingQuery = queryOptions({
  queryKey: ["approvals", { status: "waiting" }],
  queryFn: ({ signal }) =>
    told(api.GET("/api/approvals", { params: { query: { status: "waiting", limit: 100 } }, signal })),
  refetchInterval: 15_000,
});

/** How many proposals wait for people: a page of one says it. */
export const proposedQuery = queryOptions({
  queryKey: ["proposals", "count"],
  queryFn: ({ signal }) =>
    told(api.GET("/api/evolution/proposals", { params: { query: { status: "pending", limit: 1 } }, signal })),
  refetchInterval: 15_000,
});

export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: ({ signal }) => told(api.GET("/api/models", { signal })),
  staleTime: 30_000,
});

/** What a run asks of people, without votes. That nothing is asked is an error to the server, and an answer here.
 * The world's own code looks it up, so it is asked for sparingly. */
export const questionsQuery = (runId: string) =>
  queryOptions({
    queryKey: ["questions", runId],
    queryFn: async ({ signal }): Promise<Schemas["Question"][]> => {
      try {
        const asked = api.GET("/api/simulations/{run_id}/answers", {
          params: { path: { run_id: runId } },
          signal,
        });
        return (await told(asked)).questions;
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return [];
        throw error;
      }
    },
  });

export const scenarioQuery = (name: string) => {
  const [world = "", ...rest] = name.split("/");
  return queryOptions({
    queryKey: ["scenario", name],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/scenarios/{world}/{name}", {
          params: { path: { world, name: rest.join("/") || "-" } },
          signal,
        }),
      ),
    staleTime: 60_000,
  });
};
