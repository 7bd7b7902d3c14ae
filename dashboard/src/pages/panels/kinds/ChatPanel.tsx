// A feed with a box: what is written there goes to the run as mail, and the page says what became of it.
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type KeyboardEvent, useId, useState } from "react";
import { api, told } from "~/api/client";
import { queryClient } from "~/app/asking";
import { Button, ended, FIELD } from "~/ui/kit";
import { Trouble } from "~/ui/states";
import type { PartOf } from "../PanelFrame";
import type { Of } from "../said";
import { useShowing } from "../showing";
import { Feed } from "./FeedPanel";

export function ChatPanel({ panel, data }: PartOf<"chat">) {
  return (
    <>
      <Feed title={panel.title} items={data.items} fields={data.fields} left={data.more} />
      <Box panel={panel} questions={panel.answers ? data.questions : []} />
    </>
  );
}

const EVENT = ""; // no question: a message of its own

function useSending(panel: Of<"chat">) {
  const { runId } = useShowing();
  const params = { path: { run_id: runId } };
  return useMutation({
    meta: { quiet: true },
    mutationFn: ({ text, question }: { text: string; question: string }) =>
      question === EVENT
        ? told(
            api.POST("/api/simulations/{run_id}/events", {
              params,
              body: { kind: panel.event, body: { [panel.field]: text } },
            }),
          )
        : told(
            api.POST("/api/simulations/{run_id}/answers", {
              params,
              body: { effect: question, result: text },
            }),
          ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["panels", runId] }),
  });
}

function Box({ panel, questions }: { panel: Of<"chat">; questions: readonly string[] }) {
  const { status } = useShowing();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const label = useId();
  const send = useSending(panel);
  const targets = [...questions, ...(panel.event ? [EVENT] : [])];
  // A question that is gone, answered elsewhere, cannot be answered any more.
  const question = chosen !== null && targets.includes(chosen) ? chosen : targets[0];
  if (ended(status))
    return <p className="mt-3 text-muted text-sm">The run is {status}: it hears nothing any more.</p>;
  if (question === undefined)
    return <p className="mt-3 text-muted text-sm">Nothing is asked. A box opens here when the run asks.</p>;
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (text.trim() && !send.isPending)
      send.mutate({ text: text.trim(), question }, { onSuccess: () => setText("") });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  };
  return (
    <form onSubmit={submit} className="mt-3 space-y-2 border-line border-t pt-3">
      <label htmlFor={label} className="block font-medium text-xs">
        {question === EVENT ? "Say something to the run" : "Answer what it asks"}
      </label>
      <textarea
        id={label}
        rows={2}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        className={FIELD}
      />
      <div className="flex flex-wrap items-center gap-2">
        {targets.length > 1 && <Target targets={targets} chosen={question} onChoose={setChosen} />}
        <Button type="submit" look="primary" busy={send.isPending} disabled={!text.trim()}>
          Send
        </Button>
        <span role="status" className="text-muted text-xs">
          {send.isSuccess && !text && "Sent. The run takes it in with its next turn."}
        </span>
      </div>
      {send.error && <Trouble error={send.error} />}
    </form>
  );
}

function Target({
  targets,
  chosen,
  onChoose,
}: {
  targets: readonly string[];
  chosen: string;
  onChoose: (target: string) => void;
}) {
  return (
    <select
      aria-label="what it is sent as"
      value={chosen}
      onChange={(event) => onChoose(event.target.value)}
      className={FIELD}
      style={{ width: "auto", maxWidth: "16rem" }}
    >
      {targets.map((one) => (
        <option key={one} value={one}>
          {one === EVENT ? "a message" : `the answer to ${one}`}
        </option>
      ))}
    </select>
  );
}
