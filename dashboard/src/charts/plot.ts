// uPlot behind the few words that Curves needs. It is loaded with the first chart, not with the page.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { figure } from "~/lib/format";
import { aligned, lineOf, moved, nearest, type Range, type Series, zoomed } from "./series";

export interface Wishes {
  /** A click on the plot; the turn of the nearest point. */
  onTurn: (turn: number) => void;
  onHover: (turn: number | null) => void;
  /** What is shown now; null: all there is. */
  onRange: (range: Range | null) => void;
  /** Turns have another place on the screen since. */
  onPlaced: () => void;
}

const WHEEL = 0.002;
const DOUBLE = 250; // ms
const STILL = 4; // pixels a click may move and be none the less a click

/** A colour of the style sheet, as the theme of the moment has it. */
function painter(host: HTMLElement): (variable: string, alpha?: number) => string {
  const probe = document.createElement("span");
  probe.hidden = true;
  host.append(probe);
  return (variable, alpha = 1) => {
    probe.style.color = `color-mix(in srgb, var(${variable}) ${alpha * 100}%, transparent)`;
    return getComputedStyle(probe).color;
  };
}

export class Plot {
  private readonly u: uPlot;
  private readonly watcher: ResizeObserver;
  private turns: number[];
  private range: Range | null = null;
  private placed = "";
  private choosing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: HTMLElement,
    series: readonly Series[],
    label: string,
    private readonly wishes: Wishes,
  ) {
    const data = aligned(series);
    this.turns = data.turns;
    this.u = new uPlot(
      this.options(series, label),
      [data.turns, ...data.columns] as unknown as uPlot.AlignedData,
      host,
    );
    const canvas = this.u.ctx.canvas;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    this.listen(this.u.over);
    this.watcher = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = host;
      if (width > 0 && (width !== this.u.width || height !== this.u.height))
        this.u.setSize({ width, height });
    });
    this.watcher.observe(host);
  }

  destroy(): void {
    clearTimeout(this.choosing);
    this.watcher.disconnect();
    this.u.destroy();
    this.host.replaceChildren();
  }

  /** New values of the same series. Who looks closer goes on looking at the same turns. */
  tell(series: readonly Series[]): void {
    const data = aligned(series);
    this.turns = data.turns;
    this.u.setData([data.turns, ...data.columns] as unknown as uPlot.AlignedData, this.range === null);
    if (this.range) this.u.setScale("x", { min: this.range.first, max: this.range.last });
  }

  show(series: readonly Series[], hidden: ReadonlySet<string>): void {
    this.u.batch(() => {
      let band = series.length + 1;
      series.forEach((one, at) => {
        this.u.setSeries(at + 1, { show: !hidden.has(one.id) });
        if (one.band)
          for (let edge = 0; edge < 2; edge++) this.u.setSeries(band++, { show: !hidden.has(one.id) });
      });
    });
  }

  emphasize(place: number | null): void {
    this.u.setSeries(place === null ? null : place + 1, { focus: true });
  }

  get whole(): Range {
    return { first: this.turns[0] ?? 0, last: this.turns.at(-1) ?? 1 };
  }

  look(range: Range | null): void {
    const { first, last } = this.whole;
    const all = range === null || (range.first <= first && range.last >= last);
    this.range = all ? null : range;
    this.u.setScale("x", { min: all ? first : range.first, max: all ? last : range.last });
    this.wishes.onRange(this.range);
  }

  zoom(by: number, around?: number): void {
    const range = this.range ?? this.whole;
    this.look(zoomed(range, around ?? (range.first + range.last) / 2, by, this.whole));
  }

  /** Shift what is shown by a share of its width. */
  pan(share: number): void {
    if (!this.range) return;
    this.look(moved(this.range, (this.range.last - this.range.first) * share, this.whole));
  }

  /** Show this turn, if what is shown leaves it out. */
  reach(turn: number): void {
    const range = this.range;
    if (!range || (turn >= range.first && turn <= range.last)) return;
    this.look(moved(range, turn < range.first ? turn - range.first : turn - range.last, this.whole));
  }

  /** Pixels from the left edge of the host; null outside of what is shown. */
  left(turn: number): number | null {
    const { min, max } = this.u.scales["x"] ?? {};
    if (typeof min !== "number" || typeof max !== "number" || turn < min || turn > max) return null;
    return this.u.over.offsetLeft + this.u.valToPos(turn, "x");
  }

  get box(): { top: number; height: number } {
    return { top: this.u.over.offsetTop, height: this.u.over.offsetHeight };
  }

  private options(series: readonly Series[], label: string): uPlot.Options {
    const paint = painter(this.host);
    const edges = series.flatMap((one, at) => (one.band ? [at, at] : []));
    const axis = {
      stroke: paint("--color-muted"),
      grid: { stroke: paint("--color-line", 0.6), width: 1 },
      ticks: { stroke: paint("--color-line"), width: 1, size: 5 },
      font: "12px system-ui, sans-serif",
    };
    return {
      width: Math.max(50, this.host.clientWidth),
      height: Math.max(80, this.host.clientHeight),
      title: "",
      id: label,
      legend: { show: false },
      padding: [10, 12, 0, 0],
      focus: { alpha: 0.25 },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 },
        bind: {
          mousedown: (_u, _target, handler) => (event) => {
            if (event.button === 0 && !event.shiftKey) handler(event);
            return null;
          },
          dblclick: () => () => {
            clearTimeout(this.choosing);
            this.look(null);
            return null;
          },
        },
      },
      scales: {
        x: {
          time: false,
          range: (_u, min, max) =>
            min === null || max === null ? [0, 1] : min < max ? [min, max] : [min - 1, max + 1],
        },
      },
      axes: [
        {
          ...axis,
          size: 28,
          incrs: TURN_STEPS,
          values: (_u, turns) => turns.map((turn) => turn.toLocaleString("en")),
        },
        { ...axis, size: 64, values: (_u, values) => values.map(figure) },
      ],
      series: [
        {},
        ...series.map((one, at) => this.line(one, at, paint)),
        ...edges.map(() => ({ stroke: "transparent", width: 0, points: { show: false } })),
      ],
      bands: bandsOf(series, paint),
      hooks: {
        setCursor: [
          (u) => this.wishes.onHover(u.cursor.idx == null ? null : (this.turns[u.cursor.idx] ?? null)),
        ],
        setSelect: [(u) => this.selected(u)],
        draw: [() => this.drawn()],
      },
    };
  }

  private line(one: Series, at: number, paint: ReturnType<typeof painter>): uPlot.Series {
    const { variable, dash } = lineOf(one, at);
    const stroke = paint(variable);
    return {
      label: one.label,
      stroke,
      width: 1.75,
      dash: [...dash],
      spanGaps: true,
      points: { size: 4, fill: stroke },
    };
  }

  private selected(u: uPlot): void {
    const { left, width } = u.select;
    if (width <= STILL) return;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.look({ first: u.posToVal(left, "x"), last: u.posToVal(left + width, "x") });
  }

  private drawn(): void {
    const { min, max } = this.u.scales["x"] ?? {};
    const placed = [min, max, this.u.width, this.u.height].join();
    if (placed === this.placed) return;
    this.placed = placed;
    this.wishes.onPlaced();
  }

  private listen(over: HTMLElement): void {
    over.style.touchAction = "pan-y";
    let from: { x: number; y: number; range: Range | null; pans: boolean } | null = null;
    over.addEventListener("pointerdown", (event) => {
      const pans = event.pointerType === "touch" || event.shiftKey || event.button === 1;
      from = { x: event.clientX, y: event.clientY, range: this.range, pans };
      if (pans && this.range) over.setPointerCapture(event.pointerId);
    });
    over.addEventListener("pointermove", (event) => {
      if (!from?.pans || !from.range || event.buttons === 0) return;
      const share = (from.x - event.clientX) / over.clientWidth;
      this.look(moved(from.range, (from.range.last - from.range.first) * share, this.whole));
    });
    over.addEventListener("click", (event) => {
      const still = from && Math.hypot(event.clientX - from.x, event.clientY - from.y) < STILL;
      from = null;
      clearTimeout(this.choosing);
      if (!still || this.turns.length === 0) return;
      const at = nearest(this.turns, this.u.posToVal(event.clientX - over.getBoundingClientRect().left, "x"));
      const turn = this.turns[at] as number;
      // A double click shows all turns again; its first half is not to choose one.
      if (this.range) this.choosing = setTimeout(() => this.wishes.onTurn(turn), DOUBLE);
      else this.wishes.onTurn(turn);
    });
    over.addEventListener("wheel", (event) => this.wheeled(event, over), { passive: false });
  }

  /** The wheel zooms a chart that has the focus (or with Ctrl); otherwise the page scrolls on. */
  private wheeled(event: WheelEvent, over: HTMLElement): void {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways && this.range) {
      event.preventDefault();
      this.pan((event.deltaX || event.deltaY) / over.clientWidth);
    } else if (event.ctrlKey || event.metaKey || this.host.parentElement?.contains(document.activeElement)) {
      event.preventDefault();
      const x = event.clientX - over.getBoundingClientRect().left;
      this.zoom(Math.exp(event.deltaY * WHEEL), this.u.posToVal(x, "x"));
    }
  }
}

/** There is no half of a turn. */
const TURN_STEPS = Array.from({ length: 8 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

function bandsOf(series: readonly Series[], paint: ReturnType<typeof painter>): uPlot.Band[] {
  let edge = series.length + 1;
  return series.flatMap((one, at) => {
    if (!one.band) return [];
    const low = edge;
    edge += 2;
    return [{ series: [low + 1, low] as uPlot.Band.Bounds, fill: paint(lineOf(one, at).variable, 0.18) }];
  });
}
