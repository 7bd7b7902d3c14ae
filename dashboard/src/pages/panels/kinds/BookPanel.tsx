// An order book: who would buy, and who would sell, at which price; best first on both sides.
import { cx } from "~/ui/kit";
import { summary } from "../book";
import type { PartOf } from "../PanelFrame";
import { amount, exact, more, number } from "../said";
import { More, None } from "./parts";

export function BookPanel({ panel, data }: PartOf<"book">) {
  const { unit } = panel;
  if (data.bids.length + data.asks.length === 0) return <None>No order stands in the book.</None>;
  const { bid, ask, spread, middle, deepest } = summary(data.bids, data.asks);
  const facts: [string, number | null][] = [
    ["Best bid", bid],
    ["Best ask", ask],
    ["Spread", spread],
    ["Middle", middle],
  ];
  return (
    <>
      <dl className="mb-2 flex flex-wrap gap-x-5 gap-y-1 text-sm">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-muted text-xs">{name}</dt>
            <dd className="figures font-medium" title={exact(value, unit)}>
              {amount(value, unit)}
            </dd>
          </div>
        ))}
      </dl>
      <div className="grid grid-cols-2 items-start gap-2">
        <Side name="Bids" levels={data.bids} deepest={deepest} unit={unit} />
        <Side name="Asks" levels={data.asks} deepest={deepest} unit={unit} />
      </div>
      {data.more > 0 && <More>{more(data.more, "prices")}</More>}
    </>
  );
}

function Side({
  name,
  levels,
  deepest,
  unit,
}: {
  name: "Bids" | "Asks";
  levels: PartOf<"book">["data"]["bids"];
  deepest: number;
  unit: string;
}) {
  const bids = name === "Bids";
  // Sizes stand outside and prices in the middle, where both sides meet.
  const order = cx("flex justify-between gap-2 px-2 py-0.5", !bids && "flex-row-reverse");
  return (
    <table className="figures w-full text-sm">
      <caption className="px-2 text-left font-medium text-xs">{name}</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">size</th>
          <th scope="col">price, {unit || "no unit"}</th>
        </tr>
      </thead>
      <tbody>
        {levels.map((one) => (
          <tr key={one.price} className="relative">
            <td className="relative p-0" colSpan={2}>
              <span
                aria-hidden
                className={cx(
                  "absolute inset-y-px rounded-sm opacity-25",
                  bids ? "right-0 bg-[var(--line-1)]" : "left-0 bg-[var(--line-2)]",
                )}
                style={{ width: deepest > 0 ? `${(one.size / deepest) * 100}%` : 0 }}
              />
              <span className={cx("relative", order)}>
                <span className="text-muted">
                  <span className="sr-only">size </span>
                  {number(one.size)}
                </span>
                <span className="font-medium" title={exact(one.price, unit)}>
                  <span className="sr-only">at </span>
                  {number(one.price)}
                </span>
              </span>
            </td>
          </tr>
        ))}
        {levels.length === 0 && (
          <tr>
            <td colSpan={2} className="px-2 py-0.5 text-muted text-xs">
              {bids ? "nobody buys" : "nobody sells"}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
