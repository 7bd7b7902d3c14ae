import { expect, test } from "vitest";
import { emptyForm, type Misfit, parametersOf, requestOf } from "./fork";

test("a fork before a decision names the turn, the phase and the agent", () => {
  const form = { ...emptyForm(12, "aldland"), seat: " balanced ", branches: 3 };
  expect(requestOf(form)).toMatchObject({
    at: "12.plan.aldland",
    agents: { aldland: "balanced" },
    branches: 3,
  });
  expect(requestOf(emptyForm(7))).toMatchObject({ at: "7", agents: {}, set: {}, event: null });
});

test("parameters are JSON where they can be, and text where not", () => {
  expect(parametersOf("tax = 0.3\n\nname=ann\nopen=true\na.b=[1, 2]\nmath=x=1")).toEqual({
    tax: 0.3,
    name: "ann",
    open: true,
    "a.b": [1, 2],
    math: "x=1",
  });
});

test("what cannot be meant is refused at its field", () => {
  const field = (change: object) => {
    try {
      requestOf({ ...emptyForm(3), ...change });
    } catch (error) {
      return (error as Misfit).field;
    }
    return null;
  };
  expect(field({ parameters: "tax 0.3" })).toBe("parameters");
  expect(field({ parameters: "=3" })).toBe("parameters");
  expect(field({ eventKind: "shock", eventBody: "{size: 1}" })).toBe("eventBody");
  expect(field({ eventBody: "{}" })).toBe("eventKind");
  expect(field({ seat: "balanced" })).toBe("agent");
  expect(field({ eventKind: "shock", eventBody: '{"size": 1}' })).toBeNull();
});
