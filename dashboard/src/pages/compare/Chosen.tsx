// The runs that are compared: what each is, which is the yardstick, and the way to others.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { api, type Schemas, told } from "~/api/client";
import { Swatch } from "~/charts/Legend";
import { Badge, Button, cx, FIELD, LINK, Progress, StatusBadge, Time } from "~/ui/kit";
import { partOf } from "./differences";
import { lineFor } from "./lines";

export function Chosen({ done, onRuns }: { done: Schemas["Compared"]; onRuns: (runs: string[]) => void }) {
  const ids = done.runs.map((one) => one.run_id);
  return (
    <ul className="grid gap-2 sm:grid-cols-2 xl:grid-cols-3">
      {done.runs.map((run, at) => {
        const part = partOf(run.run_id, done.changed);
        return (
          <li
            key={run.run_id}
            className="flex min-w-0 flex-col gap-1 rounded-lg border border-line bg-surface px-3 py-2 text-sm"
          >
            <div className="flex min-w-0 items-center gap-2">
              <Swatch {...lineFor(run.run_id, at, done.changed)} />
              <Link to="/runs/$runId" params={{ runId: run.run_id }} className={cx(LINK, "min-w-0 truncate")}>
                {run.scenario} <code className="font-mono text-xs">{run.run_id}</code>
              </Link>
              <span className="ml-auto flex shrink-0 items-center">
                {at > 0 && (
                  <button
                    type="button"
                    title="measure the others by this one"
                    aria-label={`put ${run.run_id} first`}
                    onClick={() => onRuns([run.run_id, ...ids.filter((one) => one !== run.run_id)])}
                    className="rounded px-1.5 text-muted hover:bg-raised hover:text-ink"
                  >
                    <span aria-hidden>↥</span>
                  </button>
                )}
                <button
                  type="button"
                  title="leave it out"
                  aria-label={`leave out ${run.run_id}`}
                  onClick={() => onRuns(ids.filter((one) => one !== run.run_id))}
                  className="rounded px-1.5 text-muted hover:bg-raised hover:text-ink"
                >
                  <span aria-hidden>✕</span>
                </button>
              </span>
            </div>
            <div className="flex flex-wrap items-center gap-1">
              {at === 0 && <Badge tone="accent">yardstick</Badge>}
              {part && <Badge>{part}</Badge>}
              <StatusBadge status={run.status} reason={run.reason} />
              <span className="text-muted text-xs">
                seed {run.seed}
                {run.parent && `, from ${run.parent} at turn ${run.parent_turn}`}
              </span>
            </div>
            <Progress turn={run.turn} of={run.max_turns} label={`turns of ${run.run_id}`} />
          </li>
        );
      })}
    </ul>
  );
}

/** Find a run and put it beside the others. */
export function AddRun({
  ids,
  onAdd,
  open = false,
}: {
  ids: string[];
  onAdd: (id: string) => void;
  open?: boolean;
}) {
  const [text, setText] = useState("");
  const [wanted, setWanted] = useState(open);
  const sought = useDeferredValue(text.trim());
  const list = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (wanted && !open) field.current?.focus(); // it was asked for
  }, [wanted, open]);
  const found = useQuery({
    queryKey: ["runs", "to compare", sought],
    queryFn: ({ signal }) =>
      told(api.GET("/api/simulations", { params: { query: { text: sought || null, limit: 20 } }, signal })),
    enabled: wanted,
    placeholderData: (before) => before,
  });
  const rows = (found.data?.runs ?? []).filter((one) => !ids.includes(one.run_id)).slice(0, 8);
  if (!wanted)
    return (
      <Button onClick={() => setWanted(true)}>
        <span aria-hidden>+</span> Add a run
      </Button>
    );
  return (
    <div className="w-full max-w-xl">
      <div className="flex gap-2">
        <input
          type="search"
          ref={field}
          aria-label="a run to compare"
          aria-controls={list}
          placeholder="id, scenario or tag"
          className={FIELD}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {!open && <Button onClick={() => setWanted(false)}>Done</Button>}
      </div>
      <ul id={list} className="mt-1 rounded-md border border-line bg-surface">
        {rows.map((run) => (
          <li key={run.run_id} className="border-line border-b last:border-0">
            <button
              type="button"
              onClick={() => onAdd(run.run_id)}
              className="flex w-full items-center gap-2 px-2 py-1.5 text-left text-sm hover:bg-raised"
            >
              <span className="min-w-0 flex-1 truncate">
                {run.scenario} <code className="font-mono text-muted text-xs">{run.run_id}</code>
              </span>
              <StatusBadge status={run.status} />
              <span className="hidden w-20 text-right text-muted text-xs sm:inline">
                <Time at={run.created} />
              </span>
            </button>
          </li>
        ))}
        {rows.length === 0 && <li className="px-2 py-1.5 text-muted text-sm">no other run is like that</li>}
      </ul>
    </div>
  );
}

export function TurnField({
  turn,
  last,
  fair,
  onTurn,
}: {
  turn: number | undefined;
  last: number;
  fair: number | null;
  onTurn: (turn: number | null) => void;
}) {
  const [typed, setTyped] = useState(turn === undefined ? "" : String(turn));
  useEffect(() => setTyped(turn === undefined ? "" : String(turn)), [turn]);
  return (
    <form
      className="flex flex-wrap items-center gap-2 text-sm"
      onSubmit={(event) => {
        event.preventDefault();
        onTurn(typed.trim() === "" ? null : Math.min(last, Math.max(0, Math.floor(Number(typed)))));
      }}
    >
      <label className="flex items-center gap-2">
        As they stood after turn
        <input
          type="number"
          min={0}
          max={last}
          placeholder="last"
          className={cx(FIELD, "figures !w-24")}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={(event) => event.currentTarget.form?.requestSubmit()}
        />
      </label>
      {turn !== undefined && (
        <Button look="quiet" onClick={() => onTurn(null)}>
          As they stand
        </Button>
      )}
      {fair !== null && (
        <span className="text-warn">
          they have not come equally far:{" "}
          <button type="button" className="underline" onClick={() => onTurn(fair)}>
            compare after turn {fair}
          </button>
        </span>
      )}
    </form>
  );
}
