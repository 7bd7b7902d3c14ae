// What the pages of strategies ask.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, told } from "~/api/client";

export const strategiesQuery = infiniteQueryOptions({
  queryKey: ["strategies"],
  queryFn: ({ signal, pageParam }) =>
    told(api.GET("/api/strategies", { params: { query: { after: pageParam, limit: 100 } }, signal })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
});

export const strategyQuery = (name: string, version: string | undefined) =>
  queryOptions({
    queryKey: ["strategy", name, { version }],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/strategies/{name}", {
          params: { path: { name }, query: version === undefined ? {} : { version } },
          signal,
        }),
      ),
  });

export const diffQuery = (name: string, a: string, b: string) =>
  queryOptions({
    queryKey: ["strategy", name, "diff", a, b],
    queryFn: ({ signal }) =>
      told(api.GET("/api/strategies/{name}/diff", { params: { path: { name }, query: { a, b } }, signal })),
    staleTime: Number.POSITIVE_INFINITY, // versions never change
  });
