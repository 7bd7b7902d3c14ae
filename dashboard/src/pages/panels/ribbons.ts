// Where the ends and the ribbons of flows lie: from the left to the right, as wide as what they carry.
import type { Schemas } from "~/api/client";

export type Flow = Schemas["PanelFlow"];

export interface End {
  name: string;
  /** All that starts, or ends, here. */
  total: number;
  /** Its part of the column, where its label has room. */
  slot: { top: number; height: number };
  top: number;
  height: number;
}

export interface Ribbon {
  flow: Flow;
  left: { top: number; height: number };
  right: { top: number; height: number };
}

export interface Picture {
  starts: End[];
  ends: End[];
  ribbons: Ribbon[];
  height: number;
}

type Side = "start" | "end";

/** `body`: how high all of it together is; `pitch`: the room that a label needs. Ends stand in the order given. */
export function picture(
  flows: readonly Flow[],
  order: readonly string[],
  body: number,
  pitch: number,
): Picture {
  const drawn = flows.filter((one) => one.value !== 0);
  const sum = drawn.reduce((so, one) => so + Math.abs(one.value), 0);
  const scale = sum > 0 ? body / sum : 0;
  const sides = { start: totals(drawn, "start", order), end: totals(drawn, "end", order) };
  const tall = (side: Side) => sides[side].reduce((so, [, total]) => so + Math.max(pitch, total * scale), 0);
  const height = Math.max(tall("start"), tall("end"), pitch);
  const starts = placed(sides.start, scale, pitch, height - tall("start"));
  const ends = placed(sides.end, scale, pitch, height - tall("end"));
  return { starts, ends, ribbons: laid(drawn, starts, ends, scale), height };
}

function totals(flows: readonly Flow[], side: Side, order: readonly string[]): [string, number][] {
  const found = new Map<string, number>();
  for (const one of flows) found.set(one[side], (found.get(one[side]) ?? 0) + Math.abs(one.value));
  const rank = (name: string) => {
    const at = order.indexOf(name);
    return at < 0 ? order.length : at;
  };
  return [...found].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function placed(all: [string, number][], scale: number, pitch: number, spare: number): End[] {
  const gap = all.length > 0 ? spare / all.length : 0;
  let at = 0;
  return all.map(([name, total]) => {
    const height = total * scale;
    const slot = { top: at, height: Math.max(pitch, height) + gap };
    at += slot.height;
    return { name, total, slot, top: slot.top + (slot.height - height) / 2, height };
  });
}

/** Ribbons leave and reach an end in the order of the ends across from it: they cross as little as may be. */
function laid(flows: readonly Flow[], starts: readonly End[], ends: readonly End[], scale: number): Ribbon[] {
  const place = (all: readonly End[]) => new Map(all.map((one, at) => [one.name, at]));
  const [left, right] = [place(starts), place(ends)];
  const sorted = [...flows].sort(
    (a, b) =>
      (left.get(a.start) ?? 0) - (left.get(b.start) ?? 0) ||
      (right.get(a.end) ?? 0) - (right.get(b.end) ?? 0),
  );
  const out = starts.map((one) => one.top);
  const into = ends.map((one) => one.top);
  return sorted.map((flow) => {
    const height = Math.abs(flow.value) * scale;
    const from = left.get(flow.start) ?? 0;
    const to = right.get(flow.end) ?? 0;
    const ribbon = {
      flow,
      left: { top: out[from] ?? 0, height },
      right: { top: into[to] ?? 0, height },
    };
    out[from] = ribbon.left.top + height;
    into[to] = ribbon.right.top + height;
    return ribbon;
  });
}

/** The outline of a ribbon in a picture 100 wide. */
export function outline({ left, right }: Ribbon): string {
  const [a, b] = [left.top, left.top + left.height];
  const [c, d] = [right.top, right.top + right.height];
  return `M0,${a} C50,${a} 50,${c} 100,${c} L100,${d} C50,${d} 50,${b} 0,${b} Z`;
}
