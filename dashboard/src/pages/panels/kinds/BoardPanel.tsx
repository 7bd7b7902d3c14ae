// Cards in columns: what stands where.
import type { PartOf } from "../PanelFrame";
import { amount, exact, more, said } from "../said";
import { More, None, Sheet } from "./parts";

export function BoardPanel({ panel, data }: PartOf<"board">) {
  if (data.columns.length === 0) return <None>No cards yet.</None>;
  return (
    <>
      <Sheet label={panel.title}>
        <div className="flex min-w-full gap-2 pb-1">
          {data.columns.map((column) => (
            <section key={column.name} className="w-44 min-w-32 flex-1 rounded-md bg-ground p-2">
              <h3 className="mb-2 flex justify-between gap-2 text-xs">
                <span className="font-medium">{column.name}</span>
                <span className="figures text-muted">
                  {column.cards.length}
                  <span className="sr-only"> {column.cards.length === 1 ? "card" : "cards"}</span>
                </span>
              </h3>
              <ul className="space-y-2">
                {column.cards.map((card, at) => (
                  <Card key={at} card={card} fields={data.fields} />
                ))}
              </ul>
            </section>
          ))}
        </div>
      </Sheet>
      {data.more > 0 && <More>{more(data.more, "cards")}</More>}
    </>
  );
}

type Data = PartOf<"board">["data"];

function Card({ card, fields }: { card: Data["columns"][number]["cards"][number]; fields: Data["fields"] }) {
  return (
    <li className="rounded-md border border-line bg-surface px-2 py-1.5 text-sm">
      <p className="font-medium">{card.title}</p>
      <dl className="mt-0.5 text-xs">
        {card.cells.map((cell, at) => (
          <div key={at} className="flex flex-wrap justify-between gap-x-2">
            <dt className="text-muted">{fields[at]?.label}</dt>
            <dd
              className="figures"
              {...(typeof cell === "number" && { title: exact(cell, fields[at]?.unit) })}
            >
              {typeof cell === "number" ? amount(cell, fields[at]?.unit) : said(cell)}
            </dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
