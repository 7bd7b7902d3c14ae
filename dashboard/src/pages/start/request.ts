// What is sent when a run is started. As long as the text only changes values of a scenario, the run is one of that
// scenario, with changes; what says anything else is sent as a text of its own.
import type { Schemas } from "~/api/client";
import type { Path } from "~/lib/schema";

export interface Terms {
  tags: string[];
  budget: number | null;
  seconds: number | null;
  memory: number | null;
}

type Plain = Record<string, unknown>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Changes by dotted key, as `set` takes them; null where they cannot be said so. */
export function changesOf(before: Plain, now: Plain): Record<string, unknown> | null {
  const set: Record<string, unknown> = {};
  for (const name of ["world", "title", "description"]) if (!same(before[name], now[name])) return null;
  const { agents: then, ...rest } = before;
  const { agents: seats, ...others } = now;
  if (!agentChanges(then, seats, set)) return null;
  return walk(rest, others, "", set) ? set : null;
}

function walk(before: Plain, now: Plain, at: string, set: Record<string, unknown>): boolean {
  if (Object.keys(before).some((name) => !(name in now))) return false; // nothing is taken away by a change
  return Object.entries(now).every(([name, value]) => {
    if (same(before[name], value)) return true;
    if (name.includes(".")) return false;
    const then = before[name];
    if (isPlain(value) && isPlain(then)) return walk(then, value, `${at}${name}.`, set);
    set[at + name] = value;
    return true;
  });
}

function agentChanges(before: unknown, now: unknown, set: Record<string, unknown>): boolean {
  if (same(before, now)) return true;
  if (!Array.isArray(before) || !Array.isArray(now) || before.length !== now.length) return false;
  return now.every((agent: unknown, at) => {
    const then: unknown = before[at];
    if (!isPlain(agent) || !isPlain(then) || agent["id"] !== then["id"]) return false;
    if (same(agent, then)) return true;
    // `count` makes agents of other names; and a dot would be read as a path.
    const id = String(agent["id"]);
    return then["count"] === undefined && !id.includes(".") && walk(then, agent, `agents.${id}.`, set);
  });
}

export function requestOf(
  scenario: { name: string; world: string; value: Plain },
  text: string,
  value: Plain,
  terms: Terms,
): Schemas["StartRequest"] {
  const set = changesOf(scenario.value, value);
  const limits =
    terms.seconds === null && terms.memory === null
      ? null
      : { seconds: terms.seconds, memory_mb: terms.memory, isolate: false };
  const common = {
    agents: {},
    tags: terms.tags,
    ...(terms.budget !== null && { budget: terms.budget }),
    ...(limits && { limits }),
  };
  if (set === null) return { ...common, world: scenario.world, text, set: {} };
  const { seed, turns, ...others } = set;
  return {
    ...common,
    scenario: scenario.name,
    set: others,
    ...(seed !== undefined && { seed: seed as number }),
    ...(turns !== undefined && { turns: turns as number }),
  };
}

/** Which value a problem of the server is about, or which line of a text that was sent. */
export function placeOf(
  problem: { message: string; where: string | null },
  value: Plain,
): { path?: Path; line?: number } {
  const line = /^inline:(\d+)/.exec(problem.where ?? "");
  const named =
    /^--(?:set|agent) ([^=]+)=/.exec(problem.where ?? "")?.[1] ??
    /^([\w-]+(?:\.[\w-]+)*): /.exec(problem.message.replace(/^body\./, ""))?.[1] ??
    (/^(body\.)?(seed|turns|budget|tags)$/.test(problem.where ?? "")
      ? problem.where?.replace(/^body\./, "")
      : undefined);
  const path = named?.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  if (path?.[0] === "agents" && typeof path[1] === "string") {
    const agents = Array.isArray(value["agents"]) ? (value["agents"] as Plain[]) : [];
    const at = agents.findIndex((one) => one["id"] === path[1]);
    if (at >= 0) path[1] = at;
  }
  return { ...(path && { path }), ...(line && { line: Number(line[1]) }) };
}

// --- seats ---

export interface AgentValue {
  id: string;
  role: string;
  kind?: string;
  policy?: string;
  model?: string;
}

/** What one chooses for an agent: a policy, a model, or `human`; empty where it says neither. */
export function seatOf(agent: AgentValue): string {
  if (agent.kind === "human") return "human";
  if (agent.kind === "llm") return agent.model ?? "";
  return agent.kind === undefined || agent.kind === "rule" ? (agent.policy ?? "") : "";
}

/** The values that a choice stands for; `undefined` takes one out. */
export function seated(
  seat: string,
  policies: readonly string[],
  before: AgentValue | undefined,
): Partial<Record<"kind" | "policy" | "model", string | undefined>> {
  if (seat === "") return { kind: before?.kind, policy: before?.policy, model: before?.model };
  if (seat === "human") return { kind: "human" };
  if (!policies.includes(seat)) return { kind: "llm", model: seat };
  const kind = before?.kind;
  return { kind: kind === undefined || kind === "rule" ? kind : "rule", policy: seat, model: before?.model };
}
