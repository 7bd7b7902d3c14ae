// Rows in the order of a column; what has no value stands at the end either way.
import type { Schemas } from "~/api/client";
import type { Cell } from "./said";

export interface Order {
  column: number;
  down: boolean;
}

type Row = Schemas["PanelTableRow"];

function compare(a: Cell | undefined, b: Cell | undefined, down: boolean): number {
  const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
  if (noA || noB) return Number(noA) - Number(noB);
  const by =
    typeof a === "string" || typeof b === "string"
      ? String(a).localeCompare(String(b), "en", { numeric: true })
      : Number(a) - Number(b);
  return down ? -by : by;
}

export const sorted = (rows: readonly Row[], order: Order | null): readonly Row[] =>
  order === null
    ? rows
    : [...rows].sort((a, b) => compare(a.cells[order.column], b.cells[order.column], order.down));
