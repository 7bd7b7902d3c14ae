// The chain's two verdicts as a badge. Nothing is checked until it is pressed; what was checked says of which head.
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, type Schemas, told } from "~/api/client";
import { queryClient } from "~/app/asking";
import { Badge } from "~/ui/kit";

type Verified = Schemas["Verified"] & { of: string };
const keyOf = (runId: string) => ["verified", runId];

export function useVerdict(runId: string, head: string) {
  const { data } = useQuery<Verified | null>({
    queryKey: keyOf(runId),
    queryFn: () => null,
    staleTime: Number.POSITIVE_INFINITY,
    enabled: false,
  });
  const checking = useMutation({
    mutationFn: () =>
      told(api.POST("/api/simulations/{run_id}/verify", { params: { path: { run_id: runId } } })),
    onSuccess: (verified) => queryClient.setQueryData(keyOf(runId), { ...verified, of: head }),
  });
  return { verified: data ?? null, checking };
}

export const COMPLETE = { true: "complete", false: "cut off", null: "no head kept outside" } as const;
export const completeness = (complete: boolean | null) => COMPLETE[String(complete) as keyof typeof COMPLETE];

export function Verdict({ runId, head }: { runId: string; head: string }) {
  const { verified, checking } = useVerdict(runId, head);
  const stale = verified !== null && verified.of !== head;
  const holds = verified?.intact && verified.complete !== false;
  return (
    <span className="inline-flex min-w-0 flex-wrap items-center gap-2">
      <button
        type="button"
        aria-busy={checking.isPending}
        disabled={checking.isPending}
        onClick={() => checking.mutate()}
        title="check that nothing in this run was changed or cut off"
        className="rounded hover:opacity-80"
      >
        {checking.isPending ? (
          <Badge>checking…</Badge>
        ) : verified === null ? (
          <Badge tone="accent">
            <span aria-hidden>◇</span>verify
          </Badge>
        ) : (
          <Badge tone={holds ? "good" : "bad"}>
            <span aria-hidden>{holds ? "✓" : "✕"}</span>
            {verified.intact ? "intact" : "changed"} · {completeness(verified.complete)}
            {stale && " · has grown since"}
          </Badge>
        )}
      </button>
      {verified?.first_problem && <span className="text-bad text-sm">{verified.first_problem}</span>}
    </span>
  );
}
