// One run in the list: a line of a table, or a card of two lines on a phone. Its height never changes.
import { Link } from "@tanstack/react-router";
import { memo, type ReactNode } from "react";
import type { Run } from "~/api/client";
import { Icon } from "~/ui/icons";
import { Badge, cx, Progress, Spent, StatusBadge, Time } from "~/ui/kit";

export const COLUMNS =
  "md:grid md:grid-cols-[1.75rem_minmax(12rem,1fr)_7rem_minmax(8rem,11rem)_4.5rem_7rem_2.25rem] md:gap-x-3 md:items-center";

const Cell = ({ children, className }: { children: ReactNode; className?: string }) => (
  // biome-ignore lint/a11y/useSemanticElements: rows stand at places of their own, as no <tr> can
  <div role="cell" className={cx("min-w-0", className)}>
    {children}
  </div>
);

interface Props {
  run: Run;
  index: number;
  top: number;
  height: number;
  selected: boolean;
  current: boolean;
  onSelect: (run: Run, range: boolean) => void;
  onFocus: (index: number) => void;
  order: "created" | "updated";
  menu: ReactNode;
}

export const RunRow = memo(function RunRow({
  run,
  index,
  top,
  height,
  selected,
  current,
  onSelect,
  onFocus,
  order,
  menu,
}: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: see Cell
    // biome-ignore lint/a11y/useFocusableInteractive: its link has the focus
    <div
      role="row"
      aria-rowindex={index + 2}
      data-run={run.run_id}
      onFocus={() => onFocus(index)}
      style={{ top, height }}
      className={cx(
        "absolute inset-x-0 grid grid-cols-[1.75rem_minmax(0,1fr)_auto] content-center items-center gap-x-2 gap-y-1 border-line border-b px-2 text-sm",
        COLUMNS,
        selected ? "bg-accent-soft" : current ? "bg-raised" : "hover:bg-raised/60",
      )}
    >
      <Cell>
        <input
          type="checkbox"
          aria-label={`select ${run.run_id}`}
          checked={selected}
          onChange={() => {}}
          onClick={(event) => onSelect(run, event.shiftKey)}
          className="size-4 align-middle accent-accent"
        />
      </Cell>
      <Cell>
        <Name run={run} />
      </Cell>
      <Cell className="text-right md:text-left">
        <StatusBadge status={run.status} reason={run.reason} />
      </Cell>
      <Cell className="col-span-2 col-start-1 md:col-auto">
        <Progress turn={run.turn} of={run.max_turns} label={`turns of ${run.run_id}`} />
      </Cell>
      <Cell className="hidden text-right md:block">
        <Spent dollars={run.spent} />
      </Cell>
      <Cell className="hidden text-right text-muted text-xs md:block">
        <Time at={order === "updated" ? run.updated : run.created} />
      </Cell>
      <Cell className="text-right">{menu}</Cell>
    </div>
  );
});

function Name({ run }: { run: Run }) {
  return (
    <div className="flex min-w-0 items-baseline gap-2">
      <Link
        to="/runs/$runId"
        params={{ runId: run.run_id }}
        preload={false}
        className="truncate font-medium hover:underline"
        title={run.scenario}
      >
        {run.scenario}
      </Link>
      <code className="shrink-0 font-mono text-muted text-xs">{run.run_id}</code>
      {run.parent && (
        <span
          className="hidden shrink-0 text-muted text-xs lg:inline"
          title={`a fork of ${run.parent}, from turn ${run.parent_turn}`}
        >
          <Icon sign="branch" className="inline size-3.5" />
          <span className="sr-only">a fork of</span> {run.parent} @{run.parent_turn}
        </span>
      )}
      <span className="hidden min-w-0 gap-1 truncate lg:flex">
        {run.tags.slice(0, 3).map((tag) => (
          <Badge key={tag}>{tag}</Badge>
        ))}
      </span>
    </div>
  );
}
