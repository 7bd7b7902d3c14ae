// For what a run waits, and where a person can do something about it.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, type RunDetail, told } from "~/api/client";
import { waitingQuery } from "~/api/queries";
import { LINK } from "~/ui/kit";

export function WaitsFor({ run }: { run: RunDetail }) {
  const approvals = useQuery(waitingQuery).data?.approvals.filter((one) => one.run_id === run.run_id) ?? [];
  const questions = useQuery({
    queryKey: ["questions", run.run_id],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/answers", { params: { path: { run_id: run.run_id } }, signal }),
      ),
  }).data?.questions;
  const asked = questions?.filter((one) => approvals.every((vote) => vote.effect !== one.effect)) ?? [];
  return (
    <div role="status" className="mb-3 rounded-lg border border-warn/40 bg-warn-soft px-3 py-2 text-sm">
      {approvals.map((one) => (
        <p key={one.id}>
          It waits for a vote on what {one.actor} wants to do in turn {one.turn}:{" "}
          <Link to="/approvals" search={{ id: one.id }} className={LINK}>
            {one.summary}
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
