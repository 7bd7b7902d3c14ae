// The table of a tournament: places, points, and each rating with its interval on one axis.
import { Link } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { digits, figure } from "~/lib/format";
import { LINK } from "~/ui/kit";
import { Empty } from "~/ui/states";
import { Table } from "~/ui/table";
import { type Axis, axisOf, flaws, placeOn, ranks, registered } from "./standing";

type Line = Schemas["TournamentLine"];
const WIDTH = 180;
const HEIGHT = 16;
const INSET = 5;

const COLUMNS = [
  "Place",
  "Entrant",
  "Points",
  "Won – drawn – lost",
  "Rating",
  "95% interval",
  "Rank",
  "Elo",
  "Score",
  "Flaws",
];

export function StandingsTable({ lines }: { lines: readonly Line[] }) {
  if (lines.length === 0) return <Empty title="Nobody entered" />;
  const axis = axisOf(lines);
  return (
    <Table
      label="standings"
      columns={COLUMNS}
      right={[2, 3, 4, 6, 7, 8]}
      rows={lines.map((one) => ({
        key: one.entrant,
        cells: [
          <span key="place" className="figures">
            {one.pool ? "pool" : one.rank}
          </span>,
          <Entrant key="entrant" line={one} />,
          digits(one.points),
          `${one.wins} – ${one.draws} – ${one.losses}`,
          rounded(one.rating),
          <Interval key="interval" line={one} axis={axis} />,
          ranks(one),
          rounded(one.elo),
          figure(one.score),
          flaws(one) || <span className="text-muted">none</span>,
        ],
      }))}
    />
  );
}

export const rounded = (value: number | null): string =>
  value === null ? "–" : (Math.round(value) || 0).toLocaleString("en"); // never a zero with a sign

function Entrant({ line }: { line: Line }) {
  const known = registered(line.strategy);
  return (
    <span>
      <span className="font-medium">{line.entrant}</span>
      <span className="block text-muted text-xs">
        {known ? (
          <Link to="/strategies" search={known} className={LINK}>
            {line.strategy}
          </Link>
        ) : (
          line.strategy
        )}
      </span>
    </span>
  );
}

function Interval({ line, axis }: { line: Line; axis: Axis | null }) {
  if (!axis || line.low === null || line.high === null || line.rating === null)
    return <span className="text-muted">–</span>;
  const at = (value: number) => INSET + placeOn(axis, value) * (WIDTH - 2 * INSET);
  const said = `${rounded(line.low)} to ${rounded(line.high)}`;
  return (
    <svg role="img" aria-label={said} width={WIDTH} height={HEIGHT} className="text-accent">
      <title>{said}</title>
      <line x1={INSET} x2={WIDTH - INSET} y1="8" y2="8" className="stroke-line" strokeWidth="1" />
      <line x1={at(line.low)} x2={at(line.high)} y1="8" y2="8" stroke="currentColor" strokeWidth="3" />
      <circle cx={at(line.rating)} cy="8" r="4.5" fill="currentColor" />
    </svg>
  );
}
