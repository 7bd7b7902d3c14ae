// The curves of one metric: fetched once, grown by the stream, looked at more closely where one zooms in.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Range, Series } from "~/charts/series";
import { curvesQuery, fetchCurves } from "./asked";
import { Growing } from "./growing";
import { useRun } from "./live";

const ASK_AGAIN = 700; // ms between two questions for what the stream does not tell

export function useCurves(name: string, agent: string | undefined, range: Range | null) {
  const { run, live } = useRun();
  const base = useQuery(curvesQuery(run.run_id, { name, agent }));
  const growing = useRef<Growing>(null);
  const [series, setSeries] = useState<readonly Series[]>([]);
  const sampled = (base.data?.curves ?? []).some((one) => one.turns.length < (one.turns.at(-1) ?? 0));
  const closer = useQuery({
    ...curvesQuery(run.run_id, {
      name,
      agent,
      since: range ? Math.max(1, Math.floor(range.first)) : 1,
      until: range ? Math.ceil(range.last) : 1,
    }),
    enabled: range !== null && sampled,
    placeholderData: keepPreviousData,
  }).data?.curves;
  const near = useRef(closer);
  near.current = range && sampled ? closer : undefined;
  useEffect(() => {
    if (!base.data) return;
    growing.current = new Growing(name, base.data.curves, base.data.turn);
    setSeries(growing.current.series(near.current));
  }, [base.data, name]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew with what was looked at more closely
  useEffect(() => {
    if (growing.current) setSeries(growing.current.series(near.current));
  }, [closer, range]);
  const told = useSyncExternalStore(live.watch, () => live.turn);
  const asking = useRef(false);
  useEffect(() => {
    const now = growing.current;
    if (!now || told <= now.known) return;
    if (now.streamed(live.after(now.known))) setSeries(now.series(near.current));
    if (told <= now.known || asking.current) return;
    asking.current = true;
    const ask = setTimeout(async () => {
      try {
        const more = await fetchCurves(run.run_id, { name, agent, since: now.known + 1 });
        if (growing.current !== now) return;
        now.fetched(more.curves, more.turn);
        setSeries(now.series(near.current));
      } catch {
        // The next turn asks again; a broken line is told in the frame.
      } finally {
        asking.current = false;
      }
    }, ASK_AGAIN);
    return () => {
      if (growing.current === now) return;
      clearTimeout(ask);
      asking.current = false;
    };
  }, [told, live, run.run_id, name, agent]);
  const coming =
    base.isPending || (series.length === 0 && base.data?.curves.some((one) => one.turns.length > 0));
  return { query: base, series, coming };
}
