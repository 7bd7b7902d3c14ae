// What holds for this one run, and stands in no scenario: words to find it by, and how much it may use.
import { useId } from "react";
import { Card, FIELD } from "~/ui/kit";
import type { Terms } from "./request";

export function RunTerms({ terms, onChange }: { terms: Terms; onChange: (terms: Terms) => void }) {
  const number = (text: string): number | null => (text.trim() === "" ? null : Math.max(0, Number(text)));
  return (
    <Card title="This run">
      <div className="grid gap-x-4 gap-y-3 sm:grid-cols-2">
        <Term
          name="tags"
          help="Words to find it by, with commas between."
          onText={(text) =>
            onChange({
              ...terms,
              tags: text
                .split(",")
                .map((one) => one.trim())
                .filter(Boolean)
                .slice(0, 50),
            })
          }
        />
        <Term
          name="budget in dollars"
          number
          help="The most its models may cost: there it pauses."
          onText={(text) => onChange({ ...terms, budget: number(text) })}
        />
        <Term
          name="seconds of play"
          number
          help="After so long it pauses."
          onText={(text) => onChange({ ...terms, seconds: number(text) || null })}
        />
        <Term
          name="memory in MB"
          number
          min={64}
          help="Beyond it is stopped; it has a process of its own then."
          onText={(text) => onChange({ ...terms, memory: number(text) || null })}
        />
      </div>
    </Card>
  );
}

function Term({
  name,
  help,
  number = false,
  min = 0,
  onText,
}: {
  name: string;
  help: string;
  number?: boolean;
  min?: number;
  onText: (text: string) => void;
}) {
  const id = useId();
  return (
    <div className="text-sm">
      <label htmlFor={id} className="font-medium">
        {name}
      </label>
      <input
        id={id}
        className={FIELD}
        {...(number && { type: "number", min, step: "any" })}
        onChange={(event) => onText(event.target.value)}
        aria-describedby={`${id}-help`}
      />
      <p id={`${id}-help`} className="mt-0.5 text-muted text-xs">
        {help}
      </p>
    </div>
  );
}
