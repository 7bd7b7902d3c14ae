// Who decides for an agent: one of its role's policies, a model, or a person.
import { useQuery } from "@tanstack/react-query";
import { modelsQuery, worldQuery } from "~/api/queries";
import { cx, FIELD } from "./kit";

export interface SeatProps {
  world: string;
  role: string;
  /** A policy, a model or `human`; empty for what stands there already. */
  value: string;
  onChange: (value: string) => void;
  /** What an empty choice means. */
  unchanged: string;
  label: string;
}

/** Models are named by whoever set them up; the house plays through a model's whole path and needs no key. */
export function Seat({ world, role, value, onChange, unchanged, label }: SeatProps) {
  const about = useQuery(worldQuery(world));
  const models = useQuery(modelsQuery);
  const policies = about.data?.roles.find((one) => one.name === role)?.policies ?? [];
  const named = [...new Set(["house", ...(models.data?.can_be_asked ?? [])])].filter((one) => one !== "rule");
  const known = value === "" || value === "human" || policies.includes(value) || named.includes(value);
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className={cx(FIELD, "!w-auto min-w-36 max-w-full")}
    >
      <option value="">{unchanged}</option>
      {!known && <option value={value}>{value}</option>}
      <optgroup label="policies">
        {policies.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </optgroup>
      <optgroup label="models">
        {named.map((one) => (
          <option key={one} value={one}>
            {one === "house" ? "house (a rule, asked as a model is)" : one}
          </option>
        ))}
      </optgroup>
      <optgroup label="people">
        <option value="human">human (asks you)</option>
      </optgroup>
    </select>
  );
}
