// Which line is whose, and what each says at the turn that is looked at.
import { memo } from "react";
import { figure } from "~/lib/format";
import { cx } from "~/ui/kit";
import { lineOf, type Series, valueAt } from "./series";

export const Swatch = ({ variable, dash }: { variable: string; dash: readonly number[] }) => (
  <svg aria-hidden="true" width="24" height="8" className="shrink-0">
    <line
      x1="0"
      y1="4"
      x2="24"
      y2="4"
      stroke={`var(${variable})`}
      strokeWidth="2.5"
      strokeDasharray={dash.join(" ")}
    />
  </svg>
);

export const Legend = memo(function Legend({
  series,
  hidden,
  turn,
  step,
  onToggle,
  onPoint,
}: {
  series: readonly Series[];
  hidden: ReadonlySet<string>;
  turn: number;
  step: string;
  onToggle: (id: string) => void;
  onPoint: (place: number | null) => void;
}) {
  if (series.length === 0) return null;
  return (
    <div className="mt-1 max-h-40 overflow-y-auto">
      <p className="figures text-muted text-xs">
        in {step} {turn.toLocaleString("en")}
      </p>
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(12rem,1fr))] gap-x-4">
        {series.map((one, at) => {
          const off = hidden.has(one.id);
          return (
            <li key={one.id}>
              <button
                type="button"
                aria-pressed={!off}
                onClick={() => onToggle(one.id)}
                onPointerEnter={() => onPoint(at)}
                onPointerLeave={() => onPoint(null)}
                title={off ? `show ${one.label}` : `hide ${one.label}`}
                className={cx(
                  "flex w-full items-center gap-2 rounded px-1 py-0.5 text-left text-sm hover:bg-raised",
                  off && "text-muted line-through",
                )}
              >
                <Swatch {...lineOf(one, at)} />
                <span className="min-w-0 flex-1 truncate">{one.label}</span>
                <span className="figures text-muted">{figure(valueAt(one, turn))}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
});
