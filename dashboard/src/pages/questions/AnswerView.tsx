// A person plays here: what the agent sees, what it may do, and then the next turn.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Question, RunDetail } from "~/api/client";
import { questionsQuery, runQuery, worldQuery } from "~/api/queries";
import { useChannel } from "~/api/stream";
import { queryClient } from "~/app/asking";
import { calmly } from "~/lib/calm";
import { Data } from "~/ui/data";
import { ButtonLink, Card, cx, ended, LINK, StatusBadge, Time, Words } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";
import { Tree } from "~/ui/tree";
import { AnswerForm, observed } from "./AnswerForm";

export function AnswerView() {
  const { runId } = useParams({ from: "/runs/$runId/answer" });
  const run = useQuery(runQuery(runId));
  const waiting = run.data?.status === "waiting";
  const asked = useQuery({ ...questionsQuery(runId), enabled: waiting });
  const [sent, setSent] = useState<Sent | null>(null);
  useFollowed(runId);
  return (
    <Asked query={run} loading={<Loading what="the run" rows={5} />}>
      {(detail) => {
        if (waiting && asked.isPending) return <Loading what="what is asked" rows={6} />;
        if (waiting && asked.error) return <Asked query={asked}>{() => null}</Asked>;
        const open = waiting ? (asked.data ?? []) : [];
        return (
          <>
            {sent && <LastAnswer {...sent} />}
            {open.length > 0 ? (
              <Questions open={open} world={detail.world} onSent={setSent} />
            ) : (
              <NothingAsked run={detail} sent={sent !== null} />
            )}
          </>
        );
      }}
    </Asked>
  );
}

interface Sent {
  turn: number;
  actor: string;
  answer: unknown;
}

/** What a run asks next comes by itself; how the run stands, the page around this one follows. */
function useFollowed(runId: string): void {
  const again = useMemo(
    () => calmly(() => void queryClient.invalidateQueries({ queryKey: ["questions", runId] }), 500),
    [runId],
  );
  useChannel(`run:${runId}`, again);
}

function LastAnswer({ turn, actor, answer }: Sent) {
  return (
    <p role="status" className="mb-3 rounded-md bg-good-soft px-3 py-2 text-good text-sm">
      <span aria-hidden>✓ </span>
      {actor} in turn {turn}: <code className="font-mono text-xs">{JSON.stringify(answer)}</code> is sent
    </p>
  );
}

function Questions({
  open,
  world,
  onSent,
}: {
  open: Question[];
  world: string;
  onSent: (sent: Sent) => void;
}) {
  const { agent } = useSearch({ from: "/runs/$runId/answer" });
  const navigate = useNavigate();
  const one = open.find((question) => question.actor === agent) ?? open[0];
  if (!one) return null;
  return (
    <>
      {open.length > 1 && (
        <nav aria-label="who is asked" className="mb-3 flex flex-wrap gap-1">
          {open.map((question) => (
            <button
              key={question.effect}
              type="button"
              aria-pressed={question === one}
              onClick={() =>
                navigate({ to: ".", search: (all) => ({ ...all, agent: question.actor }), replace: true })
              }
              className={cx(
                "rounded-full border px-3 py-1 text-sm",
                question === one ? "border-accent bg-accent-soft text-accent" : "border-line text-muted",
              )}
            >
              {question.actor}
            </button>
          ))}
        </nav>
      )}
      <OneQuestion key={one.effect} question={one} world={world} onSent={onSent} />
    </>
  );
}

function OneQuestion({
  question,
  world,
  onSent,
}: {
  question: Question;
  world: string;
  onSent: (sent: Sent) => void;
}) {
  const { actor, turn, request, asked } = question;
  const seen = observed(request);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(20rem,26rem)]">
      <Card title={`What ${actor} sees in turn ${turn}`}>
        {typeof seen === "string" ? (
          <Words>{seen}</Words>
        ) : (
          <Data value={seen} label={`what ${actor} sees`} />
        )}
        <details className="mt-4 text-sm">
          <summary className="text-muted">as it was asked, in full</summary>
          <Tree value={request} open />
        </details>
      </Card>
      <div className="min-w-0 lg:sticky lg:top-5 lg:row-span-2">
        <Card
          title={`What does ${actor} do?`}
          aside={
            <span className="text-muted text-xs">
              asked <Time at={asked} />; there is no hurry
            </span>
          }
        >
          <AnswerForm question={question} onSent={(answer) => onSent({ turn, actor, answer })} />
        </Card>
      </div>
      <Instructions world={world} role={question.role} />
    </div>
  );
}

/** What the role is, and how to read what it sees: the same words that a model would get. */
function Instructions({ world, role }: { world: string; role: string }) {
  const { data } = useQuery({ ...worldQuery(world), enabled: role !== "" });
  const about = data?.roles.find((one) => one.name === role)?.instructions;
  if (!about) return null;
  return (
    <Card title={`The role: ${role.replaceAll("_", " ")}`}>
      <p className="max-w-prose whitespace-pre-line text-sm">
        {about.trim().replace(/(?<!\n)\n(?!\n)/g, " ")}
      </p>
    </Card>
  );
}

function NothingAsked({ run, sent }: { run: RunDetail; sent: boolean }) {
  const { run_id: runId, status, turn, max_turns: of } = run;
  const to = { to: "/runs/$runId", params: { runId } } as const;
  if (ended(status))
    return (
      <Empty title={`The run is ${status}: nothing more is asked`}>
        <p>
          {turn} of {of} turns were played.
        </p>
        <p className="mt-3">
          <ButtonLink {...to}>See how it went</ButtonLink>
        </p>
      </Empty>
    );
  return (
    <Empty title={sent ? "Sent. The next question comes by itself" : "Nothing is asked now"}>
      <p className="mb-2">
        <StatusBadge status={status} reason={run.reason} /> turn {turn} of {of}
      </p>
      {status === "waiting" && !sent && (
        <p>
          It waits for votes:{" "}
          <Link to="/approvals" className={LINK}>
            what waits for approval
          </Link>
        </p>
      )}
      {status === "paused" && <p>It is paused; go on with it on its own page.</p>}
    </Empty>
  );
}
