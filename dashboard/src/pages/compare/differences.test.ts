import { describe, expect, it } from "vitest";
import { chosenMetric, fairTurn, idsOf, ranked, relative, telling } from "./differences";

const row = (name: string, ...values: (number | null)[]) => ({
  agent: "world",
  name,
  values,
  differences: values.map((one) => (one === null || values[0] === null ? null : one - (values[0] ?? 0))),
});

describe("differences", () => {
  it("are shares of the larger value", () => {
    expect(relative(row("a", 100, 150))).toBeCloseTo(1 / 3);
    expect(relative(row("a", 0, 5, -2))).toBe(1);
    expect(relative(row("a", 0, 0))).toBe(0);
    expect(relative(row("a", null, 5))).toBeNull();
    expect(relative(row("a", 4, null))).toBeNull();
    expect(relative(row("a", 10, null, 12))).toBeCloseTo(2 / 12);
  });
  it("stand with the largest first, and equal ones last", () => {
    const rows = [row("same", 3, 3), row("lost", 3, null), row("small", 100, 101), row("large", 1, -1)];
    expect(ranked(rows).map((one) => one.name)).toEqual(["large", "small", "lost", "same"]);
  });
  it("have a curve to begin with", () => {
    const rows = ranked([row("gdp", 5, 5), row("large", 1, -1)]);
    expect(chosenMetric(rows, undefined, ["gdp"])?.name).toBe("gdp");
    expect(chosenMetric(rows, undefined, [])?.name).toBe("large");
    expect(chosenMetric(rows, "world/large", ["gdp"])?.name).toBe("large");
    expect(chosenMetric([], undefined, [])).toBeUndefined();
  });
  it("are fair after a turn that all have played", () => {
    expect(fairTurn([{ turn: 40 }, { turn: 60 }])).toBe(40);
    expect(fairTurn([{ turn: 60 }, { turn: 60 }])).toBeNull();
  });
});

describe("effects", () => {
  const effect = (name: string, mean: number, clear: boolean) => ({
    agent: "world",
    name,
    branch: 10 + mean,
    reference: 10,
    mean,
    low: null,
    high: null,
    pairs: 3,
    clear,
  });
  it("that are clear come first, then the headline, then the large ones", () => {
    const all = [
      effect("dull", 0, false),
      effect("big", 9, false),
      effect("gdp", 0.1, false),
      effect("sure", 1, true),
    ];
    expect(telling(all, ["gdp"]).map((one) => one.name)).toEqual(["sure", "gdp", "big"]);
  });
});

it("reads the runs of an address once each, and only ids", () => {
  expect(idsOf("a1, b2,a1,,<script>")).toEqual(["a1", "b2"]);
  expect(idsOf(undefined)).toEqual([]);
});
