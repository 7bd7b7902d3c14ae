// Entries of the journal, however many: only those in sight are drawn, and more are asked for as one scrolls.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { api, type Entry, told } from "~/api/client";
import { Button, Copy, cx } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { glance, Tree } from "~/ui/tree";
import { useLiveTurn, useRun } from "./live";

export interface Wanted {
  text?: string;
  kind?: string;
  phase?: string;
  actor?: string;
  turn?: number;
}

const PAGE = 200;
const ROW = 33;
const EAGER = 5; // pages without a find that are looked through before a person is asked
const NEWS = 1_000; // ms between two looks at the end of a run that goes on

function useEntries(wanted: Wanted) {
  const { run } = useRun();
  return useInfiniteQuery({
    queryKey: ["entries", run.run_id, wanted],
    queryFn: ({ pageParam, signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/entries", {
          params: { path: { run_id: run.run_id }, query: { ...wanted, after: pageParam, limit: PAGE } },
          signal,
        }),
      ),
    initialPageParam: -1,
    getNextPageParam: (last) => (last.next === null ? undefined : Number(last.next)),
    staleTime: 60_000,
    gcTime: 10_000,
  });
}

export function Entries({ wanted }: { wanted: Wanted }) {
  const { run } = useRun();
  const query = useEntries(wanted);
  const entries = query.data?.pages.flatMap((page) => page.entries) ?? [];
  const pages = query.data?.pages.length ?? 0;
  const { hasNextPage, isFetching, fetchNextPage } = query;
  // A search may come back with nothing and a place to go on from: it looked through as much as one may ask.
  const idle = query.data?.pages.slice(-EAGER).every((page) => page.entries.length === 0) ?? false;
  useEffect(() => {
    const last = query.data?.pages.at(-1);
    if (hasNextPage && !isFetching && last?.entries.length === 0 && !(idle && pages % EAGER === 0))
      void fetchNextPage();
  }, [query.data, hasNextPage, isFetching, fetchNextPage, idle, pages]);
  if (query.isPending) return <Loading what="loading the journal" rows={8} />;
  if (query.error && entries.length === 0)
    return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (entries.length === 0 && !hasNextPage)
    return (
      <Empty title="No entry fits" command={`windtunnel show ${run.run_id}`}>
        Take a filter away, or look for another word.
      </Empty>
    );
  return (
    <>
      <Rows entries={entries} more={hasNextPage && !isFetching} onMore={() => void fetchNextPage()} />
      <p role="status" className="figures flex min-h-8 flex-wrap items-center gap-3 text-muted text-xs">
        {entries.length.toLocaleString("en")} entries{hasNextPage ? " so far" : ""}
        {isFetching && " · reading…"}
        {hasNextPage && !isFetching && (
          <Button look="quiet" onClick={() => void fetchNextPage()}>
            Look further
          </Button>
        )}
        {!hasNextPage && <News after={entries.at(-1)?.turn ?? 0} onAsk={() => void query.refetch()} />}
      </p>
    </>
  );
}

/** A run that goes on writes more: it is said, and read when somebody asks, so that nothing moves by itself. */
function News({ after, onAsk }: { after: number; onAsk: () => void }) {
  const { live } = useRun();
  const now = useLiveTurn(live);
  const [shown, setShown] = useState(now);
  useEffect(() => {
    const soon = setTimeout(() => setShown(now), NEWS);
    return () => clearTimeout(soon);
  }, [now]);
  if (shown <= after) return null;
  return (
    <Button look="quiet" onClick={onAsk}>
      {(shown - after).toLocaleString("en")} turns since: read on
    </Button>
  );
}

function Rows({ entries, more, onMore }: { entries: Entry[]; more: boolean; onMore: () => void }) {
  const area = useRef<HTMLElement>(null);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => area.current,
    estimateSize: () => ROW,
    getItemKey: (at) => entries[at]?.seq ?? at,
    overscan: 12,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= entries.length - 20) onMore();
  }, [more, last, entries.length, onMore]);
  const toggle = (seq: number) => {
    const next = new Set(open);
    if (!next.delete(seq)) next.add(seq);
    setOpen(next);
  };
  return (
    <section
      ref={area}
      aria-label="entries"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      className="h-[65dvh] min-h-72 overflow-auto rounded-lg border border-line bg-surface"
    >
      <ol className="relative" style={{ height: rows.getTotalSize() }}>
        {shown.map((row) => {
          const entry = entries[row.index];
          if (!entry) return null;
          return (
            <li
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              className="absolute inset-x-0 top-0 border-line border-b"
              style={{ transform: `translateY(${row.start}px)` }}
            >
              <Row entry={entry} open={open.has(entry.seq)} onToggle={() => toggle(entry.seq)} />
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Row({ entry, open, onToggle }: { entry: Entry; open: boolean; onToggle: () => void }) {
  return (
    <div className="min-w-0 px-2 text-sm">
      <button
        type="button"
        aria-expanded={open}
        onClick={onToggle}
        className="figures flex h-8 w-full min-w-0 items-center gap-2 whitespace-nowrap text-left hover:bg-raised"
      >
        <span aria-hidden className="w-3 shrink-0 text-muted">
          {open ? "▾" : "▸"}
        </span>
        <span className="w-14 shrink-0 text-muted text-xs">#{entry.seq}</span>
        <span className="w-16 shrink-0 text-muted text-xs">turn {entry.turn}</span>
        <span className="hidden w-20 shrink-0 text-muted text-xs sm:inline">{entry.phase}</span>
        <span className="shrink-0 font-medium">{entry.kind}</span>
        {entry.actor && <span className="shrink-0 text-accent">{entry.actor}</span>}
        <span className={cx("min-w-0 truncate text-muted", open && "invisible")}>{said(entry.body)}</span>
      </button>
      {open && (
        <div className="space-y-1 pb-2 pl-5">
          <Tree value={entry.body} open />
          <p className="flex min-w-0 items-center gap-2 text-muted text-xs">
            hash <Copy text={entry.hash} label="copy the hash" />
          </p>
        </div>
      )}
    </div>
  );
}

const LINE = 200;

const said = (body: unknown): string => {
  if (typeof body !== "object" || body === null) return String(body ?? "");
  return glance(body, LINE) || JSON.stringify(body).slice(0, LINE);
};
