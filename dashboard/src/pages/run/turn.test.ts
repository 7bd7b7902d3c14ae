import { expect, test } from "vitest";
import type { Schemas } from "~/api/client";
import { actionSaid, didIn, messagesOf, movesOf, replyText } from "./turn";

const call = (phase: string, cost: number): Schemas["Call"] => ({
  id: `3.${phase}.a.0`,
  kind: "model",
  phase,
  agent: "a",
  status: "answered",
  model: "m",
  label: "ok",
  input: 1,
  output: 1,
  cost,
  seconds: 2,
  attempts: 1,
  request: null,
  reply: null,
});
const decision = (agent: string, verdict: string, attempt = 1): Schemas["Decision"] => ({
  agent,
  attempt,
  action: {},
  label: "ok",
  verdict,
  reason: "",
  instead: null,
  calls: [],
  cost: 0,
});
const turn: Schemas["TurnDetail"] = {
  run_id: "r",
  turn: 3,
  turns: 9,
  phases: [],
  observations: { a: {}, b: {} },
  unseen: null,
  decisions: [decision("a", "reject"), decision("a", "accept", 2), decision("b", "accept")],
  calls: [call("plan", 0.25), call("plan", 0.25)],
  events: [{ kind: "shock", agent: null, body: {}, visible_to: null, outside: true }],
  metrics: { a: { wealth: 1 } },
  cost: 0.5,
};

test("each phase says what it did", () => {
  const said = ["analyze", "plan", "validate", "execute", "evaluate", "consolidate"].map((one) =>
    didIn(one, turn),
  );
  expect(said).toEqual([
    "2 looked",
    "2 decisions, 2 calls, $0.50, 2 s",
    "1 rejected, 2 accepted",
    "1 event",
    "1 score",
    "",
  ]);
});

test("an action is said in words, and what is deep in it is left out", () => {
  expect(actionSaid({ type: "Budget", spending: 0.2, tax: 0.2502153955635647, tariffs: { b: 1 } })).toBe(
    "Budget: spending 0.2, tax 0.2502",
  );
  expect([actionSaid({ type: "Wait" }), actionSaid(null), actionSaid("go")]).toEqual([
    "Wait",
    "nothing",
    "go",
  ]);
});

test("what moved most comes first, and from zero before all", () => {
  const moves = movesOf(
    { a: { x: 100, y: 0, z: 5 }, b: { x: -10 } },
    { a: { x: 110, y: 1, z: 5 }, b: { x: -20 }, c: { x: 1 } },
    9,
  );
  expect(moves.map((one) => [one.agent, one.name, one.share])).toEqual([
    ["a", "y", null],
    ["b", "x", -1],
    ["a", "x", 0.1],
  ]);
  expect(movesOf({ a: { x: 1 } }, { a: { x: 2 } }, 0)).toEqual([]);
});

test("prompts and replies are found where they are, and nothing is made up where they are not", () => {
  expect(messagesOf({ messages: [{ role: "user", text: "<b>hi</b>" }] })).toEqual([
    { role: "user", text: "<b>hi</b>" },
  ]);
  expect(messagesOf({ url: "x" })).toEqual([]);
  expect([replyText({ text: "yes" }), replyText({ text: "" }), replyText(null), replyText("x")]).toEqual([
    "yes",
    null,
    null,
    null,
  ]);
});
