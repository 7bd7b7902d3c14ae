// One's own word on a proposal. What is put in force, or taken back, is asked for once more.
import { useMutation, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useId, useState } from "react";
import { api, told } from "~/api/client";
import { meQuery } from "~/api/queries";
import { queryClient } from "~/app/asking";
import { useCommands } from "~/lib/keys";
import { Dialog, say } from "~/ui/dialog";
import { Button } from "~/ui/kit";
import { NoteField } from "~/ui/note";
import { Trouble } from "~/ui/states";
import { proposalQuery } from "./asked";
import { choices, hindrance, lastYes, mine, nameless, type Proposal, type Word } from "./standing";

const Identity = lazy(() => import("~/app/identity").then((room) => ({ default: room.Identity })));

const NAMES: Record<Word, string> = { approve: "Approve", reject: "Reject", rollback: "Roll back" };
const KEYS: Record<Word, string> = { approve: "a", reject: "d", rollback: "b" };

export function Decide({ one }: { one: Proposal }) {
  const { data: me } = useQuery(meQuery);
  const [note, setNote] = useState("");
  const [asking, setAsking] = useState<Word | "identity" | null>(null);
  const why = useId();
  const words = choices(one.status);
  const against = hindrance(one, me);
  const deciding = useDecision(one);
  const decide = (word: Word) => {
    setAsking(null);
    deciding.mutate({ word, note: note.trim() }, { onSuccess: () => setNote("") });
  };
  const press = (word: Word) => {
    if (against !== null || deciding.isPending) return;
    if (word === "rollback" || (word === "approve" && lastYes(one))) setAsking(word);
    else decide(word);
  };
  // Another name helps where nobody logs in, and this one does not count, or has had its say.
  const otherName = me?.via === "rest" && (nameless(me) || mine(one, me) !== undefined);
  if (words.length === 0 && !deciding.error) return null;
  return (
    <>
      <form className="mt-3 space-y-2" onSubmit={(event) => event.preventDefault()}>
        <Keys words={words} onPress={press} />
        {words.length > 0 && (
          <div className="flex flex-wrap items-end gap-2">
            <NoteField value={note} disabled={against !== null} onChange={setNote} />
            {words.map((word) => (
              <Button
                key={word}
                look={word === "approve" ? "primary" : "danger"}
                disabled={against !== null}
                busy={deciding.isPending}
                aria-describedby={why}
                onClick={() => press(word)}
              >
                {NAMES[word]}
              </Button>
            ))}
          </div>
        )}
        {words.length > 0 && (
          <div className="flex flex-wrap items-center gap-2">
            <span id={why} className="text-muted text-sm">
              {against ?? `You decide as ${me?.name}.`}
            </span>
            {otherName && (
              <Button onClick={() => setAsking("identity")}>
                {nameless(me) ? "Say who you are" : "Act under another name"}
              </Button>
            )}
          </div>
        )}
        {deciding.error && <Trouble error={deciding.error} />}
      </form>
      <Suspense>{asking === "identity" && <Identity onClose={() => setAsking(null)} />}</Suspense>
      <Sure
        one={one}
        word={asking === "identity" ? null : asking}
        onClose={() => setAsking(null)}
        onSure={decide}
      />
    </>
  );
}

function Keys({ words, onPress }: { words: Word[]; onPress: (word: Word) => void }) {
  useCommands(
    words.map((word) => ({
      title: `${NAMES[word]} this proposal`,
      key: KEYS[word],
      group: "Proposal",
      run: () => onPress(word),
    })),
  );
  return null;
}

/** What it comes to, said before it is done. */
function Sure({
  one,
  word,
  onClose,
  onSure,
}: {
  one: Proposal;
  word: Word | null;
  onClose: () => void;
  onSure: (word: Word) => void;
}) {
  const back = word === "rollback";
  return (
    <Dialog title={back ? "Roll it back?" : "Put it in force?"} open={word !== null} onClose={onClose}>
      <div className="space-y-3 text-sm">
        <p>
          {back
            ? `${one.base} is in force again, in the place of ${one.version}. No version is lost.`
            : `With your yes the candidate becomes a version of ${one.strategy}, and is in force in the place of ${one.base || "its start"}.`}
        </p>
        <p className="text-muted">
          Whatever names {one.strategy} without a version plays it from then on; runs that have begun go on as
          they are.{!back && " It can be rolled back."}
        </p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it</Button>
          <Button look={back ? "danger" : "primary"} onClick={() => word && onSure(word)}>
            {back ? `Put ${one.base} back` : "Put it in force"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function useDecision(one: Proposal) {
  return useMutation({
    meta: { quiet: true }, // a refusal is said here, at the proposal it is about
    mutationFn: ({ word, note }: { word: Word; note: string }) => {
      const asked = { params: { path: { proposal_id: String(one.id) } }, body: { note } };
      if (word === "approve") return told(api.POST("/api/evolution/proposals/{proposal_id}/approve", asked));
      if (word === "reject") return told(api.POST("/api/evolution/proposals/{proposal_id}/reject", asked));
      return told(api.POST("/api/evolution/proposals/{proposal_id}/rollback", asked));
    },
    onSuccess: (after) => {
      queryClient.setQueryData(proposalQuery(one.id).queryKey, after);
      say(outcome(after));
    },
    onSettled: () =>
      Promise.all(
        [
          ["proposals"],
          ["evolution", one.run_id],
          ["evolutions"],
          ["strategy", one.strategy],
          ["strategies"],
        ].map((queryKey) => queryClient.invalidateQueries({ queryKey })),
      ),
  });
}

function outcome(after: Proposal): string {
  if (after.status === "applied") return `${after.version} is in force.`;
  if (after.status === "rolled_back") return `${after.base} is in force again.`;
  if (after.status === "rejected") return "Rejected: nothing changes.";
  return "Your yes is counted; it waits for somebody else's.";
}
