// Which line is whose: branches of one change look alike, and so do their controls; every other run has its own.
import type { Schemas } from "~/api/client";
import { lineOf } from "~/charts/series";
import { partOf } from "./differences";

const BRANCH = 2;
const CONTROL = 6;

export function colourFor(runId: string, place: number, changed: readonly Schemas["Changed"][]): number {
  const several = changed.some((one) => one.branches.length > 1);
  const part = several ? partOf(runId, changed) : null;
  return part === "branch" ? BRANCH : part === "control" ? CONTROL : place + 1;
}

export const lineFor = (runId: string, place: number, changed: readonly Schemas["Changed"][]) =>
  lineOf({ colour: colourFor(runId, place, changed) }, place);
