import { describe, expect, it } from "vitest";
import { changesOf, placeOf, requestOf, seated, seatOf } from "./request";

const before = {
  world: "economy",
  turns: 100,
  parameters: { openness: 0.3, nations: { aldland: { people: 240 } } },
  agents: [
    { id: "aldland", role: "government", policy: "steady" },
    { id: "borland", role: "government" },
  ],
};
const none = { tags: [], budget: null, seconds: null, memory: null };
const scenario = { name: "economy/growth", world: "economy", value: before };
const with_ = (more: object) => ({ ...structuredClone(before), ...more });

describe("what is sent", () => {
  it("is the scenario and its changes, as long as they are values", () => {
    const now = with_({
      turns: 60,
      seed: 3,
      parameters: { openness: 0.3, growth: 0.01, nations: { aldland: { people: 300 } } },
      agents: [
        { id: "aldland", role: "government", policy: "balanced" },
        { id: "borland", role: "government", kind: "llm", model: "house" },
      ],
    });
    expect(requestOf(scenario, "text", now, { ...none, tags: ["mine"], budget: 2 })).toEqual({
      scenario: "economy/growth",
      seed: 3,
      turns: 60,
      set: {
        "parameters.growth": 0.01,
        "parameters.nations.aldland.people": 300,
        "agents.aldland.policy": "balanced",
        "agents.borland.kind": "llm",
        "agents.borland.model": "house",
      },
      agents: {},
      tags: ["mine"],
      budget: 2,
    });
  });
  it("is the text where something was taken away, or somebody else plays", () => {
    expect(changesOf(before, with_({ parameters: { openness: 0.3 } }))).toBeNull();
    expect(changesOf(before, with_({ agents: before.agents.slice(1) }))).toBeNull();
    expect(changesOf(before, with_({ title: "mine" }))).toBeNull();
    const told = requestOf(scenario, "world: economy", with_({ agents: [] }), { ...none, seconds: 9 });
    expect(told).toMatchObject({ world: "economy", text: "world: economy", limits: { seconds: 9 } });
    expect(told.scenario).toBeUndefined();
  });
  it("is the plain scenario where only comments changed", () => {
    expect(changesOf(before, structuredClone(before))).toEqual({});
  });
});

describe("a problem of the server", () => {
  it("is led to its field or its line", () => {
    expect(placeOf({ message: "turns: must be at least 0", where: "inline:2:8" }, before)).toEqual({
      path: ["turns"],
      line: 2,
    });
    expect(
      placeOf({ message: "agents.1.policy: 'no' is none", where: "--set agents.borland.policy=no" }, before),
    ).toEqual({ path: ["agents", 1, "policy"] });
    expect(placeOf({ message: "there is no key 'foo'", where: "--set parameters.foo=3" }, before)).toEqual({
      path: ["parameters", "foo"],
    });
    expect(placeOf({ message: "the disk is full", where: null }, before)).toEqual({});
  });
});

describe("a seat", () => {
  const rule = { id: "a", role: "government", policy: "steady" };
  const policies = ["steady", "balanced"];
  it("is a policy, a model or a person", () => {
    expect(seatOf(rule)).toBe("steady");
    expect(seatOf({ ...rule, kind: "llm", model: "house" })).toBe("house");
    expect(seatOf({ ...rule, kind: "human" })).toBe("human");
    expect(seatOf({ ...rule, kind: "team" })).toBe("");
    expect(seated("house", policies, rule)).toEqual({ kind: "llm", model: "house" });
  });
  it("goes back to what it was", () => {
    expect(seated("balanced", policies, rule)).toMatchObject({ kind: undefined, policy: "balanced" });
    expect(seated("balanced", policies, { ...rule, kind: "team" })).toMatchObject({ kind: "rule" });
    expect(seated("", policies, rule)).toEqual({ kind: undefined, policy: "steady", model: undefined });
  });
});
