// Where each history leaves that of the first run. What it says of entries are words of the run, shown as text.
import { Link } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { spoken } from "~/lib/format";
import { Card, LINK } from "~/ui/kit";

export function Partings({ done }: { done: Schemas["Compared"] }) {
  const first = done.runs[0]?.run_id ?? "";
  return (
    <Card title={`Where they leave the history of ${first}`}>
      <ul className="space-y-2 text-sm">
        {done.partings.map((one) => (
          <li key={one.run_id} className="min-w-0">
            <Where parting={one} />
            {one.differences.length > 0 && (
              <ul className="mt-0.5 ml-4 list-disc text-muted text-xs">
                {one.differences.map((text) => (
                  <li key={text} className="break-words">
                    {text}
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Where({ parting }: { parting: Schemas["Parting"] }) {
  const { run_id: id, turn } = parting;
  if (turn === null)
    return (
      <>
        <code className="font-mono text-xs">{id}</code> has the same history, entry by entry.
      </>
    );
  const what = [parting.kind && spoken(parting.kind), parting.actor && `of ${parting.actor}`];
  return (
    <>
      <code className="font-mono text-xs">{id}</code>{" "}
      {turn === 0 ? (
        "from the start"
      ) : (
        <>
          in{" "}
          <Link to="/runs/$runId/turn" params={{ runId: id }} search={{ turn }} className={LINK}>
            turn {turn.toLocaleString("en")}
          </Link>
        </>
      )}
      , entry {parting.seq}: {what.filter(Boolean).join(" ")}
    </>
  );
}
