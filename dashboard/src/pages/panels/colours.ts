// One colour for one agent, in all panels of a page.
import { createContext, useContext } from "react";
import type { Schemas } from "~/api/client";

/** Names in the order in which the page tells of them: curves first, which follow the scenario's own order. */
export function namesOf(page: Schemas["PanelPage"]): string[] {
  const found = new Set<string>();
  const all = page.panels.flatMap(({ parts }) => parts.map((part) => part.data));
  for (const data of all)
    if (data?.kind === "curves")
      for (const one of data.series) if (one.agent !== "world") found.add(one.agent);
  for (const data of all)
    if (data?.kind === "flows") for (const one of data.flows) found.add(one.start).add(one.end);
  return [...found];
}

export const Names = createContext<readonly string[]>([]);

export const useNames = (): readonly string[] => useContext(Names);

/** Its line of the style, counted from 1. */
export const lineOfName = (names: readonly string[], name: string): number =>
  Math.max(0, names.indexOf(name)) + 1;
