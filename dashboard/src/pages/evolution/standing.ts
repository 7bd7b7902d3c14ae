// How a proposal stands for the person who looks at it. The server decides; this only says beforehand what it
// would refuse.
import type { Schemas } from "~/api/client";
import { type Me, mayDecide, NO_ROLE, NOBODY, person } from "~/lib/people";

export type Proposal = Schemas["Proposal"];
export type Word = Schemas["ProposalVote"]["word"];
type Stands = Pick<Proposal, "status" | "approvals" | "approvers">;

export const WAITS: ReadonlySet<Proposal["status"]> = new Set(["pending", "approved"]);

/** What can be done with it at all, whoever does it. */
export function choices(status: Proposal["status"]): Word[] {
  if (status === "pending") return ["approve", "reject"];
  if (status === "approved") return ["approve"]; // what was broken off is ended by the next yes
  return status === "applied" ? ["rollback"] : [];
}

export const nameless = (me: Me | undefined): boolean => me !== undefined && NOBODY.has(me.name);

/** What this person has said already, where a name counts once. */
export const mine = (one: Proposal, me: Me | undefined): Word | undefined =>
  me && one.status === "pending"
    ? one.votes.find((vote) => person(vote.by) === person(me.name))?.word
    : undefined;

/** Why this person's word would not count now; null if it would. */
export function hindrance(one: Proposal, me: Me | undefined): string | null {
  if (!me) return "it is not known yet who you are";
  if (!mayDecide(me)) return NO_ROLE;
  if (nameless(me)) return "what is put in force is decided by people, each by name";
  if (mine(one, me)) return `${me.name} has said yes; a name counts once, so that somebody else decides`;
  return null;
}

/** Whether one yes more puts it in force. */
export const lastYes = (one: Stands): boolean =>
  one.status === "approved" || one.approvals + 1 >= one.approvers;

/** "pending, 1 of 2"; "rolled back". */
export const stands = (one: Stands): string =>
  one.status === "pending" ? `pending, ${one.approvals} of ${one.approvers}` : one.status.replace("_", " ");

/** What differs, in a few words: "tax 0.32 → 0.21, other instructions". */
export function differs(one: Pick<Schemas["EvolutionCandidate"], "changes" | "instructions">): string {
  const changes = one.changes.map(
    ({ field, before, after }) => `${field.replace(/^parameters\./, "")} ${brief(before)} → ${brief(after)}`,
  );
  return [...changes, ...(one.instructions ? ["other instructions"] : [])].join(", ") || "nothing";
}

const brief = (value: unknown): string =>
  typeof value === "number"
    ? value.toLocaleString("en", { maximumSignificantDigits: 3 })
    : typeof value === "string"
      ? value || "none"
      : JSON.stringify(value ?? null);

/** From the lowest to the highest of these and 0, a little wider; for a strip of gains. */
export function spanOf(values: readonly number[]): { low: number; high: number } {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const room = (high - low || 1) * 0.05;
  return { low: low - room, high: high + room };
}
