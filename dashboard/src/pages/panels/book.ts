// What an order book says at a glance.
import type { Schemas } from "~/api/client";

type Level = Schemas["PanelLevel"];

export interface Summary {
  bid: number | null;
  ask: number | null;
  spread: number | null;
  middle: number | null;
  /** The largest size on either side: both are drawn to one scale. */
  deepest: number;
}

export function summary(bids: readonly Level[], asks: readonly Level[]): Summary {
  const bid = bids[0]?.price ?? null;
  const ask = asks[0]?.price ?? null;
  const both = bid !== null && ask !== null;
  return {
    bid,
    ask,
    spread: both ? ask - bid : null,
    middle: both ? (ask + bid) / 2 : null,
    deepest: [...bids, ...asks].reduce((so, one) => Math.max(so, one.size), 0),
  };
}
