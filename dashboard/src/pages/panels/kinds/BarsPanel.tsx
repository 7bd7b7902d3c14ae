// A bar for each row, its figure beside it: a list that is read as well as seen.
import { cx } from "~/ui/kit";
import { span } from "../bars";
import type { PartOf } from "../PanelFrame";
import { amount, exact, more } from "../said";
import { More, None, Sheet } from "./parts";

const HIGH = 16; // bars; more of them scroll in their place

export function BarsPanel({ panel, data }: PartOf<"bars">) {
  if (data.bars.length === 0) return <None>No bars yet.</None>;
  const values = data.bars.map((one) => one.value ?? 0);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const list = (
    <ul aria-label={panel.title} className="space-y-1">
      {data.bars.map((one, at) => {
        const { left, width } = span(one.value ?? 0, low, high);
        return (
          <li
            key={at}
            className="grid grid-cols-[minmax(4rem,8rem)_1fr_minmax(4rem,auto)] items-center gap-2 text-sm"
          >
            <span className="truncate" title={one.label}>
              {one.label}
            </span>
            <span aria-hidden className="relative h-4 rounded-sm bg-raised">
              <span
                className={cx(
                  "absolute inset-y-0 rounded-sm",
                  (one.value ?? 0) < 0 ? "bg-[var(--line-2)]" : "bg-[var(--line-1)]",
                )}
                style={{ left: `${left}%`, width: `${width}%` }}
              />
              {low < 0 && (
                <span
                  className="absolute inset-y-0 w-px bg-ink"
                  style={{ left: `${span(0, low, high).left}%` }}
                />
              )}
            </span>
            <span className="figures whitespace-nowrap text-right" title={exact(one.value, panel.unit)}>
              {amount(one.value, panel.unit)}
            </span>
          </li>
        );
      })}
    </ul>
  );
  return (
    <>
      {data.bars.length > HIGH ? (
        <Sheet label={panel.title} high>
          {list}
        </Sheet>
      ) : (
        list
      )}
      {data.more > 0 && <More>{more(data.more, "bars")}</More>}
    </>
  );
}
