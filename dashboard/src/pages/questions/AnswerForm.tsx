// The choices of whoever is asked, with their fields, and the answer that is made of them.
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { api, type Question, told } from "~/api/client";
import { questionsQuery } from "~/api/queries";
import { queryClient } from "~/app/asking";
import { spoken } from "~/lib/format";
import { Button, cx } from "~/ui/kit";
import { Trouble } from "~/ui/states";
import { AnswerField } from "./AnswerField";
import { build, type Choice, choicesOf, fieldsOf, namesSeen, startOf, type Typed } from "./answering";

export function AnswerForm({ question, onSent }: { question: Question; onSent: (answer: unknown) => void }) {
  const choices = choicesOf(question.answer_schema);
  const seen = observed(question.request);
  const [at, setAt] = useState(0);
  const choice = choices[at] ?? choices[0];
  const [typed, setTyped] = useState<Typed[]>(() => choices.map((one) => startOf(one, seen)));
  const [tried, setTried] = useState(false);
  const send = useAnswer(question, onSent);
  if (!choice) return null;
  const now = typed[at] ?? {};
  const { answer, errors } = build(choice, now);
  const wrong = Object.keys(errors).length > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!wrong && !send.isPending) send.mutate(answer);
  };
  const set = (name: string, value: Typed[string]) =>
    setTyped(typed.map((one, index) => (index === at ? { ...one, [name]: value } : one)));
  return (
    <form onSubmit={submit} noValidate className="space-y-2">
      {choices.length > 1 && <Choices choices={choices} at={at} onPick={setAt} />}
      {choices.length === 1 && choice.help && <p className="text-muted text-sm">{choice.help}</p>}
      {fieldsOf(choice).map((field) => (
        <AnswerField
          key={`${at} ${field.name}`}
          field={field}
          label={choice.fields ? spoken(field.name) : "Your answer"}
          typed={now[field.name] ?? ""}
          error={tried ? errors[field.name] : undefined}
          names={namesSeen(seen)}
          onType={(value) => set(field.name, value)}
        />
      ))}
      {send.error && <Trouble error={send.error} />}
      <Button type="submit" look="primary" busy={send.isPending} className="w-full sm:w-auto">
        Send this answer
      </Button>
    </form>
  );
}

function Choices({
  choices,
  at,
  onPick,
}: {
  choices: Choice[];
  at: number;
  onPick: (index: number) => void;
}) {
  const group = useId();
  return (
    <fieldset className="space-y-2">
      <legend className="mb-1 text-muted text-xs">What to do</legend>
      {choices.map((one, index) => (
        <label
          key={`${index} ${one.name}`}
          className={cx(
            "flex cursor-pointer gap-2 rounded-md border px-3 py-2 text-sm",
            index === at ? "border-accent bg-accent-soft" : "border-line hover:bg-raised",
          )}
        >
          <input
            type="radio"
            name={group}
            aria-labelledby={`${group}-${index}`}
            aria-describedby={`${group}-${index}-help`}
            checked={index === at}
            onChange={() => onPick(index)}
            className="mt-1 accent-accent"
          />
          <span className="min-w-0">
            <span id={`${group}-${index}`} className="font-medium">
              {one.name}
            </span>
            {one.help && (
              <span id={`${group}-${index}-help`} className="block text-muted text-xs">
                {one.help.replace(/\s+/g, " ")}
              </span>
            )}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** What the agent sees: an agent's observation, or whatever else is put before a person. */
export function observed(request: unknown): unknown {
  const inside =
    typeof request === "object" && request !== null && "observation" in request ? request.observation : null;
  return inside ?? request;
}

function useAnswer(question: Question, onSent: (answer: unknown) => void) {
  const { run_id, effect } = question;
  return useMutation({
    meta: { quiet: true }, // why it was refused stands at the form, which keeps what was typed
    mutationFn: (result: unknown) =>
      told(
        api.POST("/api/simulations/{run_id}/answers", {
          params: { path: { run_id } },
          body: { effect, result: result as Record<string, never> },
        }),
      ),
    onSuccess: (_run, answer) => {
      onSent(answer);
      queryClient.setQueryData(questionsQuery(run_id).queryKey, (before) =>
        before?.filter((one) => one.effect !== effect),
      );
      void queryClient.invalidateQueries({ queryKey: ["run", run_id] });
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
    },
  });
}
