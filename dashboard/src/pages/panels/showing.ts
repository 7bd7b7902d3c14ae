// What every panel of a page may want to know of it. It changes with the picture, not with each word of the run.
import { createContext, useContext } from "react";
import type { Status } from "~/api/client";

export interface Showing {
  runId: string;
  status: Status;
  /** Who plays, as far as anybody scores. */
  agents: ReadonlySet<string>;
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
