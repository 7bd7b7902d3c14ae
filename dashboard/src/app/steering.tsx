// Pause and go on: what is played match by match.
import { useMutation } from "@tanstack/react-query";
import { api, type Status, told } from "~/api/client";
import { say } from "~/ui/dialog";
import { Button } from "~/ui/kit";
import { queryClient } from "./asking";

export function Steering({
  runId,
  status,
  within,
}: {
  runId: string;
  status: Status;
  /** How the queries begin that tell of it. */
  within: readonly string[];
}) {
  const params = { path: { run_id: runId } };
  const acting = useMutation({
    mutationFn: (what: "pause" | "resume") =>
      what === "pause"
        ? told(api.POST("/api/simulations/{run_id}/pause", { params }))
        : told(api.POST("/api/simulations/{run_id}/resume", { params })),
    onSuccess: (_, what) => {
      say(what === "pause" ? "it stops when the matches under way are over" : "it goes on");
      return queryClient.invalidateQueries({ queryKey: [...within, runId] });
    },
  });
  const playing = ["running", "queued"].includes(status);
  const stopped = ["paused", "crashed", "failed", "waiting"].includes(status);
  if (!playing && !stopped) return null;
  return (
    <Button busy={acting.isPending} onClick={() => acting.mutate(playing ? "pause" : "resume")}>
      {playing ? "Pause" : "Resume"}
    </Button>
  );
}
