// Which runs are chosen; with the shift key all between two of them.
import { useCallback, useMemo, useRef, useState } from "react";
import type { Run } from "~/api/client";

export function useSelection(rows: Run[]) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const latest = useRef(rows);
  latest.current = rows;
  const select = useCallback((run: Run, range: boolean) => {
    const from = last.current;
    last.current = run.run_id;
    setSelected((now) => chosen(now, latest.current, run.run_id, range ? from : null));
  }, []);
  const clear = useCallback(() => setSelected(new Set()), []);
  const all = useMemo(
    () => (selected.size === 0 ? [] : rows.filter((run) => selected.has(run.run_id))),
    [rows, selected],
  );
  return { selected, chosen: all, select, clear };
}

/** One more or one less; with `from`, all rows between the two. */
export function chosen(
  now: ReadonlySet<string>,
  rows: readonly Run[],
  run: string,
  from: string | null,
): ReadonlySet<string> {
  const next = new Set(now);
  const [a, b] = [rows.findIndex((one) => one.run_id === from), rows.findIndex((one) => one.run_id === run)];
  if (from !== null && from !== run && a >= 0 && b >= 0)
    for (const one of rows.slice(Math.min(a, b), Math.max(a, b) + 1)) next.add(one.run_id);
  else if (!next.delete(run)) next.add(run);
  return next;
}
