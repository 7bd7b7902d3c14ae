// What is different between two versions of a strategy: field by field, and its text line by line.
import type { Schemas } from "~/api/client";
import { spoken } from "~/lib/format";
import { Data } from "./data";
import { cx } from "./kit";
import { Empty } from "./states";
import { Table } from "./table";

export function Difference({
  changes,
  instructions,
  before,
  after,
  from,
}: {
  changes: readonly Schemas["StrategyChange"][];
  /** A unified diff; empty where the texts are one. */
  instructions: string;
  before: string;
  after: string;
  from: string;
}) {
  if (changes.length === 0 && !instructions) return <Empty title="Nothing that plays differs" />;
  return (
    <div className="space-y-3">
      {changes.length > 0 && (
        <Table
          label="what changed"
          columns={["Field", before, after]}
          rows={changes.map((one) => ({
            key: one.field,
            cells: [
              <code key="field" className="font-mono text-xs">
                {one.field}
              </code>,
              <Data key="before" value={one.before} label={`${spoken(one.field)} in ${before}`} />,
              <Data key="after" value={one.after} label={`${spoken(one.field)} in ${after}`} />,
            ],
          }))}
        />
      )}
      {instructions && <Lines from={from}>{instructions}</Lines>}
    </div>
  );
}

const TONES: Record<string, string> = { "+": "bg-good-soft text-good", "-": "bg-bad-soft text-bad" };

/** A unified diff. Somebody wrote what is in it: each line is text, with its own sign before it. */
function Lines({ children, from }: { children: string; from: string }) {
  const lines = children.split("\n").filter((line, at) => !(at < 2 && /^(---|\+\+\+)/.test(line)));
  return (
    <figure className="min-w-0 rounded-md border border-line border-l-4 bg-ground py-2">
      <figcaption className="mb-1 px-3 text-muted text-xs">the instructions of {from}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre tabIndex={0} className="max-h-96 overflow-auto font-mono text-xs">
        {lines.map((line, at) => (
          <span
            key={at}
            className={cx("block whitespace-pre-wrap break-words px-3", TONES[line[0] ?? ""] ?? "text-muted")}
          >
            {line || " "}
          </span>
        ))}
      </pre>
    </figure>
  );
}
