import { describe, expect, it } from "vitest";
import { bounds, build, type Choice, choicesOf, fieldsOf, namesSeen, startOf } from "./answering";

const ACTIONS = {
  anyOf: [{ $ref: "#/$defs/Budget" }, { $ref: "#/$defs/Keep" }],
  $defs: {
    Budget: {
      title: "Budget",
      description: "The course.",
      type: "object",
      properties: {
        type: { enum: ["Budget"] },
        spending: { type: "number", minimum: 0, maximum: 0.6 },
        units: { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }], default: null },
        mood: { enum: ["calm", "bold"], default: "calm" },
        tariffs: { type: "object", additionalProperties: { type: "number", minimum: 0, maximum: 2 } },
        plan: { type: "array", items: { type: "string" } },
      },
      required: ["type", "spending"],
    },
    Keep: { title: "Keep", type: "object", properties: { type: { enum: ["Keep"] } }, required: ["type"] },
  },
};
const [budget, keep] = choicesOf(ACTIONS) as [Choice, Choice];

describe("an action", () => {
  it("becomes fields with their bounds", () => {
    expect([budget.name, keep.name, budget.help]).toEqual(["Budget", "Keep", "The course."]);
    expect(fieldsOf(budget).map((one) => [one.name, one.kind, one.required, bounds(one)])).toEqual([
      ["spending", "number", true, "0 to 0.6"],
      ["units", "integer", false, "at least 1"],
      ["mood", "choice", false, ""],
      ["tariffs", "map", false, "0 to 2"],
      ["plan", "json", false, ""],
    ]);
    expect(fieldsOf(keep)).toEqual([]);
  });

  it("starts with what is so now", () => {
    const seen = { spending: 0.2, units: 7, partners: { ben: { price: 1 } }, odd: { a: 1 } };
    expect(startOf(budget, seen)).toEqual({
      spending: "0.2",
      units: "",
      mood: "calm",
      tariffs: [],
      plan: "",
    });
    expect(namesSeen(seen)).toEqual(["ben"]);
  });

  it("is built of what was typed, and nothing that was left empty", () => {
    const typed = { spending: "0.25", units: "", mood: "bold", tariffs: [["ben", "0.1"]], plan: '["a"]' };
    expect(build(budget, typed as never)).toEqual({
      answer: { type: "Budget", spending: 0.25, mood: "bold", tariffs: { ben: 0.1 }, plan: ["a"] },
      errors: {},
    });
    expect(build(keep, {})).toEqual({ answer: { type: "Keep" }, errors: {} });
  });

  it("says at which field what is wrong", () => {
    const wrong = (typed: object) => build(budget, { spending: "0.1", ...typed } as never).errors;
    expect(wrong({ spending: "" })).toEqual({ spending: "this must be there" });
    expect(wrong({ spending: "0.7" })).toEqual({ spending: "at most 0.6" });
    expect(wrong({ spending: "much" })).toEqual({ spending: "this is no number" });
    expect(wrong({ units: "1.5" })).toEqual({ units: "a whole number" });
    expect(wrong({ tariffs: [["", "1"]] })).toEqual({ tariffs: "a row has no name" });
    expect(wrong({ tariffs: [["ben", "3"]] })).toEqual({ tariffs: "ben: at most 2" });
    expect(
      wrong({
        tariffs: [
          ["b", "1"],
          ["b ", "1"],
        ],
      }),
    ).toEqual({ tariffs: "a name stands here twice" });
    expect(wrong({ plan: "[a]" })["plan"]).toMatch(/no JSON/);
  });
});

describe("other questions", () => {
  const one = (schema: object) => choicesOf(schema as never);
  it("take words, JSON, a yes or a no, or one of several shapes", () => {
    const [text] = one({ type: "string" }) as [Choice];
    expect(build(text, { answer: " hello\n" })).toEqual({ answer: " hello\n", errors: {} });
    const [any] = one({}) as [Choice];
    expect(build(any, { answer: "[1]" }).answer).toEqual([1]);
    const [approve] = one({ type: "object", properties: { approve: { type: "boolean" } } }) as [Choice];
    expect(build(approve, startOf(approve, {})).answer).toEqual({ approve: false });
    const said = { type: "object", properties: { say: { type: "string" } }, required: ["say"] };
    const [pass, say] = one({ anyOf: [{ const: "pass" }, said] }) as [Choice, Choice];
    expect([pass.name, say.name]).toEqual(["pass", "say"]);
    expect(build(pass, {}).answer).toBe("pass");
    expect(build(say, { say: "hi" }).answer).toEqual({ say: "hi" });
  });

  it("do not run in circles after a schema that refers to itself", () => {
    const circle = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } };
    expect(one(circle)[0]?.field.kind).toBe("json");
  });
});
