// How an action stands for the person who looks at it. The server counts the votes; this only says beforehand
// what it would refuse, so that nobody presses a button to learn it.
import type { Approval, Schemas } from "~/api/client";
import { type Me, mayDecide, NO_ROLE, NOBODY, person } from "~/lib/people";

export const counted = (one: Approval): Schemas["Vote"][] => one.votes.filter((vote) => !vote.refused);

/** How many different people must still say yes. */
export const missing = (one: Approval): number =>
  Math.max(0, one.approvers - counted(one).filter((vote) => vote.approve).length);

/** Why this person's vote would not count now; null if it would. */
export function hindrance(one: Approval, me: Me | undefined, now: number): string | null {
  if (one.status !== "waiting") return `it is ${one.status}`;
  if (one.expires && new Date(one.expires).getTime() <= now) return "its time is over: it counts as denied";
  if (!me) return "it is not known yet who you are";
  if (!mayDecide(me)) return NO_ROLE;
  if (person(one.actor) === person(me.name)) return `${one.actor} cannot vote on an action of its own`;
  if (one.approvers > 1 && NOBODY.has(me.name))
    return `${one.approvers} people must approve, each by name: click on your name to say who you are`;
  const mine = counted(one).find((vote) => person(vote.by) === person(me.name));
  return mine
    ? `${me.name} has said ${mine.approve ? "yes" : "no"}; a name votes once, so somebody else decides`
    : null;
}

export interface Left {
  seconds: number;
  tone: "plain" | "warn" | "bad";
}

/** How long there is; the last tenth (at most an hour) warns, the last minute alarms. */
export function left(one: Approval, now: number): Left | null {
  if (!one.expires) return null;
  const end = new Date(one.expires).getTime();
  const seconds = (end - now) / 1_000;
  const whole = one.asked ? (end - new Date(one.asked).getTime()) / 1_000 : 0;
  const near = Math.min(3_600, Math.max(60, whole / 10));
  return { seconds, tone: seconds <= 60 ? "bad" : seconds <= near ? "warn" : "plain" };
}

/** 1 d 4 h, 23:59:07, 0:42: a clock that counts down. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(s / 3_600), Math.floor((s % 3_600) / 60), s % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  const two = (n: number) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** What was shown stays where it was, also when it no longer waits: what is new is put below. */
export const kept = (shown: string[], fresh: string[]): string[] => [...new Set([...shown, ...fresh])];
