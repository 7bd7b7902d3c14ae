// What a person fills in, as the request that the server takes. Wrong text is refused field by field.
import type { Schemas } from "~/api/client";

export interface ForkForm {
  /** After this turn; or, with an agent, before its decision in this turn. */
  turn: number;
  before: string;
  agent: string;
  seat: string;
  instructions: string;
  parameters: string;
  eventKind: string;
  eventBody: string;
  branches: number;
}

export const emptyForm = (turn: number, before = ""): ForkForm => ({
  turn,
  before,
  agent: before,
  seat: "",
  instructions: "",
  parameters: "",
  eventKind: "",
  eventBody: "",
  branches: 1,
});

export class Misfit extends Error {
  constructor(
    readonly field: keyof ForkForm,
    message: string,
  ) {
    super(message);
  }
}

/** `tax = 0.3`, one a line; a value that is no JSON is taken as text. */
export function parametersOf(text: string): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const line of text.split("\n").filter((one) => one.trim())) {
    const at = line.indexOf("=");
    const key = line.slice(0, at).trim();
    if (at < 0 || !key) throw new Misfit("parameters", `"${line.trim()}" is not KEY=VALUE`);
    const value = line.slice(at + 1).trim();
    try {
      made[key] = JSON.parse(value);
    } catch {
      made[key] = value;
    }
  }
  return made;
}

function eventOf(form: ForkForm): Record<string, unknown> | null {
  const kind = form.eventKind.trim();
  if (!kind) {
    if (form.eventBody.trim()) throw new Misfit("eventKind", "an event needs its kind");
    return null;
  }
  if (!form.eventBody.trim()) return { kind };
  try {
    return { kind, body: JSON.parse(form.eventBody) };
  } catch (error) {
    throw new Misfit("eventBody", `not JSON: ${(error as Error).message}`);
  }
}

export const placeOf = (form: Pick<ForkForm, "turn" | "before">): string =>
  form.before ? `${form.turn}.plan.${form.before}` : String(form.turn);

export function requestOf(form: ForkForm): Schemas["ForkRequest"] {
  if ((form.seat.trim() || form.instructions.trim()) && !form.agent)
    throw new Misfit("agent", "say whose seat or instructions are to change");
  return {
    at: placeOf(form),
    set: parametersOf(form.parameters),
    agents: form.seat.trim() ? { [form.agent]: form.seat.trim() } : {},
    instructions: form.instructions.trim() ? { [form.agent]: form.instructions } : {},
    event: eventOf(form),
    branches: form.branches,
    play: true,
  };
}
