// Plain text out of the run.
import { Words } from "~/ui/kit";
import type { PartOf } from "../PanelFrame";
import { None } from "./parts";

export function TextPanel({ data }: PartOf<"text">) {
  if (data.text === "") return <None>Nothing is said yet.</None>;
  return <Words>{data.text}</Words>;
}
