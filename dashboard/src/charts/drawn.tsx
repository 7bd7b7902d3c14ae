// Recharts, in a room of its own so that it is loaded only where a small chart is shown.
import {
  Bar,
  BarChart,
  ErrorBar,
  Line,
  LineChart,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { figure } from "~/lib/format";
import type { Bar as One } from "./small";

interface Props {
  spark?: readonly (number | null)[];
  bars?: readonly One[];
  width?: number;
  height: number;
  unit?: string;
}

const TEXT = { fill: "var(--color-muted)", fontSize: 12 };

export default function Drawn({ spark, bars, width, height, unit }: Props) {
  if (spark)
    return (
      <LineChart
        width={width ?? 96}
        height={height}
        data={spark.map((value) => ({ value }))}
        margin={{ top: 2, right: 2, bottom: 2, left: 2 }}
        accessibilityLayer={false}
      >
        <YAxis hide domain={["dataMin", "dataMax"]} />
        <Line
          dataKey="value"
          stroke="var(--line-1)"
          strokeWidth={1.5}
          dot={false}
          isAnimationActive={false}
        />
      </LineChart>
    );
  const data = (bars ?? []).map((one) => ({
    ...one,
    interval: [one.value - (one.low ?? one.value), (one.high ?? one.value) - one.value],
  }));
  return (
    <ResponsiveContainer width="100%" height={height}>
      <BarChart
        data={data}
        layout="vertical"
        margin={{ top: 0, right: 16, bottom: 0, left: 0 }}
        accessibilityLayer={false}
      >
        <XAxis
          type="number"
          tick={TEXT}
          tickFormatter={figure}
          stroke="var(--color-line)"
          unit={unit ?? ""}
        />
        <YAxis
          type="category"
          dataKey="label"
          width={112}
          tick={TEXT}
          stroke="var(--color-line)"
          interval={0}
        />
        <Tooltip
          formatter={(value) => figure(Number(value))}
          cursor={{ fill: "var(--color-raised)" }}
          contentStyle={{
            background: "var(--color-surface)",
            borderColor: "var(--color-line)",
            color: "var(--color-ink)",
          }}
        />
        <Bar dataKey="value" fill="var(--line-1)" isAnimationActive={false}>
          {bars?.some((one) => one.low !== undefined) && (
            <ErrorBar dataKey="interval" stroke="var(--color-ink)" width={4} direction="x" />
          )}
        </Bar>
      </BarChart>
    </ResponsiveContainer>
  );
}
