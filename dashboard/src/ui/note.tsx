// What somebody adds to a decision.
import { FIELD } from "~/ui/kit";

export function NoteField({
  value,
  disabled,
  onChange,
}: {
  value: string;
  disabled: boolean;
  onChange: (value: string) => void;
}) {
  return (
    <label className="min-w-48 flex-1 text-muted text-xs">
      Note, for those who read it later
      <input
        className={FIELD}
        value={value}
        disabled={disabled}
        maxLength={2_000}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}
