import { describe, expect, it } from "vitest";
import { choices, differs, hindrance, lastYes, type Proposal, spanOf, stands } from "./standing";

const proposal = (some: Partial<Proposal> = {}): Proposal =>
  ({ status: "pending", approvals: 0, approvers: 1, votes: [], ...some }) as Proposal;
const me = (name: string, ...roles: string[]) => ({ name, roles: roles.length > 0 ? roles : ["approver"] });
const yes = (by: string) => ({ by, word: "approve" as const, note: "", at: "2031-05-01T12:00:00Z" });

describe("who may decide a proposal", () => {
  it("is somebody with a name and the role", () => {
    expect(hindrance(proposal(), me("kim"))).toBeNull();
    expect(hindrance(proposal(), me("root", "admin"))).toBeNull();
    expect(hindrance(proposal(), me("kim", "operator"))).toContain("approver");
    expect(hindrance(proposal(), me("local", "admin"))).toContain("by name");
    expect(hindrance(proposal(), undefined)).not.toBeNull();
  });
  it("is nobody twice, however the name is written, while it waits", () => {
    const one = proposal({ approvers: 2, approvals: 1, votes: [yes("Kim")] });
    expect(hindrance(one, me(" KIM "))).toContain("once");
    expect(hindrance(one, me("lee"))).toBeNull();
    expect(hindrance(proposal({ status: "applied", votes: [yes("kim")] }), me("kim"))).toBeNull();
  });
});

it("offers what its status allows, and nothing after it is over", () => {
  expect(choices("pending")).toEqual(["approve", "reject"]);
  expect(choices("applied")).toEqual(["rollback"]);
  for (const over of ["rejected", "expired", "rolled_back"] as const) expect(choices(over)).toEqual([]);
});

it("knows which yes puts it in force", () => {
  expect(lastYes(proposal())).toBe(true);
  expect(lastYes(proposal({ approvers: 2 }))).toBe(false);
  expect(lastYes(proposal({ approvers: 2, approvals: 1 }))).toBe(true);
  expect(stands(proposal({ approvers: 2, approvals: 1 }))).toBe("pending, 1 of 2");
  expect(stands(proposal({ status: "rolled_back" }))).toBe("rolled back");
});

it("says what differs in a few words", () => {
  const changes = [{ field: "parameters.tax", before: 0.32, after: 0.21234 }];
  expect(differs({ changes, instructions: "" })).toBe("tax 0.32 → 0.212");
  expect(differs({ changes: [], instructions: "+a" })).toBe("other instructions");
  expect(differs({ changes: [], instructions: "" })).toBe("nothing");
});

it("draws gains on an axis that holds 0", () => {
  expect(spanOf([1, 2]).low).toBeLessThan(0);
  expect(spanOf([-2, -1]).high).toBeGreaterThan(0);
  const empty = spanOf([]);
  expect(empty.high).toBeGreaterThan(empty.low);
});
