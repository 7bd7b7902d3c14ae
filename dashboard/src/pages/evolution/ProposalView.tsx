// One proposal: what would change, the evidence for it, who said what; and one's own word.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useLive } from "~/app/live";
import { figure } from "~/lib/format";
import { Difference } from "~/ui/difference";
import { Badge, Card, cx, Head, LINK, Time, Words } from "~/ui/kit";
import { Asked, Loading } from "~/ui/states";
import { proposalQuery } from "./asked";
import { Decide } from "./Decide";
import { Gains, RiskBadge, Standing, signed } from "./parts";
import type { Proposal } from "./standing";

const SHOWN = 12; // runs of the evidence that are named at once

export function ProposalView({ id }: { id: number }) {
  const query = useQuery(proposalQuery(id));
  useLive("proposals", ["proposals"]);
  return (
    <>
      {!query.data && <Head title={query.error ? "A proposal that cannot be shown" : "Proposal"} />}
      <Asked query={query} loading={<Loading what="the proposal" rows={8} />}>
        {(one) => (
          <>
            <Head title={one.title} about={<About one={one} />} />
            <div className="space-y-4">
              <div className="flex flex-wrap items-center gap-2 text-sm">
                <Standing one={one} />
                <Badge>{one.type}</Badge>
                <RiskBadge risk={one.risk} />
                <span className="figures">confidence {one.confidence.toFixed(4)}</span>
                {one.expires && one.status === "pending" && (
                  <span className="text-muted">
                    expires <Time at={one.expires} />
                  </span>
                )}
              </div>
              <Card title="What would change">
                <Difference
                  changes={one.changes}
                  instructions={one.instructions}
                  before={one.base || "the start"}
                  after={one.version || "the candidate"}
                  from={one.strategy}
                />
              </Card>
              <Evidence one={one} />
              <Card title="Decision">
                <Votes one={one} />
                <InForce one={one} />
                <Decide one={one} />
              </Card>
            </div>
          </>
        )}
      </Asked>
    </>
  );
}

function About({ one }: { one: Proposal }) {
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span>proposal {one.id}</span>
      <span>
        found by{" "}
        <Link to="/evolution" search={{ id: one.run_id }} className={LINK}>
          {one.run_id}
        </Link>
      </span>
      <span>
        <Time at={one.made} />
      </span>
      <Link to="/evolution" className={LINK}>
        all proposals
      </Link>
    </span>
  );
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10}%`;

function Evidence({ one }: { one: Proposal }) {
  const { gain, low, corrected, alpha, tried, lucks, gains, scenarios, opponents } = one.evidence;
  const facts: [string, ReactNode][] = [
    ["Gain", gain === null ? "–" : `${signed(gain)} on average`],
    [alpha === null ? "At least" : `At least, with ${percent(1 - alpha)}`, low === null ? "–" : signed(low)],
    ["Chance of as much by luck", corrected === null ? "–" : `${figure(corrected)}, for ${tried} tried`],
    ["On", `${lucks.toLocaleString("en")} held-out lucks of ${scenarios.join(", ") || "–"}`],
    ["Against", opponents.join(", ") || "those of the scenario"],
  ];
  return (
    <Card title="Evidence">
      <div className="grid gap-4 lg:grid-cols-2">
        <dl className="grid grid-cols-1 gap-x-6 gap-y-2 text-sm sm:grid-cols-2">
          {facts.map(([name, value]) => (
            <div key={name} className="min-w-0">
              <dt className="text-muted text-xs">{name}</dt>
              <dd className="figures">{value}</dd>
            </div>
          ))}
        </dl>
        <Gains gains={gains} gain={gain} low={low} />
      </div>
      <p className="mt-3 whitespace-pre-wrap text-sm">{one.description}</p>
      <Runs all={one.evidence.matches} />
    </Card>
  );
}

function Runs({ all }: { all: readonly string[] }) {
  if (all.length === 0) return null;
  const links = (some: readonly string[]) => (
    <ul className="flex flex-wrap gap-x-3 gap-y-1 font-mono text-xs">
      {some.map((run) => (
        <li key={run}>
          <Link to="/runs/$runId" params={{ runId: run }} className={LINK}>
            {run}
          </Link>
        </li>
      ))}
    </ul>
  );
  return (
    <section aria-label="the runs of the evidence" className="mt-3 space-y-2">
      <h3 className="text-muted text-xs">The runs that these numbers are from</h3>
      {links(all.slice(0, SHOWN))}
      {all.length > SHOWN && (
        <details className="text-sm">
          <summary className="text-muted">{(all.length - SHOWN).toLocaleString("en")} more</summary>
          <div className="mt-2">{links(all.slice(SHOWN))}</div>
        </details>
      )}
    </section>
  );
}

const SAID = {
  approve: ["✓", "text-good", "said yes"],
  reject: ["✕", "text-bad", "said no"],
  rollback: ["↶", "text-warn", "took it back"],
} as const;

function Votes({ one }: { one: Proposal }) {
  const still = Math.max(0, one.approvers - one.approvals);
  return (
    <section aria-label="votes" className="text-sm">
      <p>
        <span aria-hidden className="mr-2 text-good tracking-widest">
          {"●".repeat(Math.min(one.approvals, one.approvers))}
          <span className="text-muted">{"○".repeat(still)}</span>
        </span>
        {one.approvals} of {one.approvers} {one.approvers === 1 ? "approval" : "approvals"}
      </p>
      {one.votes.length === 0 && one.status === "pending" && (
        <p className="text-muted">
          Nobody has said anything yet. One no is the end of it; the last yes that is needed puts it in force.
        </p>
      )}
      <ul className="mt-1 space-y-1">
        {one.votes.map((vote, at) => {
          const [sign, tone, said] = SAID[vote.word];
          return (
            <li key={at}>
              <span aria-hidden className={cx("mr-1", tone)}>
                {sign}
              </span>
              <span className="font-medium">{vote.by}</span> {said}{" "}
              <span className="text-muted text-xs">
                <Time at={vote.at} />
              </span>
              {vote.note && <Words className="mt-1">{vote.note}</Words>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function InForce({ one }: { one: Proposal }) {
  const [name, version] = (one.in_force ?? "").split("@");
  return (
    <p className="mt-3 text-sm">
      {name && version ? (
        <>
          In force now:{" "}
          <Link to="/strategies" search={{ name, version }} className={LINK}>
            {one.in_force}
          </Link>
        </>
      ) : (
        <span className="text-muted">{one.strategy} is not registered yet; it is, with the first yes.</span>
      )}
    </p>
  );
}
