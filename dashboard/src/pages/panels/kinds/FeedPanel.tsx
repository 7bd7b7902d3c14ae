// Entries one below the other, the newest at the end: who, to whom, when, and what.
import { Link } from "@tanstack/react-router";
import { useLayoutEffect, useRef } from "react";
import { Badge, LINK } from "~/ui/kit";
import type { PartOf } from "../PanelFrame";
import { amount, more, said } from "../said";
import { useShowing } from "../showing";
import { Body, More, None } from "./parts";

type Data = PartOf<"feed">["data"];

export function FeedPanel({ panel, data, part }: PartOf<"feed">) {
  return (
    <>
      <Feed title={panel.title} items={data.items} fields={data.fields} left={data.more} />
      {part.from === "waiting" && data.items.length > 0 && <Decide />}
    </>
  );
}

/** What waits for people leads to where they decide. */
function Decide() {
  const { runId } = useShowing();
  return (
    <p className="mt-2 flex gap-4 text-sm">
      <Link to="/approvals" className={LINK}>
        Decide what waits for approval
      </Link>
      <Link to="/runs/$runId/answer" params={{ runId }} className={LINK}>
        Answer what is asked
      </Link>
    </p>
  );
}

const NEAR = 24; // px from the end that still count as being at the end

export function Feed({
  title,
  items,
  fields,
  left,
}: {
  title: string;
  items: Data["items"];
  fields: Data["fields"];
  left: number;
}) {
  const place = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  // Who reads the newest goes on reading the newest; who looked further up is left where he is.
  useLayoutEffect(() => {
    const element = place.current;
    if (items.length > 0 && element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [items]);
  if (items.length === 0) return <None>Nothing was said or done yet.</None>;
  return (
    <>
      {left > 0 && <More>{more(left, "earlier entries")}</More>}
      <section
        ref={place}
        aria-label={title}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        className="relative max-h-[28rem] overflow-y-auto"
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR;
        }}
      >
        <ol className="space-y-3">
          {items.map((one, at) => (
            <Item key={at} one={one} fields={fields} />
          ))}
        </ol>
      </section>
    </>
  );
}

function Item({ one, fields }: { one: Data["items"][number]; fields: Data["fields"] }) {
  const { runId, agents } = useShowing();
  return (
    <li className="min-w-0">
      <p className="mb-1 flex flex-wrap items-baseline gap-x-2 gap-y-0.5 text-xs">
        {one.from && <span className="font-medium text-sm">{one.from}</span>}
        {one.to !== null && <span className="text-muted">to {one.to.join(", ") || "nobody"}</span>}
        {one.kind && <Badge>{one.kind}</Badge>}
        {one.cells.map((cell, at) =>
          cell === null || cell === "" ? null : (
            <span key={at} className="figures">
              <span className="text-muted">{fields[at]?.label}</span>{" "}
              {typeof cell === "number" ? amount(cell, fields[at]?.unit) : said(cell)}
            </span>
          ),
        )}
        {one.turn !== null && (
          <Link
            to="/runs/$runId/turn"
            params={{ runId: runId }}
            search={{ turn: one.turn, ...(agents.has(one.from) && { agent: one.from }) }}
            className="figures ml-auto text-muted underline decoration-line underline-offset-2 hover:text-ink"
          >
            turn {one.turn.toLocaleString("en")}
          </Link>
        )}
      </p>
      {one.text !== "" && <Body text={one.text} />}
    </li>
  );
}
