// The form of a scenario: who plays, how long, and the world's own parameters, those that it sets first.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { worldQuery } from "~/api/queries";
import { type Misfit, type Path, resolved, type Schema } from "~/lib/schema";
import { Card, cx, FIELD } from "~/ui/kit";
import { placed, SchemaField, SchemaFields } from "~/ui/schema-form";
import { Seat } from "~/ui/seat";
import { type AgentValue, seated, seatOf } from "./request";

type Plain = Record<string, unknown>;
interface Props {
  root: Schema;
  world: string;
  value: Plain;
  before: Plain;
  misfits: readonly Misfit[];
  onChange: (path: Path, value: unknown) => void;
}

const FIRST = ["turns", "seed", "model"];
// What names the scenario, and what has a place of its own here.
const ELSEWHERE = new Set([
  "world",
  "name",
  "title",
  "description",
  "agents",
  "parameters",
  "tags",
  ...FIRST,
]);

export function Fields(props: Props) {
  const { root, value } = props;
  const all = Object.entries(root.properties ?? {});
  const form = { root, onChange: props.onChange, misfits: props.misfits };
  return (
    <>
      <Card title="How long, and with which luck">
        <SchemaFields
          {...form}
          fields={all.filter(([name]) => FIRST.includes(name))}
          value={value}
          path={[]}
        />
      </Card>
      <Agents {...props} />
      <Parameters {...props} />
      <Card title="More">
        <SchemaFields
          {...form}
          fields={all.filter(([name]) => !ELSEWHERE.has(name))}
          value={value}
          path={[]}
        />
      </Card>
    </>
  );
}

const agentsOf = (value: Plain): AgentValue[] =>
  Array.isArray(value["agents"])
    ? (value["agents"] as unknown[]).filter(
        (one): one is AgentValue => typeof one === "object" && one !== null && "id" in one,
      )
    : [];

function Agents({ root, world, value, before, misfits, onChange }: Props) {
  const about = useQuery(worldQuery(world));
  const was = new Map(agentsOf(before).map((one) => [one.id, one]));
  const all = Array.isArray(value["agents"]) ? (value["agents"] as unknown[]) : [];
  const entry = resolved(root.properties?.["agents"]?.items ?? {}, root);
  const choose = (at: number, agent: AgentValue, seat: string) => {
    const policies = about.data?.roles.find((one) => one.name === agent.role)?.policies ?? [];
    for (const [name, next] of Object.entries(seated(seat, policies, was.get(agent.id))))
      onChange(["agents", at, name], next);
  };
  return (
    <Card title={`Who plays (${all.length})`}>
      <ul className="space-y-2 text-sm">
        {agentsOf(value).map((agent, at) => (
          <li key={at} className="rounded-md border border-line px-3 py-2">
            <div className="flex flex-wrap items-center justify-between gap-2">
              <span className="min-w-0">
                <strong className="font-medium">{agent.id}</strong>{" "}
                <span className="text-muted text-xs">{String(agent.role).replaceAll("_", " ")}</span>
              </span>
              <Seat
                world={world}
                role={agent.role}
                label={`who decides for ${agent.id}`}
                value={seatOf(agent)}
                unchanged={unsaid(was.get(agent.id) ?? agent)}
                onChange={(seat) => choose(at, agent, seat)}
              />
            </div>
            {misfits
              .filter((one) => one.path[0] === "agents" && one.path[1] === at)
              .map((one) => (
                <p key={one.message} role="alert" className="text-bad text-xs">
                  {one.path.slice(2).join(".")}: {one.message}
                </p>
              ))}
            {["llm", "team", "human"].includes(agent.kind ?? "") && entry.properties?.["instructions"] && (
              <div className="mt-2">
                <SchemaField
                  root={root}
                  misfits={misfits}
                  onChange={onChange}
                  schema={entry.properties["instructions"]}
                  path={["agents", at, "instructions"]}
                  value={(agent as unknown as Plain)["instructions"]}
                />
              </div>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

const unsaid = (agent: AgentValue): string => {
  const kind = agent.kind ?? "rule";
  if (kind === "rule") return `as written: ${agent.policy || "its role's first policy"}`;
  return `as written: ${kind === "llm" ? agent.model || "a model" : `a ${kind}`}`;
};

function Parameters({ root, value, misfits, onChange, before }: Props) {
  const [sought, setSought] = useState("");
  const schema = resolved(root.properties?.["parameters"] ?? {}, root);
  const fields = Object.entries(schema.properties ?? {});
  const plain = (of: Plain): Plain =>
    typeof of["parameters"] === "object" && of["parameters"] !== null ? (of["parameters"] as Plain) : {};
  const [now, then] = [plain(value), plain(before)];
  // What the scenario sets, and what is wrong, stands first; what one sets now stays where it is.
  const first = fields.filter(([name]) => name in then);
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const rest = fields
    .filter(([name]) => !(name in then))
    .filter(([name, one]) =>
      words.every((word) => `${name} ${resolved(one, root).description}`.toLowerCase().includes(word)),
    );
  const form = { root, misfits, onChange, value: now, path: ["parameters"] as const };
  const set = Object.keys(now).filter((name) => !(name in then)).length;
  if (fields.length === 0) return null;
  return (
    <Card title="Parameters of the world">
      {schema.description && <p className="mb-2 text-muted text-xs">{schema.description}</p>}
      {first.length > 0 && <SchemaFields {...form} fields={first} />}
      <details
        className={cx(first.length > 0 && "mt-3")}
        id={placed(["parameters"])}
        open={first.length === 0}
      >
        <summary className="text-sm">
          {first.length > 0 ? "Others" : "All"} ({fields.length - first.length}){set > 0 && `, ${set} set`}
        </summary>
        <input
          type="search"
          aria-label="search parameters"
          placeholder="search parameters"
          className={cx(FIELD, "my-2 sm:!w-64")}
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
        <SchemaFields {...form} fields={rest} />
      </details>
    </Card>
  );
}
