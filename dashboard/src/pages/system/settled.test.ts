import { expect, it } from "vitest";
import { settled } from "./settled";

const entry = (verb: string, outcome: string, request_id = "r1") => ({ verb, outcome, request_id });

it("says in one line what was begun and done", () => {
  const done = entry("approve", "done");
  expect(settled([done, entry("approve", "begun")])).toEqual([done]);
});

it("keeps what was begun and has no outcome yet, or another's", () => {
  const cutOff = [entry("approve", "begun", "r2"), entry("approve", "done"), entry("reject", "begun")];
  expect(settled(cutOff)).toEqual(cutOff);
  const nameless = [entry("run", "done", ""), entry("run", "begun", "")];
  expect(settled(nameless)).toEqual(nameless);
});
