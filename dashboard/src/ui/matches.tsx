// Matches that are over, with who sat where and how each ended; each is a run that can be opened.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schemas } from "~/api/client";
import { digits, figure } from "~/lib/format";
import { Badge, LINK } from "./kit";
import { Table } from "./table";

type Match = Schemas["TournamentMatch"] | Schemas["EvolutionMatch"];

export function MatchTable<One extends Match>({
  all,
  within,
  right = false,
  place,
}: {
  all: readonly One[];
  /** What a match belongs to, such as its round. */
  within: string;
  right?: boolean;
  place: (one: One) => ReactNode;
}) {
  return (
    <Table
      label="matches"
      columns={["Match", within, "Who sat where", "Ending", "Turns", "Seed"]}
      right={right ? [1, 4, 5] : [4, 5]}
      rows={all.map((one) => ({
        key: one.run_id,
        cells: [
          <Link key="run" to="/runs/$runId" params={{ runId: one.run_id }} className={LINK}>
            {one.run_id}
          </Link>,
          place(one),
          <Seats key="seats" seats={one.seats} />,
          <Ending key="ending" match={one} />,
          one.turns.toLocaleString("en"),
          String(one.seed),
        ],
      }))}
    />
  );
}

function Seats({ seats }: { seats: Schemas["MatchSeat"][] }) {
  return (
    <ul>
      {seats.map((one) => (
        <li key={one.seat} className="whitespace-nowrap">
          <span className="text-muted">{one.seat}</span> <span className="font-medium">{one.entrant}</span>
          {seats.length > 1 && <span className="figures"> {digits(one.points)}</span>}
          {one.score !== null && (
            <span className="figures text-muted" title="its score">
              {" "}
              ({figure(one.score)})
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

const TONES = { played: "plain", forfeited: "warn", void: "bad" } as const;

function Ending({ match }: { match: Match }) {
  const { ending, why, fault } = match;
  return (
    <span>
      <Badge tone={TONES[ending]}>{ending}</Badge>
      {ending !== "played" && (
        <span className="block max-w-xs text-muted text-xs">
          {fault && `${fault}: `}
          {why}
        </span>
      )}
    </span>
  );
}
