import { describe, expect, it } from "vitest";
import type { Approval } from "~/api/client";
import { clock, hindrance, kept, left, missing } from "./standing";

const NOW = Date.parse("2031-05-01T12:00:00Z");
const me = (name: string, ...roles: string[]) => ({ name, roles: roles.length > 0 ? roles : ["approver"] });

function action(some: Partial<Approval> = {}): Approval {
  return {
    id: "r1:1.validate.ann.0",
    run_id: "r1",
    world: "w",
    scenario: "w/s",
    effect: "1.validate.ann.0",
    actor: "ann",
    turn: 1,
    status: "waiting",
    summary: "ann spends",
    action: {},
    amount: 5,
    unit: "cents",
    risk: "high",
    reason: "",
    mode: "park",
    approvers: 2,
    votes: [],
    decided_by: [],
    digest: "d",
    asked: "2031-05-01T11:00:00Z",
    expires: null,
    expires_turn: null,
    ...some,
  };
}
const vote = (by: string, approve = true, refused: string | null = null) => ({
  by,
  approve,
  note: "",
  at: null,
  refused,
});

describe("who may vote", () => {
  it("wants a name where two must approve", () => {
    expect(hindrance(action(), me("local"), NOW)).toMatch(/each by name/);
    expect(hindrance(action({ approvers: 1 }), me("local"), NOW)).toBeNull();
  });

  it("lets a name vote once, however it is written", () => {
    const one = action({ votes: [vote("Kim")] });
    expect(hindrance(one, me("kim"), NOW)).toMatch(/kim has said yes/);
    expect(hindrance(one, me("lee"), NOW)).toBeNull();
    expect(missing(one)).toBe(1);
  });

  it("does not count a vote that was refused", () => {
    const one = action({ votes: [vote("kim", true, "its digest is another")] });
    expect(hindrance(one, me("kim"), NOW)).toBeNull();
    expect(missing(one)).toBe(2);
  });

  it("refuses the actor, whoever lacks the role, and whoever comes late", () => {
    expect(hindrance(action(), me("ANN"), NOW)).toMatch(/of its own/);
    expect(hindrance(action(), me("kim", "operator"), NOW)).toMatch(/role approver/);
    expect(hindrance(action({ expires: "2031-05-01T12:00:00Z" }), me("kim"), NOW)).toMatch(/over/);
    expect(hindrance(action({ status: "denied" }), me("kim"), NOW)).toMatch(/denied/);
    expect(hindrance(action(), me("root", "admin"), NOW)).toBeNull();
  });
});

describe("the time that is left", () => {
  it("warns in the last tenth and alarms in the last minute", () => {
    const one = action({ expires: "2031-05-01T13:00:00Z" }); // of two hours, one is left
    expect(left(one, NOW)).toEqual({ seconds: 3600, tone: "plain" });
    expect(left(one, NOW + 50 * 60_000)?.tone).toBe("warn");
    expect(left(one, NOW + 59.5 * 60_000)?.tone).toBe("bad");
    expect(left(action(), NOW)).toBeNull();
  });

  it("is said as a clock", () => {
    expect([42, 0, -5, 61, 3_600 + 62, 86_400 * 2 + 3_600].map(clock)).toEqual([
      "0:42",
      "0:00",
      "0:00",
      "1:01",
      "1:01:02",
      "2 d 1 h",
    ]);
  });
});

it("keeps each action in its place when others come or go", () => {
  expect(kept(["b", "a"], ["c", "a"])).toEqual(["b", "a", "c"]);
});
