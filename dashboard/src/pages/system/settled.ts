// The log says what is begun before it is done, so that a crash between leaves a trace.
import type { Schemas } from "~/api/client";

type Entry = Pick<Schemas["AuditEntry"], "verb" | "request_id" | "outcome">;

/** Without what was begun and has its outcome in the list: one line says it. The newest first, as told. */
export function settled<T extends Entry>(entries: T[]): T[] {
  const ended = new Set<string>();
  return entries.filter((one) => {
    const which = `${one.request_id} ${one.verb}`;
    if (one.outcome !== "begun") ended.add(which);
    return one.outcome !== "begun" || one.request_id === "" || !ended.has(which);
  });
}
