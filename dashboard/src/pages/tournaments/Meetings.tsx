// Who met whom: a crosstable, or the bracket of an elimination.
import type { Schemas } from "~/api/client";
import { digits } from "~/lib/format";
import { cx } from "~/ui/kit";
import { Table } from "~/ui/table";

const MOST = 40; // entrants: a crosstable of more is nothing to look at

/** Everyone's points against everyone, in the order of the standings. */
export function Crosstable({
  rows,
  order,
}: {
  rows: readonly Schemas["CrossRow"][];
  order: readonly string[];
}) {
  const by = new Map(rows.map((one) => [one.entrant, one.against]));
  const shown = order.slice(0, MOST);
  return (
    <>
      <Table
        label="who met whom"
        columns={["Points against", ...shown]}
        right={shown.map((_, at) => at + 1)}
        rows={shown.map((mine) => ({
          key: mine,
          cells: [mine, ...shown.map((other) => against(by.get(mine)?.[other], mine === other))],
        }))}
      />
      {order.length > shown.length && (
        <p className="mt-2 text-muted text-sm">
          The first {MOST} of {order.length.toLocaleString("en")} entrants.
        </p>
      )}
    </>
  );
}

function against(sums: Schemas["CrossSums"] | undefined, self: boolean): string {
  if (self) return "·";
  if (!sums) return "";
  return sums.meetings > 1 ? `${digits(sums.points)} of ${sums.meetings}` : digits(sums.points);
}

export function Bracket({ rounds }: { rounds: readonly Schemas["BracketRound"][] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label="bracket" tabIndex={0} className="max-w-full overflow-x-auto">
      <ol className="flex gap-4">
        {rounds.map((round, at) => (
          <li key={at} className="flex min-w-44 flex-col justify-around gap-3">
            <h3 className="font-medium text-muted text-xs">{round.label}</h3>
            <ul className="flex flex-1 flex-col justify-around gap-3">
              {round.matches.map((one, place) => (
                <li key={place} className="rounded-md border border-line text-sm">
                  {one.sides.map((side, seat) => (
                    <p
                      key={seat}
                      className={cx(
                        "flex justify-between gap-3 px-2 py-1",
                        seat > 0 && "border-line border-t",
                        side.through ? "font-semibold" : "text-muted",
                      )}
                    >
                      <span className="truncate">
                        {side.entrant ?? "–"}
                        {side.through && <span className="sr-only"> went through</span>}
                      </span>
                      <span className="figures">{side.points === null ? "" : digits(side.points)}</span>
                    </p>
                  ))}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  );
}
