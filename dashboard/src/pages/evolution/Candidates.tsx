// The candidates of one generation: where each came from, what differs, and what it gained.
import { useNavigate } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { Card, cx, FIELD, Words } from "~/ui/kit";
import { Empty } from "~/ui/states";
import { Table } from "~/ui/table";
import { signed } from "./parts";
import { differs } from "./standing";

type Candidate = Schemas["EvolutionCandidate"];

export function Candidates({ told }: { told: Schemas["Evolution"] }) {
  return (
    <Card title="Candidates" aside={told.generations.length > 1 && <Which told={told} />}>
      {told.candidates.length === 0 ? (
        <Empty title="No generation is over yet">
          Its candidates are told here when one is, the best first.
        </Empty>
      ) : (
        <Table
          label="candidates"
          columns={["Candidate", "Gain", "Made by", "What differs", "Lucks", "Refused"]}
          right={[1, 4, 5]}
          rows={told.candidates.map((one) => ({
            key: one.name,
            dim: one.failed !== "",
            cells: [
              <span key="name" className="font-medium">
                {one.name}
                {one.name === told.verdict?.candidate && (
                  <span className="block font-normal text-muted text-xs">met the gate</span>
                )}
              </span>,
              <Gain key="gain" one={one} />,
              <Origin key="origin" one={one} />,
              <Different key="differs" one={one} />,
              one.lucks.toLocaleString("en"),
              one.refused.toLocaleString("en"),
            ],
          }))}
        />
      )}
    </Card>
  );
}

function Which({ told }: { told: Schemas["Evolution"] }) {
  const navigate = useNavigate();
  return (
    <label className="flex items-center gap-2 text-sm">
      generation
      <select
        className={cx(FIELD, "!w-auto")}
        value={told.shown ?? ""}
        onChange={(event) =>
          void navigate({
            to: "/evolution",
            search: { id: told.run_id, generation: Number(event.target.value) },
            replace: true,
            resetScroll: false,
          })
        }
      >
        {told.generations.map((one) => (
          <option key={one.generation}>{one.generation}</option>
        ))}
      </select>
    </label>
  );
}

const Gain = ({ one }: { one: Candidate }) => (
  <span className="whitespace-nowrap">
    {signed(one.gain)}
    {one.error !== null && (
      <span className="text-muted" title="its standard error">
        {" "}
        ± {signed(one.error).replace("+", "")}
      </span>
    )}
  </span>
);

function Origin({ one }: { one: Candidate }) {
  return (
    <span className="block min-w-32">
      {one.operator} of {one.parents.join(" and ")}
      <span className="block text-muted text-xs">in generation {one.generation}</span>
    </span>
  );
}

function Different({ one }: { one: Candidate }) {
  return (
    <span className="block min-w-56 max-w-xl">
      {differs(one)}
      {one.failed && <span className="block text-bad text-xs">{one.failed}</span>}
      {one.instructions && ( // of numbers, what differs says it all
        <details className="mt-1 text-xs">
          <summary className="text-muted">why</summary>
          {one.why && (
            <Words className="mt-1" from={one.operator}>
              {one.why}
            </Words>
          )}
          {one.instructions && (
            <Words className="mt-1" from={one.operator}>
              {one.instructions}
            </Words>
          )}
        </details>
      )}
    </span>
  );
}
