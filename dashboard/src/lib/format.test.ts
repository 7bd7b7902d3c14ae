import { expect, test } from "vitest";
import { bytes, change, digits, dollars, figure, relative, span } from "./format";

test("figures show the digits that matter, whatever their size", () => {
  expect([7468427, 98.4, 0.0321149, 0, -1234567, 1234.5].map(figure)).toEqual([
    "7.468M",
    "98.4",
    "0.03211",
    "0",
    "-1.235M",
    "1,234.5",
  ]);
  expect([null, undefined, Number.NaN].map(figure)).toEqual(["–", "–", "–"]);
});

test("a change has its sign, and none where there is none", () => {
  expect([0.1234, -0.5, 0, null].map(change)).toEqual(["+12.3%", "-50%", "0%", "–"]);
});

test("cents are shown, and less than a cent too", () => {
  expect([0, 12.5, 1234.567, 0.00042].map(dollars)).toEqual(["$0", "$12.50", "$1,234.57", "$0.00042"]);
});

test("times are said as people say them, before and ahead", () => {
  const now = Date.parse("2026-01-02T12:00:00Z");
  expect(relative("2026-01-02T11:59:57Z", now)).toBe("just now");
  expect(relative("2026-01-02T11:57:00Z", now)).toBe("3 min ago");
  expect(relative("2026-01-02T14:05:00Z", now)).toBe("in 2 h 5 min");
  expect([59, 60, 3599, 3600, 86_400 * 3].map(span)).toEqual(["59 s", "1 min", "59 min", "1 h 0 min", "3 d"]);
});

test("sizes are counted in thousands", () => {
  expect([999, 1000, 2_500_000].map(bytes)).toEqual(["999 B", "1.0 KB", "2.5 MB"]);
});

test("what a person decides on has six digits, and all before the point", () => {
  expect([0.49999999956, 513144910, 1.0049459, 99999.5, -1234567.8, 0].map(digits)).toEqual([
    "0.5",
    "513,144,910",
    "1.00495",
    "99,999.5",
    "-1,234,568",
    "0",
  ]);
});
