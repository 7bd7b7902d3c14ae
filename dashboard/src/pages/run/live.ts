// What a run says while it goes on, in pieces that a page can take: a few times a second, however fast it plays.
import { createContext, useContext, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Run, RunDetail, Status } from "~/api/client";
import { runQuery } from "~/api/queries";
import { type Message, useChannel } from "~/api/stream";
import { queryClient } from "~/app/asking";

export type Scores = Record<string, Record<string, number>>;
export interface Told {
  turn: number;
  metrics: Scores;
}

const BREATH = 200; // ms between two updates of the page
const KEPT = 500; // turns; who missed more asks the server

/** The newest turns, as they were told. Who reads them says from where. */
export class LiveTurns {
  turn = 0;
  private kept: Told[] = [];
  private readonly watchers = new Set<() => void>();

  add(told: Told): void {
    this.turn = Math.max(this.turn, told.turn);
    this.kept.push(told);
    if (this.kept.length > 2 * KEPT) this.kept = this.kept.slice(-KEPT);
  }

  after(turn: number): Told[] {
    const at = this.kept.findIndex((one) => one.turn > turn);
    return at < 0 ? [] : this.kept.slice(at);
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}

/** A crowd's metric is told by its mean, as curves draw it. */
export function plainScores(said: unknown): Scores {
  const table = (said ?? {}) as Record<string, Record<string, number | { mean: number }>>;
  return Object.fromEntries(
    Object.entries(table).map(([agent, metrics]) => [
      agent,
      Object.fromEntries(
        Object.entries(metrics).map(([name, value]) => [
          name,
          typeof value === "number" ? value : value.mean,
        ]),
      ),
    ]),
  );
}

/** A run's detail as it is after what was just said of it. */
export function patched(run: RunDetail, said: Message, metrics: Scores | undefined): RunDetail {
  const turn = Math.max(run.turn, said.turn ?? 0);
  const merged = { ...run.metrics };
  for (const [agent, table] of Object.entries(metrics ?? {})) merged[agent] = { ...merged[agent], ...table };
  return {
    ...run,
    turn,
    as_of: turn,
    max_turns: said.max_turns ?? run.max_turns,
    status: (said.status as Status | undefined) ?? run.status,
    metrics: merged,
  };
}

/** Follow a run: its detail in the cache is kept up to date, and its turns are handed to who draws them. */
export function useFollowed(run: Run | undefined): LiveTurns {
  const runId = run?.run_id;
  const [turns, setTurns] = useState(() => new LiveTurns());
  const pending = useRef<{ said: Message; metrics: Scores | undefined } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const drawn = useRef(0);
  const followed = useRef(runId);
  useEffect(() => {
    if (followed.current !== runId) setTurns(new LiveTurns());
    followed.current = runId;
    pending.current = null;
    return () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [runId]);
  const flush = () => {
    timer.current = undefined;
    drawn.current = performance.now();
    const latest = pending.current;
    pending.current = null;
    if (!latest || !runId) return;
    const key = runQuery(runId).queryKey;
    const before = queryClient.getQueryData(key);
    if (before) queryClient.setQueryData(key, patched(before, latest.said, latest.metrics));
    // What a new status brings (a reason, a head, what waits) is not told by the stream.
    if (before && latest.said.status && before.status !== latest.said.status)
      void queryClient.invalidateQueries({ queryKey: ["run", runId] });
    turns.tell();
  };
  useChannel(runId ? `run:${runId}` : null, (said) => {
    if (said.kind !== "run") return;
    const metrics = said.body?.["metrics"] ? plainScores(said.body["metrics"]) : undefined;
    if (metrics && said.turn) turns.add({ turn: said.turn, metrics });
    pending.current = { said, metrics: metrics ?? pending.current?.metrics };
    // At once if the page had its breath; so a slow run is shown as it goes, and a fast one a few times a second.
    timer.current ??= setTimeout(flush, Math.max(0, drawn.current + BREATH - performance.now()));
  });
  return turns;
}

interface Looked {
  run: RunDetail;
  live: LiveTurns;
  /** The turn that is looked at: the one in the address, or the last. */
  turn: number;
  /** Whether the address names it; otherwise the page goes on with the run. */
  fixed: boolean;
  setTurn: (turn: number | undefined) => void;
}
export const RunContext = createContext<Looked | null>(null);

export function useRun(): Looked {
  const found = useContext(RunContext);
  if (!found) throw new Error("this belongs on the page of a run");
  return found;
}

/** How far the run is known to have come, live. */
export const useLiveTurn = (live: LiveTurns): number => useSyncExternalStore(live.watch, () => live.turn);
