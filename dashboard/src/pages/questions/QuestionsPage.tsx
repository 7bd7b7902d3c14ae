// Runs that stand still until a person answers. Votes are asked for elsewhere: among the approvals.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Run } from "~/api/client";
import { questionsQuery } from "~/api/queries";
import { useChannel } from "~/api/stream";
import { queryClient } from "~/app/asking";
import { calmly } from "~/lib/calm";
import { ButtonLink, Head, LINK, Progress, Time } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";
import { waitingRunsQuery } from "./asked";

/** To look up a question, a helper opens the run; the others say what they wait for when they are opened. */
const MOST_LOOKED_UP = 20;

const again = calmly(
  () => void queryClient.invalidateQueries({ queryKey: waitingRunsQuery.queryKey }),
  1_000,
);

export function QuestionsPage() {
  const query = useQuery(waitingRunsQuery);
  useChannel("runs", (message) => message.status !== "running" && again());
  return (
    <>
      <Head title="Questions" about="Agents that a person plays; each waits for as long as it takes" />
      <Asked query={query} loading={<Loading what="who waits" rows={4} />}>
        {({ runs }) => (runs.length > 0 ? <Waiting runs={runs} /> : <Nobody />)}
      </Asked>
    </>
  );
}

function Waiting({ runs }: { runs: Run[] }) {
  const looked = runs.slice(0, MOST_LOOKED_UP);
  const asked = useQueries({
    queries: looked.map((run) => ({ ...questionsQuery(run.run_id), staleTime: 5_000 })),
  });
  const rows = runs.map((run, at) => ({ run, asked: asked[at] }));
  const pending = rows.filter((row) => row.asked?.isPending).length;
  const mine = rows.filter((row) => !row.asked?.isPending && (row.asked?.data?.length ?? 1) > 0);
  const votes = rows.length - mine.length - pending;
  return (
    <>
      {mine.length === 0 && pending === 0 && <Nobody />}
      <ul className="max-w-4xl space-y-2">
        {mine.map(({ run, asked: query }) => (
          <li key={run.run_id}>
            <Row run={run} actors={query?.data?.map((one) => one.actor)} first={query?.data?.[0]?.asked} />
          </li>
        ))}
      </ul>
      {pending > 0 && <Loading what="who is asked" rows={2} />}
      {pending === 0 && votes > 0 && (
        <p className="mt-4 text-muted text-sm">
          {votes === 1 ? "One more run waits" : `${votes} more runs wait`} for votes, among the{" "}
          <Link to="/approvals" className={LINK}>
            approvals
          </Link>
          .
        </p>
      )}
    </>
  );
}

function Row({
  run,
  actors,
  first,
}: {
  run: Run;
  actors: string[] | undefined;
  first: string | null | undefined;
}) {
  return (
    <article className="flex min-h-20 flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border border-line bg-surface px-3 py-2">
      <div className="min-w-0 flex-1 basis-64">
        <h2 className="font-medium">
          {actors && actors.length > 0 ? `What does ${actors.join(", and what does ")} do?` : run.scenario}
        </h2>
        <p className="text-muted text-sm">
          {actors && `${run.scenario} `}
          <Link to="/runs/$runId" params={{ runId: run.run_id }} className={LINK}>
            {run.run_id}
          </Link>{" "}
          {first && (
            <>
              asked <Time at={first} />
            </>
          )}
        </p>
      </div>
      <div className="w-36">
        <Progress turn={run.turn} of={run.max_turns} />
      </div>
      <ButtonLink look="primary" to="/runs/$runId/answer" params={{ runId: run.run_id }}>
        Answer
      </ButtonLink>
    </article>
  );
}

function Nobody() {
  return (
    <Empty title="Nobody is asked" command="windtunnel run economy/trade_war --turns 4 --agent aldland=human">
      <p>Let a person play an agent, and its run asks here, turn by turn, for as long as it takes.</p>
      <p className="mt-3">
        <ButtonLink to="/new">Start a run</ButtonLink>
      </p>
    </Empty>
  );
}
