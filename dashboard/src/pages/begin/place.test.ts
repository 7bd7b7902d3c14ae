import { describe, expect, it } from "vitest";
import { readYaml } from "~/lib/yaml";
import { evolutionOf, TOURNAMENT } from "./examples";
import { placesOf } from "./place";

const said = (message: string, where: string | null = null) => ({ message, where, errors: [] });
const value = {
  tournament: "Three",
  scenario: "economy/quick",
  turns: 4,
  entrants: ["balanced", { strategy: "strategies/thrift", name: "calm" }],
};

describe("where a refusal belongs", () => {
  it("is each of the fields that it names", () => {
    const fields = [
      { field: "body.turns", message: "too many" },
      { field: "body.entrants.1.name", message: "too long" },
    ];
    expect(placesOf({ ...said("body.turns: too many"), errors: fields }, value)).toEqual([
      { path: ["turns"], message: "too many" },
      { path: ["entrants", 1, "name"], message: "too long" },
    ]);
  });
  it("is the one of a list that its first words name", () => {
    expect(placesOf(said("entrant thrift: no such strategy"), value)[0]?.path).toEqual(["entrants", 1]);
    expect(placesOf(said("scenario economy/quick: none"), value)[0]?.path).toEqual(["scenario"]);
    expect(placesOf(said("entrant nobody: no such strategy"), value)[0]?.path).toEqual(["entrants"]);
  });
  it("is what it says to be about, unless that is the whole", () => {
    expect(placesOf(said("no strategy lies there", "scenario"), value)[0]?.path).toEqual(["scenario"]);
    expect(placesOf(said("nobody can play", "tournament"), value)).toEqual([]);
    expect(placesOf(said("the disk is full"), value)).toEqual([]);
  });
});

it("begins with texts that can be read", () => {
  expect(readYaml(TOURNAMENT).errors).toEqual([]);
  const { errors, value: read } = readYaml(evolutionOf(["spender", "thrift"]));
  expect(errors).toEqual([]);
  expect(read["start"]).toBe("spender");
  expect(readYaml(evolutionOf([])).errors).toEqual([]);
});
