// For what a run waits, and where a person can do something about it.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { RunDetail } from "~/api/client";
import { questionsQuery, waitingQuery } from "~/api/queries";
import { LINK } from "~/ui/kit";

export function WaitsFor({ run }: { run: RunDetail }) {
  const approvals = useQuery(waitingQuery).data?.approvals.filter((one) => one.run_id === run.run_id) ?? [];
  const asked = useQuery(questionsQuery(run.run_id)).data ?? [];
  return (
    <div role="status" className="mb-3 rounded-lg border border-warn/40 bg-warn-soft px-3 py-2 text-sm">
      {approvals.map((one) => (
        <p key={one.id}>
          It waits for a vote on what {one.actor} wants to do in turn {one.turn}:{" "}
          <Link to="/approvals" search={{ id: one.id }} className={LINK}>
            {one.summary || one.reason || "decide"}
          </Link>
        </p>
      ))}
      {asked.map((one) => (
        <p key={one.effect}>
          {one.actor} is asked in turn {one.turn}:{" "}
          <Link to="/runs/$runId/answer" params={{ runId: run.run_id }} className={LINK}>
            answer
          </Link>
        </p>
      ))}
      {approvals.length + asked.length === 0 && (
        <p>
          It waits for {run.waiting.join(", ") || "something outside"}
          {run.reason && `: ${run.reason}`}
        </p>
      )}
    </div>
  );
}
