// A curve that grows: what the server told of it, what was told since, and more of the part one looks at.
import type { Schemas } from "~/api/client";
import type { Series } from "~/charts/series";
import type { Told } from "./live";

type Curve = Pick<Schemas["Curve"], "agent" | "turns" | "values">;

/** Of one curve; beyond it every second one is dropped, so that memory stays flat however long one watches. */
export const MOST = 6_000;

export class Growing {
  private upto = 0;
  private readonly curves = new Map<string, { turns: number[]; values: number[] }>();

  constructor(
    readonly name: string,
    told: readonly Curve[],
    upto = 0,
  ) {
    this.fetched(told, upto);
  }

  /** The turn up to which all curves are known. One that has ended needs no more turns to be known. */
  get known(): number {
    const ends = [...this.curves.values()].map((one) => one.turns.at(-1) ?? 0);
    return ends.length ? Math.max(this.upto, Math.min(...ends)) : this.upto;
  }

  /** Turns from the stream. One is taken only where it follows the last: a gap is for the server to fill. */
  streamed(turns: readonly Told[]): boolean {
    let grew = false;
    for (const { turn, metrics } of turns)
      for (const [agent, curve] of this.curves) {
        const value = metrics[agent]?.[this.name];
        if (value === undefined || curve.turns.at(-1) !== turn - 1) continue;
        curve.turns.push(turn);
        curve.values.push(value);
        grew = true;
      }
    if (grew) this.thin();
    return grew;
  }

  /** More from the server: what is not yet known of it is put at the end. */
  fetched(told: readonly Curve[], upto = 0): void {
    this.upto = Math.max(this.upto, upto);
    for (const { agent, turns, values } of told) {
      const curve = this.curves.get(agent) ?? { turns: [], values: [] };
      this.curves.set(agent, curve);
      const last = curve.turns.at(-1) ?? -1;
      turns.forEach((turn, at) => {
        if (turn <= last) return;
        curve.turns.push(turn);
        curve.values.push(values[at] as number);
      });
    }
    this.thin();
  }

  private thin(): void {
    for (const curve of this.curves.values()) {
      if (curve.turns.length <= MOST) continue;
      const end = curve.turns.length - 1;
      const keep = (_: number, at: number) => at === end || at % 2 === 0;
      curve.turns = curve.turns.filter(keep);
      curve.values = curve.values.filter(keep);
    }
  }

  series(closer: readonly Curve[] = []): Series[] {
    const near = new Map(closer.map((one) => [one.agent, one]));
    return [...this.curves].map(([agent, curve]) => ({
      id: agent,
      label: agent,
      ...spliced(curve, near.get(agent)),
    }));
  }
}

/** A sampled curve with the part that was looked at more closely put in. */
export function spliced(
  coarse: { turns: number[]; values: number[] },
  near: Curve | undefined,
): { turns: number[]; values: number[] } {
  const [first, last] = [near?.turns[0], near?.turns.at(-1)];
  if (!near || first === undefined || last === undefined) return coarse;
  const before = coarse.turns.findIndex((turn) => turn >= first);
  const after = coarse.turns.findIndex((turn) => turn > last);
  const head = before < 0 ? coarse.turns.length : before;
  const tail = after < 0 ? coarse.turns.length : after;
  const join = (all: number[], part: number[]) => [...all.slice(0, head), ...part, ...all.slice(tail)];
  return { turns: join(coarse.turns, near.turns), values: join(coarse.values, near.values) };
}

/** Metric names in the order in which people want them: the headline, wealth, then all others. */
export function metricNames(
  metrics: Record<string, Record<string, number>>,
  headline: readonly string[],
): string[] {
  const all = new Set(Object.values(metrics).flatMap((table) => Object.keys(table)));
  const first = [...headline, "wealth"].filter((name) => all.has(name));
  return [...new Set([...first, ...all])];
}
