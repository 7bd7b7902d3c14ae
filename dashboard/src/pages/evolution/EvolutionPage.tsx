// How strategies become better: what is proposed, the evolutions that find it, or one of either.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schemas } from "~/api/client";
import { useLive } from "~/app/live";
import { BeginLink, HeadLink } from "~/pages/begin/BeginLink";
import { Button, Card, Head, LINK, StatusBadge, Time } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { Table } from "~/ui/table";
import { evolutionsQuery, pendingQuery, proposalsQuery } from "./asked";
import { EvolutionView } from "./EvolutionView";
import { ProposalView } from "./ProposalView";
import { RiskBadge, Standing } from "./parts";

export function EvolutionPage() {
  const { id, proposal, generation } = useSearch({ from: "/evolution" });
  if (proposal !== undefined) return <ProposalView key={proposal} id={proposal} />;
  if (id) return <EvolutionView key={id} runId={id} generation={generation} />;
  return <Everything />;
}

function Everything() {
  useLive("proposals", ["proposals"], ["evolutions"]);
  return (
    <>
      <Head title="Evolution" about="Better strategies by trying, and what people put in force of it">
        <HeadLink kind="evolution" />
      </Head>
      <div className="space-y-4">
        <Card title="Proposals">
          <Proposals />
        </Card>
        <Card title="Evolutions">
          <Evolutions />
        </Card>
      </div>
    </>
  );
}

function Proposals() {
  const waiting = useQuery(pendingQuery);
  const query = useInfiniteQuery(proposalsQuery);
  const error = waiting.error ?? query.error;
  const pages = query.data?.pages;
  if (!pages || !waiting.data) {
    if (!error) return <Loading what="the proposals" rows={3} />;
    const again = () => void Promise.all([waiting.refetch(), query.refetch()]);
    return <Trouble error={error} retry={again} />;
  }
  // What waits stands first; what is listed further down is not told twice.
  const first = waiting.data.proposals;
  const known = new Set(first.map((one) => one.id));
  const all = [...first, ...pages.flatMap((page) => page.proposals).filter((one) => !known.has(one.id))];
  if (all.length === 0)
    return (
      <Empty title="Nothing is proposed">
        Where the best candidate of an evolution holds on luck that the search never saw, it is proposed here,
        with the evidence for it. Nothing is put in force by itself.
      </Empty>
    );
  return (
    <>
      <ProposalTable all={all} />
      <More query={query} />
    </>
  );
}

function ProposalTable({ all }: { all: readonly Schemas["ProposalInfo"][] }) {
  return (
    <Table
      label="proposals"
      columns={["Proposal", "Status", "Type", "Risk", "Confidence", "Made"]}
      right={[4]}
      rows={all.map((one) => ({
        key: String(one.id),
        cells: [
          <span key="title" className="block min-w-40">
            <Link to="/evolution" search={{ proposal: one.id }} className={LINK}>
              {one.title}
            </Link>
            <span className="block text-muted text-xs">
              {one.id} · {one.version || one.base || one.strategy}
            </span>
          </span>,
          <Standing key="status" one={one} />,
          one.type,
          <RiskBadge key="risk" risk={one.risk} />,
          one.confidence.toFixed(3),
          <Time key="made" at={one.made} />,
        ],
      }))}
    />
  );
}

function Evolutions() {
  const query = useInfiniteQuery(evolutionsQuery);
  const all = query.data?.pages.flatMap((page) => page.evolutions);
  if (query.error && !all) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (!all) return <Loading what="the evolutions" rows={4} />;
  if (all.length === 0)
    return (
      <Empty title="There are no evolutions yet" command="windtunnel evolve FILE">
        An evolution tries changes to a strategy in matches, generation by generation. Its file names what is
        to become better, and a scenario; <code>POST /api/evolution</code> takes the same as JSON.
        <span className="mt-3 block">
          <BeginLink kind="evolution" />
        </span>
      </Empty>
    );
  return (
    <>
      <Table
        label="evolutions"
        columns={["Evolution", "Status", "Strategy", "World", "Generations", "Proposal", "Begun"]}
        right={[4]}
        rows={all.map((one) => ({
          key: one.run_id,
          cells: [
            <span key="title" className="block min-w-36">
              <Link to="/evolution" search={{ id: one.run_id }} className={LINK}>
                {one.title}
              </Link>
              <span className="block font-mono text-muted text-xs">{one.run_id}</span>
            </span>,
            <StatusBadge key="status" status={one.status} reason={one.reason} />,
            one.strategy,
            one.world,
            `${one.generations} of ${one.of_generations}`,
            <Came key="proposal" one={one} />,
            <Time key="begun" at={one.created} />,
          ],
        }))}
      />
      <More query={query} />
    </>
  );
}

/** What came of an evolution, in a word. */
function Came({ one }: { one: Schemas["EvolutionInfo"] }): ReactNode {
  if (one.proposal)
    return (
      <Link to="/evolution" search={{ proposal: one.proposal.id }} className={LINK}>
        {one.proposal.id}, {one.proposal.status.replace("_", " ")}
      </Link>
    );
  return <span className="text-muted">{one.status === "completed" ? "none" : "–"}</span>;
}

function More({
  query,
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  if (!query.hasNextPage) return null;
  return (
    <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
      Show more
    </Button>
  );
}
