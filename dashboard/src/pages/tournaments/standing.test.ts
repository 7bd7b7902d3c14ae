import { expect, test } from "vitest";
import { axisOf, flaws, placeOn, ranks, registered } from "./standing";

const line = (low: number | null, high: number | null) => ({ low, high }) as never;

test("the axis spans every interval, and there is none where nothing is rated", () => {
  expect(axisOf([line(-40, 20), line(null, null), line(0, 90)])).toEqual({ low: -40, high: 90 });
  expect(axisOf([line(null, null)])).toBeNull();
  expect(axisOf([line(5, 5)])).toBeNull();
});

test("a value lies on the axis, and one beyond it at its end", () => {
  const axis = { low: -100, high: 100 };
  expect([-100, 0, 50, 400].map((value) => placeOn(axis, value))).toEqual([0, 0.5, 0.75, 1]);
});

test("ranks are a range where the matches leave them open", () => {
  expect(ranks({ best: 1, worst: 3 })).toBe("1 to 3");
  expect(ranks({ best: 2, worst: 2 })).toBe("2");
  expect(ranks({ best: null, worst: null })).toBe("–");
});

test("flaws are told only where there are some", () => {
  expect(flaws({ forfeits: 2, void: 0, refused: 1 })).toBe("2 forfeited, 1 refused");
  expect(flaws({ forfeits: 0, void: 0, refused: 0 })).toBe("");
});

test("a rule of a role is not of the registry", () => {
  expect(registered("thrift@1.2.0")).toEqual({ name: "thrift", version: "1.2.0" });
  expect(registered("balanced")).toBeNull();
});
