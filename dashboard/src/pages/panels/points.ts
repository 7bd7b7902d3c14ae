// The curves of a panel, put together from what was asked for by name.
import type { Schemas } from "~/api/client";

type Wanted = Schemas["PanelSeries"];
type Told = Schemas["Curve"];

export interface Points {
  id: string;
  turns: readonly number[];
  values: readonly number[];
}

/** Each wanted curve times the scale, in the order wanted; one that was not told is empty. */
export function series(wanted: readonly Wanted[], told: readonly Told[], scale: number): Points[] {
  const found = new Map(told.map((one) => [JSON.stringify([one.agent, one.name]), one]));
  return wanted.map(({ agent, name }) => {
    const id = JSON.stringify([agent, name]);
    const curve = found.get(id);
    const values = curve?.values ?? [];
    return {
      id,
      turns: curve?.turns ?? [],
      values: scale === 1 ? values : values.map((value) => value * scale),
    };
  });
}

/** How to call them: by what tells them apart. `each`: every agent has one, so that its colour may stand for it. */
export function labels(wanted: readonly Wanted[]): { by: string[]; each: boolean } {
  const agents = new Set(wanted.map((one) => one.agent));
  const names = new Set(wanted.map((one) => one.name));
  if (names.size === 1) return { by: wanted.map((one) => one.agent), each: true };
  if (agents.size === 1) return { by: wanted.map((one) => one.name), each: false };
  return { by: wanted.map((one) => `${one.agent}: ${one.name}`), each: false };
}
