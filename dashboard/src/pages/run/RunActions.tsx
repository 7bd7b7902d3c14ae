// What can be done with a run as it stands. What cannot be undone asks first.
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, type RunDetail, told } from "~/api/client";
import { queryClient } from "~/app/asking";
import { useCommands } from "~/lib/keys";
import { Dialog, say } from "~/ui/dialog";
import { Button, ButtonLink, ended } from "~/ui/kit";
import { ForkDialog } from "./ForkDialog";

type Act = "pause" | "resume" | "cancel" | "delete";
const DONE: Record<Act, string> = {
  pause: "it stops at the end of its turn",
  resume: "it goes on",
  cancel: "it is cancelled",
  delete: "it is removed",
};

const act = (runId: string, what: Act) => {
  const params = { path: { run_id: runId } };
  if (what === "pause") return told(api.POST("/api/simulations/{run_id}/pause", { params }));
  if (what === "resume") return told(api.POST("/api/simulations/{run_id}/resume", { params }));
  return told(
    api.DELETE("/api/simulations/{run_id}", {
      params: { ...params, query: what === "delete" ? { purge: true } : {} },
    }),
  );
};

export function RunActions({ run }: { run: RunDetail }) {
  const [asked, setAsked] = useState<"cancel" | "delete" | "fork" | null>(null);
  const navigate = useNavigate();
  const acting = useMutation({
    mutationFn: (what: Act) => act(run.run_id, what),
    onSuccess: (_, what) => {
      say(DONE[what]);
      setAsked(null);
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      if (what === "delete") return navigate({ to: "/" });
      return queryClient.invalidateQueries({ queryKey: ["run", run.run_id] });
    },
  });
  const playing = ["running", "queued", "waiting"].includes(run.status);
  const stopped = ["paused", "crashed", "failed", "waiting"].includes(run.status);
  useCommands([
    ...(playing ? [{ title: "Pause this run", group: "Run", run: () => acting.mutate("pause") }] : []),
    ...(stopped ? [{ title: "Resume this run", group: "Run", run: () => acting.mutate("resume") }] : []),
    { title: "Fork this run", key: "f", group: "Run", run: () => setAsked("fork") },
  ]);
  return (
    <>
      {playing && (
        <Button busy={acting.isPending} onClick={() => acting.mutate("pause")}>
          Pause
        </Button>
      )}
      {stopped && (
        <Button busy={acting.isPending} onClick={() => acting.mutate("resume")}>
          Resume
        </Button>
      )}
      <Button onClick={() => setAsked("fork")}>Fork</Button>
      <ButtonLink to="/compare" search={{ runs: run.parent ? `${run.parent},${run.run_id}` : run.run_id }}>
        Compare
      </ButtonLink>
      <ButtonLink to="/runs/$runId/proof" params={{ runId: run.run_id }}>
        Export
      </ButtonLink>
      {ended(run.status) ? (
        <Button look="danger" onClick={() => setAsked("delete")}>
          Delete
        </Button>
      ) : (
        <Button look="danger" onClick={() => setAsked("cancel")}>
          Cancel
        </Button>
      )}
      <Sure
        asked={asked}
        busy={acting.isPending}
        onClose={() => setAsked(null)}
        onSure={(what) => acting.mutate(what)}
      />
      {asked === "fork" && <ForkDialog run={run} onClose={() => setAsked(null)} />}
    </>
  );
}

function Sure({
  asked,
  busy,
  onClose,
  onSure,
}: {
  asked: string | null;
  busy: boolean;
  onClose: () => void;
  onSure: (what: Act) => void;
}) {
  const what = asked === "cancel" || asked === "delete" ? asked : null;
  return (
    <Dialog
      title={what === "delete" ? "Delete this run" : "Cancel this run"}
      open={what !== null}
      onClose={onClose}
    >
      <p className="text-sm">
        {what === "delete"
          ? "Its journal is removed, and cannot be brought back. Export it first, if somebody may ask for it."
          : "It ends where it is, and cannot be resumed. A fork can go on from any of its turns."}
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Leave it</Button>
        <Button look="danger" busy={busy} onClick={() => what && onSure(what)}>
          {what === "delete" ? "Delete it" : "Cancel it"}
        </Button>
      </div>
    </Dialog>
  );
}
