// What a fork's change did: the mean difference within pairs that have the same luck, with its interval.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "~/api/client";
import { figure, spoken, whole } from "~/lib/format";
import { Button, Card, LINK } from "~/ui/kit";
import { type Effect, metricKey, telling } from "./differences";

const FIRST = 8;

export function ChangedCard({
  changed,
  headline,
  onMetric,
}: {
  changed: Schemas["Changed"];
  headline: readonly string[];
  onMetric: (metric: string) => void;
}) {
  const [all, setAll] = useState(false);
  const effects = telling(changed.effects, headline);
  const shown = all ? effects : effects.slice(0, FIRST);
  const pairs = changed.branches.length;
  const clear = effects.filter((one) => one.clear).length;
  return (
    <Card
      title="What the change did"
      aside={
        effects.length > FIRST && (
          <Button look="quiet" aria-pressed={all} onClick={() => setAll(!all)}>
            {all ? "The clearest" : `All ${effects.length}`}
          </Button>
        )
      }
    >
      <p className="mb-2 text-sm">
        <strong className="font-medium">{saidOf(changed)}</strong>, from turn {changed.at + 1} of{" "}
        <Link to="/runs/$runId" params={{ runId: changed.parent }} className={LINK}>
          {changed.parent}
        </Link>{" "}
        on.{" "}
        {changed.controls.length > 0
          ? `${pairs} ${pairs === 1 ? "branch" : "branches"} against as many unchanged controls with the same luck, `
          : "One branch against its parent, which has the same luck, "}
        after turn {changed.turn}.{" "}
        {pairs > 1 &&
          (clear > 0 ? `${clear} of ${effects.length} differences are clear.` : "No difference is clear.")}
      </p>
      {pairs === 1 && (
        <p className="mb-2 text-muted text-xs">
          One pair has no interval: this may be chance. Fork with several branches to know.
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className="relative overflow-x-auto" aria-label="what the change did" tabIndex={0}>
        <table className="w-full text-sm">
          <thead className="text-muted text-xs">
            <tr className="border-line border-b text-right">
              <th scope="col" className="py-1 pr-3 text-left font-medium">
                metric
              </th>
              <th scope="col" className="px-2 font-medium">
                {changed.controls.length > 0 ? "controls" : "parent"}
              </th>
              <th scope="col" className="px-2 font-medium">
                changed
              </th>
              <th scope="col" className="px-2 font-medium">
                difference
              </th>
              <th scope="col" className="px-2 font-medium">
                95% interval
              </th>
              <th scope="col" className="pl-2 text-left font-medium">
                <span className="sr-only">is it clear?</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <Line key={metricKey(one.agent, one.name)} effect={one} onMetric={onMetric} />
            ))}
          </tbody>
        </table>
      </section>
    </Card>
  );
}

function Line({ effect, onMetric }: { effect: Effect; onMetric: (metric: string) => void }) {
  const cell = "figures whitespace-nowrap px-2 py-1 text-right";
  const signed = (value: number): string => `${value > 0 ? "+" : ""}${figure(value)}`;
  return (
    <tr className="border-line border-b last:border-0">
      <th scope="row" className="min-w-36 py-1 pr-3 text-left font-normal">
        <button
          type="button"
          title="show its curves"
          className="text-left hover:underline"
          onClick={() => onMetric(metricKey(effect.agent, effect.name))}
        >
          {spoken(effect.name)} <span className="text-muted text-xs">{effect.agent}</span>
        </button>
      </th>
      <td className={cell} title={whole(effect.reference)}>
        {figure(effect.reference)}
      </td>
      <td className={cell} title={whole(effect.branch)}>
        {figure(effect.branch)}
      </td>
      <td className={`${cell} font-medium`} title={whole(effect.mean)}>
        {signed(effect.mean)}
      </td>
      <td className={`${cell} text-muted`}>
        {effect.low === null || effect.high === null ? "–" : `${signed(effect.low)} … ${signed(effect.high)}`}
      </td>
      <td className="whitespace-nowrap py-1 pl-2">
        <Interval effect={effect} />
      </td>
    </tr>
  );
}

/** The interval beside zero, at a glance; the word says it too. */
function Interval({ effect }: { effect: Effect }) {
  const { low, high, mean, clear } = effect;
  if (low === null || high === null) return null;
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const at = (value: number): number => 50 + (value / reach) * 48;
  return (
    <span className="flex items-center gap-2">
      <svg aria-hidden="true" viewBox="0 0 100 12" className="h-3 w-24 shrink-0" preserveAspectRatio="none">
        <line x1="50" x2="50" y1="0" y2="12" stroke="var(--color-muted)" strokeWidth="1" />
        <line
          x1={at(low)}
          x2={at(high)}
          y1="6"
          y2="6"
          stroke={clear ? "var(--color-accent)" : "var(--color-muted)"}
          strokeWidth="3"
        />
        <circle cx={at(mean)} cy="6" r="3" fill={clear ? "var(--color-accent)" : "var(--color-muted)"} />
      </svg>
      <span className={clear ? "text-xs" : "text-muted text-xs"}>{clear ? "clear" : "may be chance"}</span>
    </span>
  );
}

/** The change in few words: who decides now, what was set, what happened. */
function saidOf(changed: Schemas["Changed"]): string {
  const parts: string[] = [];
  for (const [what, value] of Object.entries(changed.changes)) {
    if (Array.isArray(value)) parts.push(value.map(String).join(", "));
    else if (typeof value === "object" && value !== null)
      parts.push(`${spoken(what)} ${Object.keys(value).join(", ")}`);
    else parts.push(`${spoken(what)} ${String(value)}`);
  }
  if (parts.length === 0 && changed.events.length > 0) parts.push("an event");
  return parts.join("; ") || "A change";
}
