// The list of runs: pages as they are needed, and what happens to runs meanwhile, without anything jumping.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, type Run, told } from "~/api/client";
import { type Message, useChannel, useLine } from "~/api/stream";
import { merged, type News, onTop, type Pages, patched, type RunPage } from "./pages";
import { asked, type RunSearch } from "./search";

const FIRST = 100;
const FURTHER = 1_000; // who scrolls far is answered in few requests
const TOGETHER = 250; // ms in which news are gathered before they are drawn
const AGAIN = 1_000; // ms between two looks at the newest rows, at least

export function useRuns(search: RunSearch, atTop: () => boolean) {
  const client = useQueryClient();
  const said = JSON.stringify(search);
  const { key, query } = useMemo(() => {
    const wanted = asked(JSON.parse(said) as RunSearch, Date.now());
    return { key: ["runs", "list", said], query: wanted };
  }, [said]);
  const ask = useCallback(
    (after: string | null, limit: number, signal?: AbortSignal) =>
      told(
        api.GET("/api/simulations", {
          params: { query: { ...query, limit, ...(after && { after }) } },
          ...(signal && { signal }),
        }),
      ),
    [query],
  );
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => ask(pageParam, pageParam === null ? FIRST : FURTHER, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page: RunPage) => page.next,
    staleTime: Number.POSITIVE_INFINITY, // the stream keeps it fresh; all pages are never asked for again
    refetchOnReconnect: false,
    placeholderData: (before) => before,
  });
  const [fresh, setFresh] = useState<Run[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list has news of its own
  useEffect(() => setFresh([]), [said]);

  const look = useCallback(async () => {
    if (!client.getQueryData<Pages>(key)) return;
    const head = await ask(null, FIRST).catch(() => null);
    const all = client.getQueryData<Pages>(key);
    if (!head || !all) return;
    const found = merged(all, head);
    const straight = atTop() && found.fresh.length < FIRST;
    client.setQueryData(key, straight ? onTop(found.pages, found.fresh) : found.pages);
    setFresh(straight ? [] : found.fresh);
  }, [client, key, ask, atTop]);
  const lookSoon = useSoon(look, AGAIN);

  const news = useRef(new Map<string, News>());
  const met = useRef(new Set<string>());
  const draw = useCallback(() => {
    const heard = news.current;
    news.current = new Map();
    const all = client.getQueryData<Pages>(key);
    if (all) client.setQueryData(key, patched(all, heard));
  }, [client, key]);
  const drawSoon = useSoon(draw, TOGETHER);
  useChannel("runs", (message: Message) => {
    if (message.kind !== "run" || !message.run_id) return;
    news.current.set(message.run_id, { ...news.current.get(message.run_id), ...message });
    drawSoon();
    // A new run, or one that ended: the list alone knows where it belongs, and what was spent. Who was away for a
    // moment hears of a new run when it is already played.
    const unheard = !met.current.has(message.run_id);
    met.current.add(message.run_id);
    if (unheard || message.type !== "progress") lookSoon();
  });
  const line = useLine();
  useEffect(() => {
    if (line === "live") lookSoon(); // whatever was missed
  }, [line, lookSoon]);

  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.runs) ?? [], [list.data]);
  const showFresh = useCallback(() => {
    if (fresh.length >= FIRST) void client.resetQueries({ queryKey: key, exact: true });
    else {
      const all = client.getQueryData<Pages>(key);
      if (all) client.setQueryData(key, onTop(all, fresh));
    }
    setFresh([]);
  }, [client, key, fresh]);
  const total = Math.max(list.data?.pages[0]?.total ?? 0, rows.length);
  return { list, rows, total, fresh: fresh.length, many: fresh.length >= FIRST, showFresh, look };
}

/** Done at once, and then at most once in so many milliseconds, however often it is asked for. */
function useSoon(deed: () => unknown, every: number): () => void {
  const latest = useRef(deed);
  latest.current = deed;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const last = useRef(0);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return useCallback(() => {
    if (timer.current !== undefined) return;
    const wait = Math.max(50, last.current + every - Date.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      last.current = Date.now();
      void latest.current();
    }, wait);
  }, [every]);
}
