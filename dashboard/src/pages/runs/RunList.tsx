// However many runs there are: only those in sight are in the page, and the bar at the side is as long as all are.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Run } from "~/api/client";
import { useCommands } from "~/lib/keys";
import { cx } from "~/ui/kit";
import { COLUMNS, RunRow } from "./RunRow";

const NARROW = "(max-width: 767px)";

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const heard = () => setNarrow(media.matches);
    media.addEventListener("change", heard);
    return () => media.removeEventListener("change", heard);
  }, []);
  return narrow;
}

interface Props {
  rows: Run[];
  total: number;
  selected: ReadonlySet<string>;
  onSelect: (run: Run, range: boolean) => void;
  onNear: (index: number) => void;
  order: "created" | "updated";
  menu: (run: Run) => ReactNode;
}

export function RunList({ rows, total, selected, onSelect, onNear, order, menu }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const narrow = useNarrow();
  const height = narrow ? 68 : 44;
  useLayoutEffect(() => {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    setMargin(Math.round(top + window.scrollY));
  }, []);
  const virtual = useWindowVirtualizer({
    count: total,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: margin,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a turned phone has rows of another height
  useEffect(() => virtual.measure(), [height]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onNear(last), [last, onNear]);
  const { current, setCurrent } = useWalk(rows, virtual.scrollToIndex, body, onSelect);
  return (
    // biome-ignore lint/a11y/useSemanticElements: see RunRow
    <div role="table" aria-label="runs" aria-rowcount={total + 1} className="text-sm">
      <Header order={order} />
      {/* biome-ignore lint/a11y/useSemanticElements: see RunRow */}
      <div role="rowgroup" ref={body} className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const run = rows[item.index];
          const top = item.start - margin;
          return run ? (
            <RunRow
              key={run.run_id}
              run={run}
              index={item.index}
              top={top}
              height={height}
              selected={selected.has(run.run_id)}
              current={current === item.index}
              onSelect={onSelect}
              onFocus={setCurrent}
              order={order}
              menu={menu(run)}
            />
          ) : (
            <div key={item.index} aria-hidden className="absolute inset-x-0 px-2" style={{ top, height }}>
              <div className="mt-3 h-4 animate-pulse rounded bg-raised" />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Header({ order }: { order: "created" | "updated" }) {
  const names = ["selected", "run", "status", "turns", "spent", order, "what to do"];
  return (
    // biome-ignore lint/a11y/useSemanticElements: see RunRow
    <div role="rowgroup">
      {/* biome-ignore lint/a11y/useSemanticElements: see RunRow */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: see RunRow */}
      <div
        role="row"
        aria-rowindex={1}
        className={cx(
          "sr-only border-line border-b text-muted text-xs md:not-sr-only md:!px-2 md:!py-1.5",
          COLUMNS,
        )}
      >
        {names.map((name, at) => (
          // biome-ignore lint/a11y/useFocusableInteractive: see RunRow
          // biome-ignore lint/a11y/useSemanticElements: see RunRow
          <span
            key={name}
            role="columnheader"
            className={cx(at >= 4 && "text-right", (at === 0 || at === 6) && "invisible")}
          >
            {name}
          </span>
        ))}
      </div>
    </div>
  );
}

/** j and k go from run to run. The focus goes with them, so that Enter opens as it does on any link. */
function useWalk(
  rows: Run[],
  scrollTo: (index: number, options?: { align?: "auto" }) => void,
  body: React.RefObject<HTMLDivElement | null>,
  onSelect: Props["onSelect"],
) {
  const [current, setCurrent] = useState(-1);
  const go = useCallback(
    (index: number) => {
      const run = rows[Math.max(0, Math.min(index, rows.length - 1))];
      if (!run) return;
      const at = rows.indexOf(run);
      setCurrent(at);
      scrollTo(at, { align: "auto" });
      const focus = () => {
        const link = body.current?.querySelector<HTMLElement>(`[data-run="${CSS.escape(run.run_id)}"] a`);
        link?.focus({ preventScroll: true });
        return link !== null && link !== undefined;
      };
      // At once, for the Enter that follows; a row out of sight has to be drawn first.
      if (!focus()) requestAnimationFrame(() => requestAnimationFrame(focus));
    },
    [rows, scrollTo, body],
  );
  const here = rows[current];
  useCommands([
    { title: "Next run", key: "j", group: "Runs", run: () => go(current + 1) },
    { title: "Run before", key: "k", group: "Runs", run: () => go(current - 1) },
    { title: "Select this run", key: "x", group: "Runs", run: () => here && onSelect(here, false) },
  ]);
  return { current, setCurrent };
}
