// A turn in plain words: what each phase did, and what came of it.
import type { Schemas } from "~/api/client";
import { dollars, span } from "~/lib/format";
import { glance } from "~/ui/tree";
import type { Scores } from "./live";

type TurnDetail = Schemas["TurnDetail"];
type Decision = Schemas["Decision"];
type Call = Schemas["Call"];

export const PHASES = ["analyze", "plan", "validate", "execute", "evaluate", "consolidate"] as const;

/** What happens in each phase, for who does not know the words yet. */
export const MEANING: Record<string, string> = {
  start: "begin",
  fork: "change course",
  analyze: "observe",
  plan: "decide",
  validate: "judge",
  execute: "apply",
  evaluate: "score",
  consolidate: "seal",
  end: "end",
};

const many = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** What a phase did in this turn, in a few words. */
export function didIn(phase: string, turn: TurnDetail): string {
  const calls = turn.calls.filter((one) => one.phase === phase);
  const asked = calls.length ? `, ${many(calls.length, "call")}${costOf(calls)}` : "";
  if (phase === "analyze")
    return turn.observations ? `${Object.keys(turn.observations).length} looked${asked}` : asked.slice(2);
  if (phase === "plan")
    return `${many(new Set(turn.decisions.map((one) => one.agent)).size, "decision")}${asked}`;
  if (phase === "validate") return `${counted(turn.decisions.map((one) => one.verdict))}${asked}`;
  if (phase === "execute") return `${many(turn.events.length, "event")}${asked}`;
  if (phase === "evaluate") return `${many(Object.keys(turn.metrics).length, "score")}${asked}`;
  return asked.slice(2);
}

function costOf(calls: readonly Call[]): string {
  const cost = calls.reduce((sum, one) => sum + one.cost, 0);
  const seconds = Math.max(0, ...calls.map((one) => one.seconds ?? 0));
  return `${cost > 0 ? `, ${dollars(cost)}` : ""}${seconds >= 1 ? `, ${span(seconds)}` : ""}`;
}

function counted(verdicts: readonly string[]): string {
  const counts = Map.groupBy(verdicts, (one) => one);
  return (
    [...counts].map(([verdict, all]) => `${all.length} ${SAID[verdict] ?? verdict}`).join(", ") ||
    "nothing to judge"
  );
}

export const SAID: Record<string, string> = {
  accept: "accepted",
  amend: "amended",
  reject: "rejected",
  hold: "held for approval",
};

/** `Budget: spending 0.2, tax 0.25`. */
export function actionSaid(action: unknown): string {
  if (typeof action !== "object" || action === null) return action === null ? "nothing" : String(action);
  const { type, ...rest } = action as Record<string, unknown>;
  const said = glance(rest, 160);
  if (typeof type !== "string") return said || "an action";
  return said ? `${type}: ${said}` : type;
}

export interface Move {
  agent: string;
  name: string;
  before: number;
  after: number;
  /** As a share of what it was; null where it was zero. */
  share: number | null;
}

/** What moved in the turn, the largest share first. */
export function movesOf(before: Scores, after: Scores, most: number): Move[] {
  const moves: Move[] = [];
  for (const [agent, table] of Object.entries(after))
    for (const [name, value] of Object.entries(table)) {
      const was = before[agent]?.[name];
      if (was === undefined || was === value) continue;
      moves.push({
        agent,
        name,
        before: was,
        after: value,
        share: was === 0 ? null : (value - was) / Math.abs(was),
      });
    }
  const size = (one: Move) => (one.share === null ? Number.POSITIVE_INFINITY : Math.abs(one.share));
  return moves.sort((a, b) => size(b) - size(a)).slice(0, most);
}

export const callsOf = (decision: Decision, turn: TurnDetail): Call[] =>
  turn.calls.filter((one) => decision.calls.includes(one.id));

/** The words of a reply; null where it has none of its own (a tool's answer, a vote). */
export function replyText(reply: unknown): string | null {
  const text = (reply as { text?: unknown } | null)?.text;
  return typeof text === "string" && text ? text : null;
}

export function messagesOf(request: unknown): { role: string; text: string }[] {
  const said = (request as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(said)) return [];
  return said.map((one: Record<string, unknown>) => ({
    role: String(one["role"] ?? ""),
    text: typeof one["text"] === "string" ? one["text"] : JSON.stringify(one, null, 1),
  }));
}
