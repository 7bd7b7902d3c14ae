import { expect, it } from "vitest";
import { tabled } from "./data";

it("makes rows of a map and of a list of like things", () => {
  expect(tabled({ ann: { price: 1, note: null }, ben: { price: 2 } })).toEqual([
    ["ann", { price: 1, note: null }],
    ["ben", { price: 2 }],
  ]);
  expect(tabled([{ price: 1 }])).toEqual([["1", { price: 1 }]]);
});

it("makes no rows of what would not fit into cells", () => {
  expect(tabled({ price: 1 })).toBeNull();
  expect(tabled({ ann: { goods: [1, 2] } })).toBeNull();
  expect(tabled([{ price: 1 }, 2])).toBeNull();
  expect(tabled([{}])).toBeNull();
  expect(tabled([])).toEqual([]);
});
