// Curves over turns: live, long, and readable without colour, without a mouse, and without seeing.
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Button, cx } from "~/ui/kit";
import { Legend } from "./Legend";
import type { Plot } from "./plot";
import type { Mark, Range, Series } from "./series";
import { Figures } from "./Table";

export type { Mark, Range, Series } from "./series";

export interface CurvesProps {
  series: readonly Series[];
  /** The turn that is looked at; a line marks it. */
  turn?: number | undefined;
  onTurn?: ((turn: number) => void) | undefined;
  marks?: readonly Mark[];
  /** Which turns are shown, for who can tell more of them than all; null: all there is. */
  onRange?: ((range: Range | null) => void) | undefined;
  height?: number;
  unit?: string;
  label?: string;
  /** What a turn is called here. */
  step?: string;
  /** They are on their way: that there are none yet cannot be said. */
  coming?: boolean | undefined;
}

export function Curves(props: CurvesProps) {
  const { series, marks = [], height = 280, unit, label = "curves", step = "turn", coming = false } = props;
  // Who does not care which turn is looked at leaves that to the chart.
  const [own, setOwn] = useState<number>();
  const turn = props.turn ?? own;
  const onTurn = props.onTurn ?? setOwn;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [hovered, setHovered] = useState<number | null>(null);
  const [asTable, setAsTable] = useState(false);
  const last = useMemo(() => Math.max(0, ...series.map((one) => one.turns.at(-1) ?? 0)), [series]);
  const { area, plot, range } = usePlot({ ...props, onTurn }, hidden, setHovered);
  const shown = series.filter((one) => !hidden.has(one.id));
  const spoken = `${label}: ${shown.map((one) => one.label).join(", ")}, ${last.toLocaleString("en")} ${step}s`;
  const toggle = useCallback(
    (id: string) =>
      setHidden((now) => {
        const next = new Set(now);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    [],
  );
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target === event.currentTarget && pressed(event, plot, turn ?? last, series, onTurn))
      event.preventDefault();
  };
  return (
    <section
      aria-label={label}
      aria-busy={coming || (series.length > 0 && plot === null)}
      className="min-w-0"
    >
      <Tools
        plot={plot}
        range={range}
        unit={unit}
        step={step}
        asTable={asTable}
        onTable={() => setAsTable(!asTable)}
      />
      {asTable && (
        <Figures
          series={shown}
          range={range}
          height={height}
          turn={turn}
          unit={unit}
          label={label}
          step={step}
        />
      )}
      <div className={cx("relative", asTable && "hidden")} style={{ height }}>
        <div
          role="slider"
          aria-label={spoken}
          aria-valuemin={series[0]?.turns[0] ?? 0}
          aria-valuemax={last}
          aria-valuenow={turn ?? last}
          aria-valuetext={`${step} ${turn ?? last}`}
          tabIndex={0}
          onKeyDown={onKeyDown}
          title={`drag: look closer · double click: all · arrow keys: another ${step}`}
          className="absolute inset-0"
        >
          <div ref={area} className="absolute inset-0 overflow-hidden" />
        </div>
        <Marker plot={plot} turn={turn} />
        {marks.map((one) => (
          <MarkButton key={`${one.turn} ${one.label}`} mark={one} plot={plot} onTurn={onTurn} />
        ))}
        {series.length === 0 && (
          <p className="grid h-full place-items-center text-muted text-sm">
            {coming ? "loading" : "no curve yet"}
          </p>
        )}
      </div>
      <Legend
        series={series}
        hidden={hidden}
        turn={hovered ?? turn ?? last}
        step={step}
        onToggle={toggle}
        onPoint={(place) => plot?.emphasize(place)}
      />
    </section>
  );
}

