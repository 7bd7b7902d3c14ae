import { expect, test } from "vitest";
import { aligned, lineOf, moved, nearest, type Series, sampled, valueAt, zoomed } from "./series";

const one = (id: string, turns: number[], values: (number | null)[], rest: Partial<Series> = {}): Series => ({
  id,
  label: id,
  turns,
  values,
  ...rest,
});

test("series of different turns share one axis, with gaps where one has no value", () => {
  const made = aligned([one("a", [1, 2, 4], [10, 20, 40]), one("b", [2, 3], [2, 3])]);
  expect(made.turns).toEqual([1, 2, 3, 4]);
  expect(made.columns).toEqual([
    [10, 20, null, 40],
    [null, 2, 3, null],
  ]);
});

test("bands follow all lines, low before high", () => {
  const band = { low: [0, 1], high: [2, 3] };
  const made = aligned([one("a", [1, 2], [1, 2], { band }), one("b", [1, 2], [5, 6])]);
  expect(made.columns).toEqual([
    [1, 2],
    [5, 6],
    [0, 1],
    [2, 3],
  ]);
});

test("the nearest turn is found in a sampled series, the earlier of two as near", () => {
  expect([0, 1, 14, 15, 16, 99].map((turn) => nearest([1, 11, 21], turn))).toEqual([0, 0, 1, 1, 1, 2]);
  expect(nearest([1, 11, 21], 17)).toBe(2);
  expect(nearest([], 3)).toBe(-1);
  expect(valueAt(one("a", [1, 11], [7, null]), 12)).toBeNull();
  expect(valueAt(one("a", [1, 11], [7, 8]), 2)).toBe(7);
});

test("zooming keeps the turn under the pointer where it is, and never leaves the run", () => {
  const whole = { first: 1, last: 1001 };
  const near = zoomed(whole, 251, 0.5, whole);
  expect(near).toEqual({ first: 126, last: 626 });
  expect((251 - near.first) / (near.last - near.first)).toBeCloseTo(0.25);
  expect(zoomed(near, 251, 4, whole)).toEqual(whole);
  expect(zoomed({ first: 1, last: 101 }, 1, 2, whole)).toEqual({ first: 1, last: 201 });
  const closest = zoomed({ first: 500, last: 502 }, 501, 0.01, whole);
  expect(closest.last - closest.first).toBeCloseTo(4);
});

test("moving a range stops at the ends and keeps its width", () => {
  const whole = { first: 1, last: 100 };
  expect(moved({ first: 10, last: 20 }, -50, whole)).toEqual({ first: 1, last: 11 });
  expect(moved({ first: 10, last: 20 }, 500, whole)).toEqual({ first: 90, last: 100 });
});

test("a table shows evenly spread turns with both ends", () => {
  const turns = Array.from({ length: 1000 }, (_, at) => at + 1);
  const shown = sampled(turns, 50);
  expect([shown.length, shown[0], shown.at(-1)]).toEqual([50, 1, 1000]);
  expect(sampled([1, 2], 50)).toEqual([1, 2]);
});

test("no two of the first forty lines look the same", () => {
  const looks = Array.from({ length: 40 }, (_, at) => JSON.stringify(lineOf({}, at)));
  expect(new Set(looks).size).toBe(40);
  expect(lineOf({ colour: 3 }, 0).variable).toBe("--line-3");
});
