// What runs ask of people. Questions are looked up by the world's own code, so they are asked for sparingly.
import { queryOptions } from "@tanstack/react-query";
import { api, Problem, type Schemas, told } from "~/api/client";

export type Question = Schemas["Question"];

/** None where nothing is asked now: to the server that is an error, here it is an answer. */
export const questionsQuery = (runId: string) =>
  queryOptions({
    queryKey: ["questions", runId],
    queryFn: async ({ signal }): Promise<Question[]> => {
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

export const waitingRunsQuery = queryOptions({
  queryKey: ["runs", { status: "waiting", limit: 100 }],
  queryFn: ({ signal }) =>
    told(api.GET("/api/simulations", { params: { query: { status: "waiting", limit: 100 } }, signal })),
  refetchInterval: 15_000,
});
