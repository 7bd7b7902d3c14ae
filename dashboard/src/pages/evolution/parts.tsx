// Small parts that both pages of evolution show.
import type { Schemas } from "~/api/client";
import { figure } from "~/lib/format";
import { Badge } from "~/ui/kit";
import { spanOf, stands } from "./standing";

const RISKS: Record<string, ["plain" | "warn" | "bad", string]> = {
  low: ["plain", "▁"],
  medium: ["warn", "▃"],
  high: ["bad", "▆"],
  critical: ["bad", "█"],
};

export function RiskBadge({ risk }: { risk: string }) {
  const [tone, sign] = RISKS[risk] ?? ["warn", "▃"];
  return (
    <Badge tone={tone}>
      <span aria-hidden>{sign}</span>
      {risk} risk
    </Badge>
  );
}

type Stands = Pick<Schemas["ProposalInfo"], "status" | "approvals" | "approvers">;
const STANDINGS: Record<Stands["status"], ["plain" | "good" | "warn" | "bad", string]> = {
  pending: ["warn", "◷"],
  approved: ["warn", "◷"],
  applied: ["good", "✓"],
  rejected: ["bad", "✕"],
  expired: ["plain", "⊘"],
  rolled_back: ["plain", "↶"],
};

export function Standing({ one }: { one: Stands }) {
  const [tone, sign] = STANDINGS[one.status];
  return (
    <Badge tone={tone}>
      <span aria-hidden>{sign}</span>
      {stands(one)}
    </Badge>
  );
}

export const signed = (value: number): string => `${value > 0 ? "+" : ""}${figure(value)}`;

const WIDTH = 320;
const HEIGHT = 44;

/** One dot for each held-out luck, the mean, and from where on the interval of the mean goes; 0 is the start. */
export function Gains({
  gains,
  gain,
  low,
}: {
  gains: readonly number[];
  gain: number | null;
  low: number | null;
}) {
  if (gains.length === 0) return null;
  const span = spanOf([...gains, ...(low === null ? [] : [low])]);
  const at = (value: number) => ((value - span.low) / (span.high - span.low)) * WIDTH;
  const better = gains.filter((one) => one > 0).length;
  const said = `${better} of ${gains.length} lucks are better than the start`;
  return (
    <figure className="min-w-0 max-w-md">
      <svg
        role="img"
        aria-label={said}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        className="h-auto w-full text-accent"
      >
        <title>{said}</title>
        <line x1="0" x2={WIDTH} y1="22" y2="22" className="stroke-line" strokeWidth="1" />
        <line x1={at(0)} x2={at(0)} y1="2" y2="42" className="stroke-muted" strokeDasharray="3 3" />
        {low !== null && (
          <line
            x1={at(low)}
            x2={WIDTH}
            y1="22"
            y2="22"
            stroke="currentColor"
            strokeOpacity="0.35"
            strokeWidth="8"
          />
        )}
        {gains.map((one, index) => (
          <circle key={index} cx={at(one)} cy="22" r="3.5" className="fill-surface" stroke="currentColor" />
        ))}
        {gain !== null && (
          <line x1={at(gain)} x2={at(gain)} y1="10" y2="34" stroke="currentColor" strokeWidth="2.5" />
        )}
      </svg>
      <figcaption className="text-muted text-xs">
        {said}. Each ring is one; the upright line is the mean, dashed is the start
        {low !== null && ", the band is where the mean may lie"}.
      </figcaption>
    </figure>
  );
}
