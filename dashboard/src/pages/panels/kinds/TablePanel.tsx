// Rows and columns. A press on a column's name puts the rows in its order.
import { useState } from "react";
import { cx } from "~/ui/kit";
import type { PartOf } from "../PanelFrame";
import { more } from "../said";
import { type Order, sorted } from "../sorting";
import { More, None, Sheet, Value } from "./parts";

export function TablePanel({ panel, data }: PartOf<"table">) {
  const [order, setOrder] = useState<Order | null>(null);
  if (data.rows.length === 0) return <None>No rows yet.</None>;
  const rows = sorted(data.rows, order);
  const numeric = data.columns.map((_, at) => data.rows.every(({ cells }) => typeof cells[at] !== "string"));
  // Numbers stand under each other to the right, but for a first column, which is what a row begins with.
  const right = numeric.map((is, at) => is && (at > 0 || data.labels.length > 0));
  const press = (column: number) =>
    setOrder(
      order?.column !== column
        ? { column, down: numeric[column] === true }
        : order.down === (numeric[column] === true)
          ? { column, down: !order.down }
          : null,
    );
  return (
    <>
      <Sheet label={panel.title} high={rows.length > HIGH}>
        <table className="w-full border-separate border-spacing-0 text-sm [overflow-wrap:break-word]">
          <caption className="sr-only">{panel.title}</caption>
          <thead>
            <tr className={cx(rows.length > HIGH && "sticky top-0 z-10 bg-surface")}>
              {data.labels.map((label) => (
                <th
                  key={label}
                  scope="col"
                  className="px-1.5 py-1 text-left align-bottom font-medium text-muted text-xs"
                >
                  {label}
                </th>
              ))}
              {data.columns.map((column, at) => (
                <Heading
                  key={at}
                  {...column}
                  right={right[at] === true}
                  sort={order?.column === at ? (order.down ? "descending" : "ascending") : "none"}
                  onPress={() => press(at)}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, place) => (
              <Row key={place} row={row} labels={data.labels.length} columns={data.columns} right={right} />
            ))}
          </tbody>
        </table>
      </Sheet>
      {data.more > 0 && <More>{more(data.more, "rows")}</More>}
    </>
  );
}

const HIGH = 14; // rows; a longer table scrolls in its place

function Heading({
  label,
  unit,
  right,
  sort,
  onPress,
}: {
  label: string;
  unit: string;
  right: boolean;
  sort: "ascending" | "descending" | "none";
  onPress: () => void;
}) {
  return (
    <th
      scope="col"
      aria-sort={sort}
      className={cx("p-0 align-bottom font-medium text-xs", right ? "text-right" : "text-left")}
    >
      <button
        type="button"
        onClick={onPress}
        className={cx(
          "w-full rounded px-1.5 py-1 text-muted hover:bg-raised hover:text-ink",
          right ? "text-right" : "text-left",
        )}
      >
        {label}
        {unit && <span className="ml-1 font-normal">({unit})</span>}
        {sort !== "none" && <span aria-hidden> {sort === "ascending" ? "↑" : "↓"}</span>}
      </button>
    </th>
  );
}

type Data = PartOf<"table">["data"];

function Row({
  row,
  labels,
  columns,
  right,
}: {
  row: Data["rows"][number];
  labels: number;
  columns: Data["columns"];
  right: readonly boolean[];
}) {
  return (
    <tr className="group hover:bg-raised">
      {row.names.slice(0, labels).map((name, at) => (
        <th
          key={at}
          scope="row"
          className={cx(
            "border-line border-t px-1.5 py-1 text-left align-top font-medium",
            at === 0 && "sticky left-0 bg-surface group-hover:bg-raised",
          )}
        >
          {name}
        </th>
      ))}
      {row.cells.map((cell, at) => (
        <td
          key={at}
          className={cx(
            "border-line border-t px-1.5 py-1 align-top",
            right[at] ? "whitespace-nowrap text-right" : "text-left",
          )}
        >
          <Value cell={cell} unit={columns[at]?.unit ?? ""} />
        </td>
      ))}
    </tr>
  );
}
