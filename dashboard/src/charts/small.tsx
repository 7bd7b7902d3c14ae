// Small charts of a few values. What draws them is loaded when one is first shown; their place is kept till then.
import { lazy, Suspense } from "react";

const Drawn = lazy(() => import("./drawn"));

export interface Bar {
  label: string;
  value: number;
  /** An interval around the value. */
  low?: number;
  high?: number;
}

/** A curve without axes, beside a figure that says the value. */
export function Spark({
  values,
  label,
  width = 96,
  height = 24,
}: {
  values: readonly (number | null)[];
  label: string;
  width?: number;
  height?: number;
}) {
  return (
    <span role="img" aria-label={label} className="inline-block" style={{ width, height }}>
      <Suspense>
        <Drawn spark={values} width={width} height={height} />
      </Suspense>
    </span>
  );
}

/** Bars from the largest down, as the caller orders them. The list beside them says the figures. */
export function Bars({ bars, label, unit }: { bars: readonly Bar[]; label: string; unit?: string }) {
  const height = bars.length * 28 + 32;
  return (
    <div role="img" aria-label={label} style={{ height }}>
      <Suspense>
        <Drawn bars={bars} height={height} {...(unit && { unit })} />
      </Suspense>
    </div>
  );
}
