// What the address says about the list, and what the server is asked for it.
import type { Run, Status } from "~/api/client";
import type { paths } from "~/api/schema";

export interface RunSearch {
  world?: string;
  scenario?: string;
  status?: string;
  tag?: string;
  text?: string;
  parent?: string;
  since?: string;
  group?: string;
  order?: string;
}

export const STATUSES: readonly Status[] = [
  "queued",
  "running",
  "waiting",
  "paused",
  "completed",
  "failed",
  "crashed",
  "cancelled",
];

/** Spans that people think in; the address keeps the word, so that it means the same tomorrow. */
export const SPANS = {
  hour: { label: "the last hour", seconds: 3_600 },
  day: { label: "the last day", seconds: 86_400 },
  week: { label: "the last week", seconds: 604_800 },
  month: { label: "the last 30 days", seconds: 2_592_000 },
} as const;

type Query = NonNullable<paths["/api/simulations"]["get"]["parameters"]["query"]>;

/** The server's filter. Whole minutes: a query asked again a moment later is the same query. */
export function asked(search: RunSearch, now: number): Query {
  const span = SPANS[search.since as keyof typeof SPANS];
  const since = span
    ? new Date(Math.floor(now / 60_000) * 60_000 - span.seconds * 1_000).toISOString()
    : search.since && !Number.isNaN(Date.parse(search.since))
      ? new Date(search.since).toISOString()
      : undefined;
  return {
    ...(search.world && { world: search.world }),
    ...(search.scenario && { scenario: search.scenario }),
    ...(STATUSES.includes(search.status as Status) && { status: search.status as Status }),
    ...(search.tag && { tag: search.tag }),
    ...(search.text && { text: search.text }),
    ...(search.parent && { parent: search.parent }),
    ...(since && { since }),
    order: search.order === "updated" ? "updated" : "created",
  };
}

export const narrowed = (search: RunSearch): boolean =>
  Boolean(
    search.world ||
      search.scenario ||
      search.status ||
      search.tag ||
      search.text ||
      search.parent ||
      search.since,
  );

/** What may be done with a run, as it stands. */
export const may = {
  pause: (run: Run): boolean => ["queued", "running"].includes(run.status),
  resume: (run: Run): boolean => ["paused", "waiting", "crashed", "failed"].includes(run.status),
  cancel: (run: Run): boolean => !["completed", "failed", "cancelled"].includes(run.status),
  fork: (run: Run): boolean => run.turn > 0 || run.parent !== null,
} as const;
export type Deed = "pause" | "resume" | "cancel";
