// The list as it lies in the cache: pages that the server gave, kept up to date row by row. Pure functions.
import type { Run, Schemas, Status } from "~/api/client";

export type RunPage = Schemas["RunPage"];
export interface Pages {
  pages: RunPage[];
  pageParams: unknown[];
}

/** What a stream says of one run. */
export interface News {
  turn?: number | undefined;
  max_turns?: number | undefined;
  status?: string | undefined;
}

/** Rows in place with what was heard of them; the same object where nothing was. */
export function patched(all: Pages, news: ReadonlyMap<string, News>): Pages {
  let changed = false;
  const pages = all.pages.map((page) => {
    if (!page.runs.some((run) => news.has(run.run_id))) return page;
    changed = true;
    return { ...page, runs: page.runs.map((run) => told(run, news.get(run.run_id))) };
  });
  return changed ? { ...all, pages } : all;
}

function told(run: Run, said: News | undefined): Run {
  if (!said) return run;
  return {
    ...run,
    turn: said.turn ?? run.turn,
    max_turns: said.max_turns ?? run.max_turns,
    status: (said.status as Status | undefined) ?? run.status,
  };
}

/** The newest page read again: rows that are known are brought up to date where they stand; the others are new. */
export function merged(all: Pages, head: RunPage): { pages: Pages; fresh: Run[] } {
  const had = new Set(all.pages.flatMap((page) => page.runs.map((run) => run.run_id)));
  const now = new Map(head.runs.map((run) => [run.run_id, run]));
  const pages = all.pages.map((page, at) => ({
    ...page,
    total: at === 0 ? head.total : page.total,
    runs: page.runs.map((run) => now.get(run.run_id) ?? run),
  }));
  return { pages: { ...all, pages }, fresh: head.runs.filter((run) => !had.has(run.run_id)) };
}

/** New rows on top. The cursors behind stay true. */
export function onTop(all: Pages, fresh: readonly Run[]): Pages {
  const [first, ...rest] = all.pages;
  if (!first || fresh.length === 0) return all;
  return { ...all, pages: [{ ...first, runs: [...fresh, ...first.runs] }, ...rest] };
}
