// What can be done with runs from a list: one or several, each with a word about how it went.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, Problem, type Run, told } from "~/api/client";
import { Dialog, say } from "~/ui/dialog";
import { Icon } from "~/ui/icons";
import { Button } from "~/ui/kit";
import { type Deed as Choice, Menu } from "~/ui/menu";
import { type Deed, may } from "./search";

const DONE: Record<Deed, string> = {
  pause: "pauses after its turn",
  resume: "goes on",
  cancel: "is cancelled",
};

const asked = (deed: Deed, run_id: string) => {
  const params = { params: { path: { run_id } } };
  if (deed === "cancel") return told(api.DELETE("/api/simulations/{run_id}", params));
  return deed === "pause"
    ? told(api.POST("/api/simulations/{run_id}/pause", params))
    : told(api.POST("/api/simulations/{run_id}/resume", params));
};

export interface Steering {
  steer: (deed: Deed, runs: Run[]) => void;
  busy: boolean;
}

export function useSteering(done: () => void): Steering {
  const client = useQueryClient();
  const steering = useMutation({
    mutationFn: async ({ deed, runs }: { deed: Deed; runs: Run[] }) => {
      const refused: string[] = [];
      for (const run of runs) {
        try {
          await asked(deed, run.run_id);
        } catch (error) {
          if (!(error instanceof Problem) || error.status === 401 || runs.length === 1) throw error;
          refused.push(`${run.run_id}: ${error.message}`);
        }
      }
      return { deed, runs, refused };
    },
    onSuccess: ({ deed, runs, refused }) => {
      const went = runs.length - refused.length;
      if (went > 0) say(runs.length === 1 ? `${runs[0]?.run_id} ${DONE[deed]}` : `${deed}: ${went} runs`);
      if (refused.length > 0) say(`not done: ${refused.slice(0, 3).join("; ")}`, "bad");
    },
    onSettled: () => {
      done();
      void client.invalidateQueries({ queryKey: ["run"] });
    },
  });
  return { steer: (deed, runs) => steering.mutate({ deed, runs }), busy: steering.isPending };
}

const cannot = (deed: keyof typeof may, run: Run): string | undefined =>
  may[deed](run) ? undefined : deed === "fork" ? "it has played no turn yet" : `it is ${run.status}`;

export function RunMenu({
  run,
  steering,
  onFork,
  onCancel,
}: {
  run: Run;
  steering: Steering;
  onFork: () => void;
  onCancel: () => void;
}) {
  const navigate = useNavigate();
  const choices: Choice[] = [
    { name: "Pause", not: cannot("pause", run), run: () => steering.steer("pause", [run]) },
    { name: "Resume", not: cannot("resume", run), run: () => steering.steer("resume", [run]) },
    { name: "Fork…", not: cannot("fork", run), run: onFork },
    ...(run.parent
      ? [
          {
            name: "Compare with its parent",
            run: () => void navigate({ to: "/compare", search: { runs: `${run.parent},${run.run_id}` } }),
          },
        ]
      : []),
    {
      name: "Start one like it",
      run: () => void navigate({ to: "/new", search: { world: run.world, scenario: run.scenario } }),
    },
    { name: "Cancel…", danger: true, not: cannot("cancel", run), run: onCancel },
  ];
  return (
    <Menu label={`what to do with ${run.run_id}`} deeds={choices}>
      <Icon sign="dots" />
    </Menu>
  );
}

/** Cancelling ends a run for good, so it is asked for twice. */
export function CancelDialog({
  runs,
  onClose,
  onSure,
}: {
  runs: Run[];
  onClose: () => void;
  onSure: () => void;
}) {
  const one = runs.length === 1 ? runs[0] : undefined;
  return (
    <Dialog title={one ? `Cancel ${one.run_id}?` : `Cancel ${runs.length} runs?`} open onClose={onClose}>
      <p className="text-sm">
        {one ? `${one.scenario}, at turn ${one.turn} of ${one.max_turns}. ` : ""}
        It ends for good. What was played stays, and can be forked; to stop for a while, pause it.
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Keep {one ? "it" : "them"}</Button>
        <Button
          look="danger"
          onClick={() => {
            onSure();
            onClose();
          }}
        >
          Cancel {one ? "the run" : `${runs.length} runs`}
        </Button>
      </div>
    </Dialog>
  );
}
