import { expect, it } from "vitest";
import { onward } from "./onward";

it("goes on to a path of this page", () => {
  expect(onward("/runs/abc/turn?turn=3&agent=ann")).toBe("/runs/abc/turn?turn=3&agent=ann");
  expect(onward(undefined)).toBe("/");
});

it("leads nowhere else", () => {
  for (const away of [
    "//elsewhere.example",
    "/\\elsewhere.example",
    "https://elsewhere.example",
    "javascript:alert(1)",
    "/a\nb",
    "/a\tb",
    "/a\\b",
    "",
    `/${"a".repeat(600)}`,
  ])
    expect(onward(away)).toBe("/");
});