/** The plot in its place, told of what changes. It is made anew only where its lines are others. */
function usePlot(props: CurvesProps, hidden: ReadonlySet<string>, onHover: (turn: number | null) => void) {
  const { series, label = "curves" } = props;
  const area = useRef<HTMLDivElement>(null);
  const latest = useRef({ ...props, hidden });
  latest.current = { ...props, hidden };
  const [plot, setPlot] = useState<Plot | null>(null);
  const [range, setRange] = useState<Range | null>(null);
  const [, setPlaced] = useState(0);
  const dark = useDark();
  const shape = JSON.stringify(series.map((one) => [one.id, one.label, one.colour, Boolean(one.band)]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: shape and theme stand for what it is made of
  useEffect(() => {
    if (latest.current.series.length === 0) return; // nothing to zoom in yet
    let made: Plot | null = null;
    let gone = false;
    void import("./plot").then((room) => {
      if (gone || !area.current) return;
      made = new room.Plot(area.current, latest.current.series, label, {
        onTurn: (turn) => latest.current.onTurn?.(turn),
        onHover,
        onRange: (next) => {
          setRange(next);
          latest.current.onRange?.(next);
        },
        onPlaced: () => setPlaced((count) => count + 1),
      });
      made.show(latest.current.series, latest.current.hidden);
      setPlot(made);
    });
    return () => {
      gone = true;
      made?.destroy();
      setPlot(null);
      setRange(null);
    };
  }, [shape, dark, label]);
  useEffect(() => plot?.tell(series), [plot, series]);
  useEffect(() => plot?.show(latest.current.series, hidden), [plot, hidden]);
  return { area, plot, range };
}

const DARK = matchMedia("(prefers-color-scheme: dark)");

function useDark(): boolean {
  const [dark, setDark] = useState(DARK.matches);
  useEffect(() => {
    const changed = () => setDark(DARK.matches);
    DARK.addEventListener("change", changed);
    return () => DARK.removeEventListener("change", changed);
  }, []);
  return dark;
}

/** A key in the chart; whether it meant something. */
function pressed(
  event: KeyboardEvent,
  plot: Plot | null,
  turn: number,
  series: readonly Series[],
  onTurn: (turn: number) => void,
): boolean {
  if (!plot || event.ctrlKey || event.metaKey || event.altKey) return false;
  const { first, last } = plot.whole;
  const page = Math.max(1, Math.round((last - first) / 10));
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowDown: -1,
    ArrowRight: 1,
    ArrowUp: 1,
    PageUp: page,
    PageDown: -page,
    Home: first - turn,
    End: last - turn,
  };
  const step = steps[event.key];
  if (event.key === "+" || event.key === "=") plot.zoom(0.5, turn);
  else if (event.key === "-") plot.zoom(2, turn);
  else if (event.key === "0") plot.look(null);
  else if (step === undefined || series.length === 0) return false;
  else if (event.shiftKey) plot.pan(Math.sign(step) * 0.2);
  else {
    const next = Math.min(last, Math.max(first, turn + step));
    plot.reach(next);
    onTurn(next);
  }
  return true;
}

function Tools({
  plot,
  range,
  unit,
  step,
  asTable,
  onTable,
}: {
  plot: Plot | null;
  range: Range | null;
  unit: string | undefined;
  step: string;
  asTable: boolean;
  onTable: () => void;
}) {
  const tool = (name: string, sign: string, run: () => void, off = false) => (
    <Button look="quiet" aria-label={name} title={name} onClick={run} disabled={off || !plot || asTable}>
      <span aria-hidden>{sign}</span>
    </Button>
  );
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-3 text-muted text-xs">
      <span className="figures">
        {range
          ? `${step}s ${Math.ceil(range.first).toLocaleString("en")} to ${Math.floor(range.last).toLocaleString("en")}`
          : `all ${step}s`}
        {unit && ` · ${unit}`}
      </span>
      <span className="flex items-center">
        {tool(`earlier ${step}s`, "‹", () => plot?.pan(-0.5), !range)}
        {tool(`later ${step}s`, "›", () => plot?.pan(0.5), !range)}
        {tool("look closer", "+", () => plot?.zoom(0.5))}
        {tool("look from further away", "−", () => plot?.zoom(2), !range)}
        {tool(`show all ${step}s`, "⤢", () => plot?.look(null), !range)}
        <Button look="quiet" aria-pressed={asTable} onClick={onTable}>
          {asTable ? "Show as curves" : "Show as a table"}
        </Button>
      </span>
    </div>
  );
}

function Marker({ plot, turn }: { plot: Plot | null; turn: number | undefined }) {
  const left = turn === undefined ? null : plot?.left(turn);
  if (!plot || left === null || left === undefined) return null;
  const { top, height } = plot.box;
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute border-accent border-l-2"
      style={{ left: left - 1, top, height }}
    >
      <span className="figures -translate-x-1/2 -top-2.5 absolute left-0 whitespace-nowrap rounded bg-accent px-1 font-medium text-[11px] text-on-accent">
        {turn?.toLocaleString("en")}
      </span>
    </div>
  );
}

function MarkButton({
  mark,
  plot,
  onTurn,
}: {
  mark: Mark;
  plot: Plot | null;
  onTurn: (turn: number) => void;
}) {
  const left = plot?.left(mark.turn);
  if (!plot || left === null || left === undefined) return null;
  const { top, height } = plot.box;
  return (
    <button
      type="button"
      title={mark.label}
      aria-label={mark.label}
      onClick={() => onTurn(mark.turn)}
      className="absolute size-6 text-warn text-xs leading-none"
      style={{ left: left - 12, top: top + height - 22 }}
    >
      <span aria-hidden>▲</span>
    </button>
  );
}
