import { expect, test } from "vitest";
import { Growing, MOST, metricNames, spliced } from "./growing";

const told = (turn: number, gdp: number) => ({ turn, metrics: { world: { gdp } } });

test("a streamed turn is taken where it follows, and a gap is left to the server", () => {
  const curve = new Growing("gdp", [{ agent: "world", turns: [1, 2], values: [10, 20] }]);
  expect(curve.streamed([told(2, 99), told(3, 30), told(5, 50)])).toBe(true);
  expect(curve.series()[0]).toMatchObject({ turns: [1, 2, 3], values: [10, 20, 30] });
  expect(curve.streamed([told(5, 50)])).toBe(false);
  curve.fetched([{ agent: "world", turns: [3, 4, 5], values: [0, 40, 50] }]);
  expect(curve.series()[0]).toMatchObject({ turns: [1, 2, 3, 4, 5], values: [10, 20, 30, 40, 50] });
  expect(curve.known).toBe(5);
});

test("what is known of all curves is what is known of the shortest", () => {
  const curve = new Growing("gdp", [
    { agent: "world", turns: [1, 2, 3], values: [1, 2, 3] },
    { agent: "aldland", turns: [1], values: [1] },
  ]);
  expect(curve.known).toBe(1);
  curve.fetched([{ agent: "world", turns: [4], values: [4] }], 4);
  expect(curve.known).toBe(4);
});

test("a curve that grows for ever stays within bounds and keeps its ends", () => {
  const curve = new Growing("gdp", [{ agent: "world", turns: [1], values: [1] }]);
  for (let turn = 2; turn <= 50_000; turn++) curve.streamed([told(turn, turn)]);
  const [one] = curve.series();
  expect(one?.turns.length).toBeLessThanOrEqual(MOST + 1);
  expect([one?.turns[0], one?.turns.at(-1), one?.values.at(-1)]).toEqual([1, 50_000, 50_000]);
});

test("what was looked at closely takes the place of the sample there", () => {
  const coarse = { turns: [1, 11, 21, 31], values: [1, 11, 21, 31] };
  const near = { agent: "a", turns: [10, 11, 12], values: [100, 110, 120] };
  expect(spliced(coarse, near)).toEqual({
    turns: [1, 10, 11, 12, 21, 31],
    values: [1, 100, 110, 120, 21, 31],
  });
  expect(spliced(coarse, undefined)).toBe(coarse);
  expect(spliced(coarse, { agent: "a", turns: [40], values: [40] }).turns).toEqual([1, 11, 21, 31, 40]);
});

test("the headline comes first, then wealth, then the rest, each once", () => {
  const metrics = { aldland: { wealth: 1, rate: 2, gdp: 3 }, world: { gdp: 4, trade: 5 } };
  expect(metricNames(metrics, ["gdp", "inflation"])).toEqual(["gdp", "wealth", "rate", "trade"]);
});
