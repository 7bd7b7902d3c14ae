import { describe, expect, it } from "vitest";
import { edited, readYaml } from "./yaml";

const TEXT = `# Three nations.
world: economy
turns: 100 # twenty-five years
parameters:
  nations:
    aldland: {people: 240, firms: 24}
agents:
  - {id: aldland, role: government, policy: steady}
  # the careful one
  - id: borland
    role: government
`;

describe("a scenario's text", () => {
  it("keeps its comments when a value changes", () => {
    const changed = edited(edited(TEXT, ["turns"], 60), ["agents", 1, "policy"], "balanced");
    expect(changed).toContain("# Three nations.");
    expect(changed).toContain("turns: 60 # twenty-five years");
    expect(changed).toContain("# the careful one");
    expect(readYaml(changed).value).toEqual({
      ...readYaml(TEXT).value,
      turns: 60,
      agents: [
        { id: "aldland", role: "government", policy: "steady" },
        { id: "borland", role: "government", policy: "balanced" },
      ],
    });
    expect(changed).toContain("{people: 240, firms: 24}");
  });
  it("takes in what was not there, and leaves no empty shell behind", () => {
    const more = edited("world: economy\n", ["parameters", "growth"], 0.01);
    expect(readYaml(more).value).toEqual({ world: "economy", parameters: { growth: 0.01 } });
    expect(readYaml(edited(more, ["parameters", "growth"], undefined)).value).toEqual({ world: "economy" });
    expect(edited(TEXT, ["parameters", "none"], undefined)).toBe(TEXT);
  });
  it("says at which line something stands", () => {
    const { lineOf } = readYaml(TEXT);
    expect(lineOf(["turns"])).toBe(3);
    expect(lineOf(["agents", 1, "role"])).toBe(11);
    expect(lineOf(["agents", 0, "nothing"])).toBe(8);
    expect(lineOf(["nothing"])).toBe(1);
  });
  it("says at which line it cannot be read", () => {
    expect(readYaml("world: economy\nturns: [\n").errors[0]?.line).toBeGreaterThanOrEqual(2);
    expect(readYaml("a: 1\na: 2\n").errors).toMatchObject([{ line: 2 }]);
    expect(readYaml("just text").errors).toMatchObject([{ line: 1 }]);
    expect(edited("a: [", ["a"], 1)).toBe("a: [");
  });
});
