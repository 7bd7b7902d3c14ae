import { expect, it } from "vitest";
import { BLANK, deed, wanted } from "./wanted";

it("asks for a run with its turns, and without where none are said", () => {
  const form = { ...BLANK, name: " nightly ", scenario: "w/s" };
  expect(wanted({ ...form, turns: "5" })).toMatchObject({
    name: "nightly",
    do: "run",
    arguments: { scenario: "w/s", turns: 5 },
    first_now: false,
  });
  expect(wanted(form).arguments).toEqual({ scenario: "w/s" });
});

it("asks for nothing that another deed would not take", () => {
  expect(wanted({ ...BLANK, verb: "health", scenario: "w/s" }).arguments).toEqual({});
  expect(wanted({ ...BLANK, verb: "prune", older: "7d", turns: "5" }).arguments).toEqual({
    older_than: "7d",
  });
});

it("says what a schedule does", () => {
  expect(deed({ do: "run", arguments: { scenario: "w/s", turns: 3, world: null, set: { a: 1 } } })).toBe(
    'run w/s, turns 3, set {"a":1}',
  );
  expect(deed({ do: "prune", arguments: { older_than: "7d" } })).toBe("prune, older than 7d");
});
