// What every panel of a page may want to know of it.
import { createContext, useContext } from "react";
import type { RunDetail } from "~/api/client";

export interface Showing {
  run: RunDetail;
  /** The turn whose picture is shown, which may lag behind the one that was asked for. */
  turn: number;
  /** The agent one looks at, as the address has it. */
  agent: string | undefined;
  setSearch: (next: { turn?: number; agent?: string }) => void;
}

const Context = createContext<Showing | null>(null);
export const Shown = Context.Provider;

export function useShowing(): Showing {
  const found = useContext(Context);
  if (!found) throw new Error("this belongs on a world's page");
  return found;
}
