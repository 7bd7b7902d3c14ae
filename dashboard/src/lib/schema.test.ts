import { describe, expect, it } from "vitest";
import { initial, kindOf, misfits, type Schema } from "./schema";

const root: Schema = {
  type: "object",
  properties: {
    turns: { type: "integer", minimum: 0, default: 100 },
    deadline: { anyOf: [{ type: "number", exclusiveMinimum: 0 }, { type: "null" }], default: null },
    mode: { enum: ["paper", "simulated"] },
    agents: { type: "array", items: { $ref: "#/$defs/Agent" }, minItems: 1 },
    nations: { type: "object", additionalProperties: { $ref: "#/$defs/Agent" } },
    tags: { type: "array", items: { type: "string" } },
  },
  required: ["agents"],
  additionalProperties: false,
  $defs: {
    Agent: {
      type: "object",
      properties: { id: { type: "string", minLength: 1 }, size: { type: "integer", minimum: 1, default: 1 } },
      required: ["id"],
      additionalProperties: false,
    },
  },
};
const kind = (name: string) => kindOf(root.properties?.[name] ?? {}, root);

describe("a schema", () => {
  it("says which field fits", () => {
    expect(kind("turns")).toEqual({ is: "number", whole: true });
    expect(kind("deadline")).toEqual({ is: "number", whole: false });
    expect(kind("mode")).toEqual({ is: "choice", of: ["paper", "simulated"] });
    expect(kind("agents")).toMatchObject({ is: "list", simple: false });
    expect(kind("tags")).toMatchObject({ is: "list", simple: true });
    expect(kind("nations").is).toBe("map");
  });
  it("makes what a new item begins with", () => {
    expect(initial({ $ref: "#/$defs/Agent" }, root)).toEqual({ id: "" });
    expect(initial(root.properties?.["turns"] ?? {}, root)).toBe(100);
  });
});

describe("what does not fit", () => {
  const said = (value: unknown) =>
    misfits(value, root, root).map((one) => `${one.path.join(".")}: ${one.message}`);
  it("is nothing where all fits", () => {
    expect(said({ agents: [{ id: "a" }], deadline: null, turns: 3, mode: "paper", nations: {} })).toEqual([]);
    expect(said({ agents: [{ id: "a" }], deadline: 0.5 })).toEqual([]);
  });
  it("is told where it stands", () => {
    expect(said({ agents: [{ id: "a", sise: 2 }, { size: 0 }], turns: -1 })).toEqual([
      "agents.0.sise: there is no key 'sise'",
      "agents.1: lacks the key 'id'",
      "agents.1.size: must be at least 1, not 0",
      "turns: must be at least 0, not -1",
    ]);
    expect(said({})).toEqual([": lacks the key 'agents'"]);
    expect(said({ agents: [] })).toEqual(["agents: needs at least 1"]);
    expect(said({ agents: "ann", turns: 1.5, mode: "real" })).toEqual([
      "agents: must be a list, not text",
      "turns: must be a whole number, not a number",
      'mode: "real" is not one of paper, simulated',
    ]);
    expect(said({ agents: [{ id: "a" }], deadline: 0 })).toEqual(["deadline: must be more than 0"]);
    expect(said({ agents: [{ id: "a" }], deadline: "soon" })).toEqual([
      "deadline: is text, which does not fit",
    ]);
  });
});
