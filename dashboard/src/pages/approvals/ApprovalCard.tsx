// One action that an agent may not do by itself: what, how much, why it waits, who said what; and one's own word.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";
import type { Approval } from "~/api/client";
import { meQuery } from "~/api/queries";
import { whole } from "~/lib/format";
import { useNow } from "~/lib/now";
import { Badge, Copy, cx, LINK, Time, Words } from "~/ui/kit";
import { Decide } from "./Decide";
import { clock, counted, left, missing } from "./standing";

const RISKS: Record<string, ["plain" | "warn" | "bad", string]> = {
  low: ["plain", "▁"],
  medium: ["warn", "▃"],
  high: ["bad", "▆"],
  critical: ["bad", "█"],
};
const STANDINGS = {
  waiting: ["warn", "◷"],
  approved: ["good", "✓"],
  denied: ["bad", "✕"],
  expired: ["plain", "⊘"],
} as const;

export interface Chosen {
  chosen: boolean;
  onChoose: () => void;
}

export function ApprovalCard({
  one,
  chosen,
  onChoose,
  onIdentity,
}: { one: Approval; onIdentity: () => void } & Chosen) {
  const { data: me } = useQuery(meQuery);
  const element = useRef<HTMLElement>(null);
  const title = useId();
  // What others decide meanwhile keeps its height: the next card must not jump under the pointer.
  const [votable] = useState(one.status === "waiting");
  useEffect(() => {
    if (chosen) element.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const [tone, sign] = RISKS[one.risk] ?? ["warn", "▃"];
  return (
    <article
      ref={element}
      tabIndex={-1}
      aria-labelledby={title}
      data-approval={one.id}
      onFocusCapture={onChoose}
      onPointerDown={onChoose}
      className={cx(
        "scroll-m-16 rounded-lg border bg-surface p-3 sm:p-4",
        chosen ? "border-accent ring-1 ring-accent" : "border-line",
      )}
    >
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs">
        <Badge tone={tone}>
          <span aria-hidden>{sign}</span>
          {one.risk} risk
        </Badge>
        <Standing one={one} />
        <span className="ml-auto">
          <Expiry one={one} />
        </span>
      </div>
      <h2 id={title} className="mt-2 font-semibold text-base">
        {one.summary || `${one.actor} wants to act`}
      </h2>
      <p className="mt-0.5 text-muted text-sm">
        asked by <span className="text-ink">{one.actor}</span> in{" "}
        <Link
          to="/runs/$runId/turn"
          params={{ runId: one.run_id }}
          search={{ turn: one.turn, agent: one.actor }}
          className={LINK}
        >
          turn {one.turn} of {one.scenario}
        </Link>{" "}
        <Copy text={one.run_id} label="copy the run's id" /> <Time at={one.asked} />
      </p>
      <Facts one={one} />
      <Votes one={one} />
      {votable && (
        <Decide
          one={one}
          me={me}
          chosen={chosen}
          onIdentity={onIdentity}
          onVoted={() => element.current?.focus()}
        />
      )}
      <details className="mt-3 text-sm">
        <summary className="text-muted">the whole action</summary>
        <Words from={one.actor} className="mt-2">
          {JSON.stringify(one.action, null, 2)}
        </Words>
        <p className="mt-1 text-muted text-xs">
          A vote is bound to this action, by its hash <Copy text={one.digest} label="copy the hash" />
        </p>
      </details>
    </article>
  );
}

function Standing({ one }: { one: Approval }) {
  const [tone, sign] = STANDINGS[one.status];
  const by = one.status !== "waiting" && one.decided_by.length > 0 ? ` by ${one.decided_by.join(", ")}` : "";
  return (
    <Badge tone={tone}>
      <span aria-hidden>{sign}</span>
      {one.status}
      {by}
    </Badge>
  );
}

function Expiry({ one }: { one: Approval }) {
  const now = useNow();
  if (one.status !== "waiting") return null;
  if (one.expires_turn !== null)
    return <span className="text-muted">counts as denied after turn {one.expires_turn}</span>;
  const rest = left(one, now);
  if (!rest) return <span className="text-muted">no time limit</span>;
  const tone = rest.tone === "plain" ? "text-muted" : rest.tone === "warn" ? "text-warn" : "text-bad";
  if (rest.seconds <= 0)
    return <span className={cx("font-medium", tone)}>time is over: counts as denied</span>;
  return (
    <span className={cx(tone, rest.tone !== "plain" && "font-medium")} title={one.expires ?? undefined}>
      {rest.tone === "bad" && <span aria-hidden>⚠ </span>}
      expires in <span className="figures inline-block min-w-12 text-right">{clock(rest.seconds)}</span>
    </span>
  );
}

function Facts({ one }: { one: Approval }) {
  return (
    <dl className="mt-3 grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[auto_1fr]">
      <div>
        <dt className="text-muted text-xs">At stake</dt>
        <dd className="figures font-medium">
          {one.amount === null ? "an amount that nobody knows" : `${whole(one.amount)} ${one.unit}`}
        </dd>
      </div>
      <div className="min-w-0">
        <dt className="text-muted text-xs">Why it waits</dt>
        <dd>
          {one.reason || "the scenario's policy holds it"}
          {one.mode === "defer" && (
            <span className="text-muted"> (the run goes on without it meanwhile)</span>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Votes({ one }: { one: Approval }) {
  const good = counted(one);
  const yes = good.filter((vote) => vote.approve).length;
  const still = missing(one);
  return (
    <section className="mt-3 text-sm" aria-label="votes">
      <p>
        <span aria-hidden className="mr-2 text-good tracking-widest">
          {"●".repeat(Math.min(yes, one.approvers))}
          <span className="text-muted">{"○".repeat(still)}</span>
        </span>
        {yes} of {one.approvers} {one.approvers === 1 ? "approval" : "approvals"}
        {one.status === "waiting" && yes > 0 && still > 0 && (
          <span className="text-muted">
            {" "}
            – the {still === 1 ? "vote" : "votes"} of {still === 1 ? "somebody" : `${still} people`} other
            than {good.map((vote) => vote.by).join(", ")} {still === 1 ? "is" : "are"} missing
          </span>
        )}
      </p>
      {one.votes.length > 0 && (
        <ul className="mt-1 space-y-1">
          {one.votes.map((vote, at) => (
            <li key={at} className={cx(vote.refused && "text-muted")}>
              <span aria-hidden className={vote.approve ? "text-good" : "text-bad"}>
                {vote.approve ? "✓" : "✕"}
              </span>{" "}
              <span className="font-medium">{vote.by}</span> said {vote.approve ? "yes" : "no"}{" "}
              <span className="text-muted text-xs">
                <Time at={vote.at} />
              </span>
              {vote.refused && <span> – it does not count: {vote.refused}</span>}
              {vote.note && <Words className="mt-1">{vote.note}</Words>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
