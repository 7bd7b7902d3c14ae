import { describe, expect, it } from "vitest";
import { amount, exact, moved, pairs, said } from "./said";
import { sorted } from "./sorting";

describe("amounts", () => {
  it("carry their unit where people look for it", () => {
    expect(amount(-5.25, "%")).toBe("−5.25%");
    expect(amount(-1_234_000, "$")).toBe("−$1.234M");
    expect(amount(12, "goods")).toBe("12 goods");
    expect(amount(null, "goods")).toBe("–");
  });
  it("are told with all their digits to who asks", () => {
    expect(exact(-1234567.891, "money")).toBe("−1,234,567.891 money");
    expect(exact(null)).toBe("nothing");
  });
});

describe("what moved", () => {
  it("is a share of what there was", () => expect(moved(110, 100)).toEqual({ sign: "▲", words: "+10%" }));
  it("is a share of its size where it was below nought", () =>
    expect(moved(-110, -100)).toEqual({ sign: "▼", words: "−10%" }));
  it("is points where it is a share itself", () =>
    expect(moved(3, 4.5, "%")).toEqual({ sign: "▼", words: "−1.5 points" }));
  it("is an amount where there was nothing", () => expect(moved(4, 0)).toEqual({ sign: "▲", words: "+4" }));
  it("is nothing to tell in the first turn", () => expect(moved(4, null)).toBeNull());
  it("is said to be unchanged", () => expect(moved(4, 4)?.words).toBe("unchanged"));
});

describe("records", () => {
  it("are told by the ways to their values", () =>
    expect(pairs('{"tax":0.2,"tariffs":{"bo":0.1},"note":null}')).toEqual([
      ["tax", 0.2],
      ["tariffs.bo", 0.1],
      ["note", null],
    ]));
  it("with lists in them stay the words they are", () => expect(pairs('{"all":[1,2]}')).toBeNull());
  it("that are none stay the words they are", () => {
    expect(pairs("{half")).toBeNull();
    expect(pairs("[1]")).toBeNull();
    expect(pairs("hello")).toBeNull();
  });
  it("of many parts stay the words they are", () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`n${at}`, at]));
    expect(pairs(JSON.stringify(many))).toBeNull();
  });
});

it("cells say yes and no", () => expect([said(true), said(false), said(null)]).toEqual(["yes", "no", "–"]));

describe("rows in the order of a column", () => {
  const row = (name: string, cell: number | string | null) => ({ names: [name], cells: [cell] });
  const order = (rows: ReturnType<typeof row>[], down: boolean) =>
    sorted(rows, { column: 0, down }).map((one) => one.names[0]);
  it("have those without a value at the end, either way", () => {
    const rows = [row("none", null), row("two", 2), row("ten", 10)];
    expect(order(rows, false)).toEqual(["two", "ten", "none"]);
    expect(order(rows, true)).toEqual(["ten", "two", "none"]);
  });
  it("have texts by their words and numbers", () =>
    expect(order([row("b", "day 10"), row("a", "day 9")], false)).toEqual(["a", "b"]));
  it("are left as they came without one, and are never moved in place", () => {
    const rows = [row("b", 2), row("a", 1)];
    expect(sorted(rows, null)).toBe(rows);
    sorted(rows, { column: 0, down: false });
    expect(rows[0]?.names[0]).toBe("b");
  });
});
