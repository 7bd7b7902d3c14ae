// Which runs stand still until somebody says something.
import { queryOptions } from "@tanstack/react-query";
import { api, told } from "~/api/client";

export const waitingRunsQuery = queryOptions({
  queryKey: ["runs", { status: "waiting", limit: 100 }],
  queryFn: ({ signal }) =>
    told(api.GET("/api/simulations", { params: { query: { status: "waiting", limit: 100 } }, signal })),
  refetchInterval: 15_000,
});
