import { describe, expect, it } from "vitest";
import type { Schemas } from "~/api/client";
import { span } from "./bars";
import { summary } from "./book";
import { lineOfName, namesOf } from "./colours";
import { ground, most, signed, strength } from "./heat";
import { labels, series } from "./points";
import { outline, picture } from "./ribbons";

describe("heat", () => {
  it("measures by the largest amount, whatever its sign", () =>
    expect(
      most([
        [1, -8],
        [null, 3],
      ]),
    ).toBe(8));
  it("grows with the amount, and leaves the number readable", () => {
    const steps = [0.001, 0.1, 0.5, 1].map((value) => strength(value, 1));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(new Set(steps).size).toBe(4);
    expect(steps.at(-1)).toBeLessThan(50);
  });
  it("is the same for what comes in and what goes out, in two colours", () => {
    expect(strength(-3, 4)).toBe(strength(3, 4));
    expect(ground(-3, 4)).toContain("--line-2");
    expect(ground(3, 4)).toContain("--line-1");
  });
  it("has no colour for nothing", () => {
    expect(ground(0, 4)).toBeUndefined();
    expect(ground(null, 4)).toBeUndefined();
    expect(ground(0, 0)).toBeUndefined();
  });
  it("has two colours only where something is below nought", () => {
    expect(signed([[0, 1, null]])).toBe(false);
    expect(signed([[0, -1]])).toBe(true);
  });
});

describe("ribbons", () => {
  const flows = [
    { start: "a", end: "b", value: 6 },
    { start: "b", end: "a", value: 3 },
    { start: "a", end: "c", value: 1 },
  ];
  const drawn = picture(flows, ["c", "b", "a"], 100, 30);
  it("are as wide as what they carry", () => {
    const widths = Object.fromEntries(
      drawn.ribbons.map((one) => [`${one.flow.start}${one.flow.end}`, one.left.height]),
    );
    expect(widths).toEqual({ ab: 60, ba: 30, ac: 10 });
    for (const one of drawn.ribbons) expect(one.right.height).toBe(one.left.height);
  });
  it("fill their ends, one below the other", () => {
    const a = drawn.starts.find((one) => one.name === "a");
    const mine = drawn.ribbons.filter((one) => one.flow.start === "a");
    expect(mine[0]?.left.top).toBeCloseTo(a?.top ?? -1);
    expect(mine[1]?.left.top).toBeCloseTo((mine[0]?.left.top ?? 0) + (mine[0]?.left.height ?? 0));
    expect(mine.reduce((so, one) => so + one.left.height, 0)).toBeCloseTo(a?.height ?? -1);
  });
  it("leave in the order of those they reach, so that they cross less", () =>
    expect(drawn.ribbons.filter((one) => one.flow.start === "a").map((one) => one.flow.end)).toEqual([
      "c",
      "b",
    ]));
  it("keep the order of the ends, however large they are", () => {
    expect(drawn.starts.map((one) => one.name)).toEqual(["b", "a"]);
    expect(drawn.ends.map((one) => one.name)).toEqual(["c", "b", "a"]);
  });
  it("leave room for every label, within the picture", () => {
    for (const side of [drawn.starts, drawn.ends]) {
      side.forEach((one, at) => {
        expect(one.slot.height).toBeGreaterThanOrEqual(30);
        expect(one.slot.top).toBeCloseTo(
          at === 0 ? 0 : (side[at - 1]?.slot.top ?? 0) + (side[at - 1]?.slot.height ?? 0),
        );
      });
      const last = side.at(-1)?.slot;
      expect((last?.top ?? 0) + (last?.height ?? 0)).toBeCloseTo(drawn.height);
    }
  });
  it("leave out what carries nothing, and stand for none at all", () => {
    expect(picture([{ start: "a", end: "b", value: 0 }], [], 100, 30)).toEqual({
      starts: [],
      ends: [],
      ribbons: [],
      height: 30,
    });
  });
  it("have an outline from side to side", () => {
    const flow = { start: "a", end: "b", value: 1 };
    expect(outline({ flow, left: { top: 1, height: 2 }, right: { top: 5, height: 2 } })).toBe(
      "M0,1 C50,1 50,5 100,5 L100,7 C50,7 50,3 0,3 Z",
    );
  });
});

describe("bars", () => {
  it("begin at nought, which lies where the smallest leaves it", () => {
    expect(span(5, -5, 15)).toEqual({ left: 25, width: 25 });
    expect(span(-5, -5, 15)).toEqual({ left: 0, width: 25 });
  });
  it("are nothing where all are nothing", () => expect(span(0, 0, 0)).toEqual({ left: 0, width: 0 }));
});

it("a book says its best prices and what lies between them", () => {
  const told = summary(
    [{ price: 99, size: 7 }],
    [
      { price: 101, size: 4 },
      { price: 103, size: 9 },
    ],
  );
  expect(told).toEqual({ bid: 99, ask: 101, spread: 2, middle: 100, deepest: 9 });
  expect(summary([], [{ price: 101, size: 4 }])).toMatchObject({
    bid: null,
    ask: 101,
    spread: null,
    middle: null,
  });
});

describe("curves", () => {
  const wanted = [
    { agent: "bo", name: "gdp" },
    { agent: "ann", name: "gdp" },
  ];
  it("are told in the order wanted, times the scale", () => {
    const told = [
      { agent: "ann", name: "gdp", turns: [1, 2], values: [0.5, 0.25] },
      { agent: "bo", name: "wealth", turns: [1], values: [9] },
    ];
    const [bo, ann] = series(wanted, told, 100);
    expect(bo).toMatchObject({ turns: [], values: [] });
    expect(ann).toMatchObject({ turns: [1, 2], values: [50, 25] });
  });
  it("are called by what tells them apart", () => {
    expect(labels(wanted)).toEqual({ by: ["bo", "ann"], each: true });
    expect(
      labels([
        { agent: "bo", name: "a" },
        { agent: "bo", name: "b" },
      ]),
    ).toEqual({ by: ["a", "b"], each: false });
    expect(
      labels([
        { agent: "bo", name: "a" },
        { agent: "ann", name: "b" },
      ]).by,
    ).toEqual(["bo: a", "ann: b"]);
  });
});

it("an agent has one colour on the whole page, in the scenario's order", () => {
  const part = (data: unknown) => ({ parts: [{ data }] });
  const page = {
    panels: [
      part({ kind: "flows", flows: [{ start: "bo", end: "cy", value: 2 }] }),
      part(null),
      part({
        kind: "curves",
        series: [
          { agent: "world", name: "gdp" },
          { agent: "ann", name: "gdp" },
          { agent: "bo", name: "gdp" },
        ],
      }),
    ],
  } as unknown as Schemas["PanelPage"];
  const names = namesOf(page);
  expect(names).toEqual(["ann", "bo", "cy"]);
  expect(names.map((name) => lineOfName(names, name))).toEqual([1, 2, 3]);
});
