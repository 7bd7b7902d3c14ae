// From what was typed to what the server is asked to plan.
import type { Schemas } from "~/api/client";

export interface Form {
  name: string;
  when: string;
  zone: string;
  verb: "run" | "health" | "prune";
  scenario: string;
  turns: string;
  older: string;
  now: boolean;
}

export const BLANK: Form = {
  name: "",
  when: "daily at 03:00",
  zone: "",
  verb: "run",
  scenario: "",
  turns: "",
  older: "30d",
  now: false,
};

export const EXAMPLES = [
  "hourly",
  "every 6 hours",
  "daily at 07:30",
  "weekdays at 9:00",
  "weekly on monday at 07:30",
  "0 3 * * 1-5",
];

export function wanted(form: Form): Schemas["ScheduleRequest"] {
  return {
    name: form.name.trim(),
    when: form.when.trim(),
    zone: form.zone.trim(),
    do: form.verb,
    arguments: argumentsOf(form),
    first_now: form.now,
    overlap: false,
  };
}

function argumentsOf(form: Form): Record<string, unknown> {
  if (form.verb === "health") return {};
  if (form.verb === "prune") return { older_than: form.older.trim() };
  const turns = form.turns.trim();
  return { scenario: form.scenario, ...(turns && { turns: Number(turns) }) };
}

/** What a schedule does, in a few words. */
export function deed(one: Pick<Schemas["Schedule"], "do" | "arguments">): string {
  const { scenario, ...rest } = one.arguments;
  const said = Object.entries(rest).filter(([, value]) => value !== null);
  const more = said.map(
    ([name, value]) =>
      `${name.replaceAll("_", " ")} ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return [`${one.do}${typeof scenario === "string" ? ` ${scenario}` : ""}`, ...more].join(", ");
}
