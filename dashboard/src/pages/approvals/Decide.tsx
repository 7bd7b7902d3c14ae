// One's own word on an action, bound to the action as it is shown here.
import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import { type Approval, api, type Schemas, told } from "~/api/client";
import { queryClient } from "~/app/asking";
import { useCommands } from "~/lib/keys";
import { useNow } from "~/lib/now";
import { person } from "~/lib/people";
import { say } from "~/ui/dialog";
import { Button } from "~/ui/kit";
import { NoteField } from "~/ui/note";
import { Trouble } from "~/ui/states";
import { approvalQuery } from "./asked";
import { counted, hindrance } from "./standing";

export function Decide({
  one,
  me,
  chosen,
  onIdentity,
  onVoted,
}: {
  one: Approval;
  me: Schemas["Me"] | undefined;
  chosen: boolean;
  onIdentity: () => void;
  /** The buttons may go with the vote: whoever pressed one must not be lost. */
  onVoted: () => void;
}) {
  const [note, setNote] = useState("");
  const now = useNow();
  const why = useId();
  const against = hindrance(one, me, now);
  const vote = useVote(one);
  const done = () => {
    setNote(""); // whoever votes next has words of their own
    onVoted();
  };
  const cast = (approve: boolean) => {
    if (against === null && !vote.isPending) vote.mutate({ approve, note: note.trim() }, { onSuccess: done });
  };
  const voted = me && counted(one).some((given) => person(given.by) === person(me.name));
  // Another name helps where nobody logs in, and this one has had its say.
  const otherName = Boolean(voted) && me?.via === "rest";
  const press = { disabled: against !== null, busy: vote.isPending, "aria-describedby": why };
  return (
    <form className="mt-3 space-y-2" onSubmit={(event) => event.preventDefault()}>
      {chosen && <Keys onDecide={cast} />}
      <div className="flex flex-wrap items-end gap-2">
        <NoteField value={note} disabled={against !== null} onChange={setNote} />
        <Button look="primary" {...press} onClick={() => cast(true)}>
          Approve
        </Button>
        <Button look="danger" {...press} onClick={() => cast(false)}>
          Deny
        </Button>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <span id={why} className="text-muted text-sm">
          {against ?? `You vote as ${me?.name}.`}
        </span>
        {otherName && <Button onClick={onIdentity}>Act under another name</Button>}
      </div>
      {vote.error && <Trouble error={vote.error} />}
    </form>
  );
}

function useVote(one: Approval) {
  return useMutation({
    meta: { quiet: true }, // a refusal is said here, at the action it is about
    mutationFn: ({ approve, note }: { approve: boolean; note: string }) => {
      const asked = { params: { path: { approval_id: one.id } }, body: { note, digest: one.digest } };
      return told(
        approve
          ? api.POST("/api/approvals/{approval_id}/approve", asked)
          : api.POST("/api/approvals/{approval_id}/reject", asked),
      );
    },
    onSuccess: (after) => {
      queryClient.setQueryData(approvalQuery(one.id).queryKey, after);
      say(outcome(after));
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["approvals"] }),
  });
}

function outcome(after: Approval): string {
  if (after.status === "approved") return `Approved: ${after.actor} does it.`;
  if (after.status === "denied") return `Denied: ${after.actor} does nothing instead.`;
  return "Your vote is counted; it waits for somebody else's.";
}

function Keys({ onDecide }: { onDecide: (approve: boolean) => void }) {
  useCommands([
    { title: "Approve the chosen action", key: "a", group: "Approvals", run: () => onDecide(true) },
    { title: "Deny the chosen action", key: "d", group: "Approvals", run: () => onDecide(false) },
  ]);
  return null;
}
