// Large numbers, with how each moved since the turn before.
import type { PartOf } from "../PanelFrame";
import { amount, exact, more, moved } from "../said";
import { useShowing } from "../showing";
import { None } from "./parts";

export function FiguresPanel({ data }: PartOf<"figures">) {
  const { turn } = useShowing();
  if (data.figures.length === 0) return <None>Figures come with the first turn that has any.</None>;
  // Whose a figure is needs no saying where all are one's.
  const several = new Set(data.figures.map((one) => one.of)).size > 1;
  return (
    <>
      <dl className="grid grid-cols-[repeat(auto-fit,minmax(8.5rem,1fr))] gap-x-4 gap-y-3">
        {data.figures.map((one) => {
          const by = moved(one.value, one.before, one.unit);
          return (
            <div key={`${one.of} ${one.label}`} className="min-w-0">
              <dt className="text-muted text-xs">
                {one.label}
                {several && one.of && ` · ${one.of}`}
              </dt>
              <dd className="figures font-semibold text-2xl leading-tight" title={exact(one.value, one.unit)}>
                {amount(one.value, one.unit === "%" || one.unit.length === 1 ? one.unit : "")}
                {one.unit.length > 1 && one.value !== null && (
                  <span className="ml-1 font-normal text-muted text-sm">{one.unit}</span>
                )}
              </dd>
              <dd className="figures min-h-4 text-muted text-xs">
                {by && (
                  <>
                    <span aria-hidden>{by.sign}</span> {by.words} since turn {turn - 1}
                  </>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
      {data.more > 0 && <p className="mt-2 text-muted text-xs">{more(data.more, "figures")}</p>}
    </>
  );
}
