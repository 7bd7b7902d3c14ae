// What goes from whom to whom: two columns, and ribbons as wide as what they carry. The same as a table.
import { useMemo, useState } from "react";
import { lineOf } from "~/charts/series";
import { change } from "~/lib/format";
import { Button, cx } from "~/ui/kit";
import { lineOfName, useNames } from "../colours";
import type { PartOf } from "../PanelFrame";
import { type End, outline, picture } from "../ribbons";
import { amount, exact, more, number } from "../said";
import { More, None, Sheet } from "./parts";

const BODY = 200; // px of all ribbons together
const PITCH = 42; // px that a name and a number need

/** What is pointed at: a ribbon, or all that leaves or reaches an end. */
interface Pointed {
  start?: string;
  end?: string;
}

export function FlowsPanel({ panel, data }: PartOf<"flows">) {
  const [asTable, setAsTable] = useState(false);
  const drawn = data.flows.some((one) => one.value !== 0);
  if (!drawn) return <None>Nothing flowed in this turn.</None>;
  return (
    <>
      <div className="mb-1 flex justify-end">
        <Button look="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)} className="text-xs">
          {asTable ? "Show as ribbons" : "Show as a table"}
        </Button>
      </div>
      {asTable ? (
        <Sheet label={`${panel.title} as a table`}>
          <Table flows={data.flows} unit={panel.unit} title={panel.title} />
        </Sheet>
      ) : (
        <Ribbons flows={data.flows} unit={panel.unit} title={panel.title} />
      )}
      {data.more > 0 && <More>{more(data.more, "flows")}</More>}
    </>
  );
}

type Flows = PartOf<"flows">["data"]["flows"];
interface Said {
  flows: Flows;
  unit: string;
  title: string;
}

const meant = (at: Pointed, start: string, end: string): boolean =>
  (at.start === undefined || at.start === start) && (at.end === undefined || at.end === end);

function Ribbons({ flows, unit, title }: Said) {
  const names = useNames();
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const { starts, ends, ribbons, height } = useMemo(() => picture(flows, names, BODY, PITCH), [flows, names]);
  const sum = flows.reduce((so, one) => so + Math.abs(one.value), 0);
  const colour = (name: string) => `var(${lineOf({ colour: lineOfName(names, name) }, 0).variable})`;
  const column = (all: readonly End[], side: "start" | "end") => (
    <Ends all={all} side={side} flows={flows} unit={unit} colour={colour} onPoint={setPointed} />
  );
  return (
    <figure aria-label={`${title}: from the left to the right`} className="min-w-0">
      <div
        className="grid grid-cols-[minmax(4.5rem,9rem)_minmax(5rem,1fr)_minmax(4.5rem,9rem)]"
        style={{ height }}
      >
        {column(starts, "start")}
        <svg
          aria-hidden="true"
          viewBox={`0 0 100 ${height}`}
          preserveAspectRatio="none"
          className="h-full w-full"
          onPointerLeave={() => setPointed(null)}
        >
          {ribbons.map((one) => {
            const { start, end } = one.flow;
            const dim = pointed !== null && !meant(pointed, start, end);
            return (
              <path
                key={JSON.stringify([start, end])}
                d={outline(one)}
                fill={colour(start)}
                fillOpacity={dim ? 0.1 : pointed ? 0.8 : 0.5}
                onPointerEnter={() => setPointed({ start, end })}
              />
            );
          })}
        </svg>
        {column(ends, "end")}
      </div>
      <figcaption className="figures mt-2 min-h-10 text-muted text-xs sm:min-h-5">
        {telling(flows, pointed, unit, sum)}
      </figcaption>
    </figure>
  );
}

/** In a sentence, what is pointed at; else all of it. */
function telling(flows: Flows, at: Pointed | null, unit: string, sum: number): string {
  const all = flows.filter((one) => at === null || meant(at, one.start, one.end));
  const total = all.reduce((so, one) => so + one.value, 0);
  const share = sum > 0 ? change(Math.abs(total) / sum).replace("+", "") : "";
  if (at === null) return `${amount(total, unit)} in all. Point at a ribbon or a name to see its part.`;
  const from = at.start === undefined ? "" : ` from ${at.start}`;
  const to = at.end === undefined ? "" : ` to ${at.end}`;
  return `${amount(total, unit)}${from}${to}: ${share} of all`;
}

function Ends({
  all,
  side,
  flows,
  unit,
  colour,
  onPoint,
}: {
  all: readonly End[];
  side: "start" | "end";
  flows: Flows;
  unit: string;
  colour: (name: string) => string;
  onPoint: (at: Pointed | null) => void;
}) {
  const left = side === "start";
  return (
    <ul aria-label={left ? "from" : "to"} className="relative min-w-0">
      {all.map((one) => {
        const at: Pointed = left ? { start: one.name } : { end: one.name };
        const parts = flows
          .filter((flow) => flow[side] === one.name)
          .map((flow) => `${amount(flow.value, unit)} ${left ? `to ${flow.end}` : `from ${flow.start}`}`);
        return (
          <li
            key={one.name}
            className="absolute inset-x-0"
            style={{ top: one.slot.top, height: one.slot.height }}
          >
            <button
              type="button"
              onPointerEnter={() => onPoint(at)}
              onPointerLeave={() => onPoint(null)}
              onFocus={() => onPoint(at)}
              onBlur={() => onPoint(null)}
              className={cx(
                "flex h-full w-full min-w-0 flex-col justify-center rounded leading-tight hover:bg-raised",
                left ? "items-end pr-3 text-right" : "items-start pl-3 text-left",
              )}
            >
              <span className="w-full truncate font-medium text-sm">{one.name}</span>
              <span className="figures w-full truncate text-muted text-xs">{amount(one.total, unit)}</span>
              <span className="sr-only">: {parts.join(", ")}</span>
            </button>
            <span
              aria-hidden
              className={cx("pointer-events-none absolute w-1.5 rounded-sm", left ? "right-0" : "left-0")}
              style={{
                top: one.top - one.slot.top,
                height: Math.max(2, one.height),
                background: colour(one.name),
              }}
            />
          </li>
        );
      })}
    </ul>
  );
}

function Table({ flows, unit, title }: Said) {
  const head = "px-2 py-1 font-medium text-muted text-xs";
  return (
    <table className="figures w-full border-collapse text-sm [overflow-wrap:break-word]">
      <caption className="sr-only">{title}</caption>
      <thead>
        <tr className="text-left">
          <th scope="col" className={head}>
            from
          </th>
          <th scope="col" className={head}>
            to
          </th>
          <th scope="col" className={cx(head, "text-right")}>
            {unit || "value"}
          </th>
        </tr>
      </thead>
      <tbody>
        {flows.map((one) => (
          <tr key={JSON.stringify([one.start, one.end])} className="border-line border-t">
            <th scope="row" className="px-2 py-1 text-left font-medium">
              {one.start}
            </th>
            <td className="px-2 py-1">{one.end}</td>
            <td className="px-2 py-1 text-right" title={exact(one.value, unit)}>
              {number(one.value)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
