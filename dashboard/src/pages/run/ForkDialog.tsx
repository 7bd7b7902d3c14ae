// What if: another course from a turn on, and what came of it beside what was.
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";
import { api, type Run, type Schemas, told } from "~/api/client";
import { worldQuery } from "~/api/queries";
import { queryClient } from "~/app/asking";
import { useOnce } from "~/lib/once";
import { Dialog } from "~/ui/dialog";
import { Button, ButtonLink, FIELD } from "~/ui/kit";
import { Trouble } from "~/ui/states";
import { configQuery, seatsOf } from "./asked";
import { emptyForm, type ForkForm, Misfit, requestOf } from "./fork";

interface ForkProps {
  run: Run;
  /** After this turn; its last by default. */
  turn?: number;
  /** Before this agent's decision in that turn. */
  before?: string;
  onClose: () => void;
}

export function ForkDialog({ run, turn, before, onClose }: ForkProps) {
  const [form, setForm] = useState(() => emptyForm(turn ?? run.turn, before));
  const once = useOnce();
  const forking = useMutation({
    mutationFn: async () => {
      const body = requestOf(form);
      const header = { "idempotency-key": once(body) };
      return told(
        api.POST("/api/simulations/{run_id}/fork", {
          params: { path: { run_id: run.run_id }, header },
          body,
        }),
      );
    },
    meta: { quiet: true },
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      void queryClient.invalidateQueries({ queryKey: ["run", run.run_id] });
    },
  });
  const change = (part: Partial<ForkForm>) => setForm((now) => ({ ...now, ...part }));
  const misfit = forking.error instanceof Misfit ? forking.error : null;
  return (
    <Dialog title={`Fork ${run.scenario}`} open onClose={onClose} wide>
      {forking.data ? (
        <Forked run={run} forked={forking.data} onClose={onClose} />
      ) : (
        <form
          className="space-y-4 text-sm"
          onSubmit={(event) => {
            event.preventDefault();
            forking.mutate();
          }}
        >
          <p className="text-muted">
            The past up to there is shared; from there on it plays again, with what you change.
          </p>
          <Where run={run} form={form} change={change} />
          <Changes run={run} form={form} change={change} misfit={misfit} />
          <Luck form={form} change={change} />
          {forking.error && !misfit && <Trouble error={forking.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Not now</Button>
            <Button type="submit" look="primary" busy={forking.isPending}>
              Fork and play
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

interface Part {
  run: Run;
  form: ForkForm;
  change: (part: Partial<ForkForm>) => void;
}

function Field({
  label,
  help,
  wrong,
  children,
}: {
  label: string;
  help?: string;
  wrong?: string | undefined;
  children: (id: string, about: string) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-0.5 block font-medium">
        {label}
      </label>
      {children(id, `${id}-about`)}
      <p id={`${id}-about`} className={wrong ? "mt-0.5 text-bad text-xs" : "mt-0.5 text-muted text-xs"}>
        {wrong ?? help}
      </p>
    </div>
  );
}

function Where({ run, form, change }: Part) {
  const seats = seatsOf(useQuery(configQuery(run.run_id)).data);
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field label="At turn" help={`0 is the start; ${run.turn} is the last that was played`}>
        {(id, about) => (
          <input
            id={id}
            aria-describedby={about}
            type="number"
            min={form.before ? 1 : 0}
            max={run.turn}
            required
            className={FIELD}
            value={form.turn}
            onChange={(event) => change({ turn: Number(event.target.value) })}
          />
        )}
      </Field>
      <Field label="Where in the turn" help="a decision that is taken anew sees what it saw then">
        {(id, about) => (
          <select
            id={id}
            aria-describedby={about}
            className={FIELD}
            value={form.before}
            onChange={(event) =>
              change({ before: event.target.value, agent: event.target.value || form.agent })
            }
          >
            <option value="">after the turn</option>
            {seats.map((one) => (
              <option key={one.id} value={one.id}>
                before {one.id} decides
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  );
}

function Changes({ run, form, change, misfit }: Part & { misfit: Misfit | null }) {
  const seats = seatsOf(useQuery(configQuery(run.run_id)).data);
  const world = useQuery(worldQuery(run.world)).data;
  const role = seats.find((one) => one.id === form.agent)?.role;
  const policies = world?.roles.find((one) => one.name === role)?.policies ?? [];
  const wrong = (field: keyof ForkForm) => (misfit?.field === field ? misfit.message : undefined);
  const choices = useId();
  return (
    <fieldset className="grid gap-3 sm:grid-cols-2">
      <legend className="mb-1 font-semibold">What is to be different (all of it may stay empty)</legend>
      <Field label="Agent" wrong={wrong("agent")} help="whose seat or instructions change">
        {(id, about) => (
          <select
            id={id}
            aria-describedby={about}
            className={FIELD}
            value={form.agent}
            onChange={(event) => change({ agent: event.target.value })}
          >
            <option value="">nobody</option>
            {seats.map((one) => (
              <option key={one.id}>{one.id}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Who sits there" help="a policy, `house`, `human`, or a model">
        {(id, about) => (
          <>
            <input
              id={id}
              aria-describedby={about}
              list={choices}
              className={FIELD}
              value={form.seat}
              onChange={(event) => change({ seat: event.target.value })}
            />
            <datalist id={choices}>
              {[...policies, "house", "human"].map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <div className="sm:col-span-2">
        <Field label="Instructions" help="new ones for the agent, in place of those it has">
          {(id, about) => (
            <textarea
              id={id}
              aria-describedby={about}
              rows={2}
              className={FIELD}
              value={form.instructions}
              onChange={(event) => change({ instructions: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field label="Parameters" wrong={wrong("parameters")} help="KEY=VALUE, one a line, as in --set">
        {(id, about) => (
          <textarea
            id={id}
            aria-describedby={about}
            rows={3}
            className={`${FIELD} font-mono`}
            value={form.parameters}
            onChange={(event) => change({ parameters: event.target.value })}
          />
        )}
      </Field>
      <div className="space-y-2">
        <Field
          label="Event in the first new turn"
          wrong={wrong("eventKind")}
          help="its kind, as the world knows it"
        >
          {(id, about) => (
            <input
              id={id}
              aria-describedby={about}
              className={FIELD}
              value={form.eventKind}
              onChange={(event) => change({ eventKind: event.target.value })}
            />
          )}
        </Field>
        <Field label="What it says" wrong={wrong("eventBody")} help="JSON">
          {(id, about) => (
            <input
              id={id}
              aria-describedby={about}
              className={`${FIELD} font-mono`}
              value={form.eventBody}
              onChange={(event) => change({ eventBody: event.target.value })}
            />
          )}
        </Field>
      </div>
    </fieldset>
  );
}

function Luck({ form, change }: Pick<Part, "form" | "change">) {
  return (
    <Field
      label="Branches"
      help="several come with as many unchanged controls that share their luck: the difference gets its interval"
    >
      {(id, about) => (
        <input
          id={id}
          aria-describedby={about}
          type="number"
          min={1}
          max={1000}
          required
          className={FIELD}
          style={{ width: "6rem" }}
          value={form.branches}
          onChange={(event) => change({ branches: Number(event.target.value) })}
        />
      )}
    </Field>
  );
}

function Forked({ run, forked, onClose }: { run: Run; forked: Schemas["Forked"]; onClose: () => void }) {
  const beside = forked.controls.length ? forked.controls : [run.run_id];
  const count = forked.runs.length;
  return (
    <div className="space-y-3 text-sm" role="status">
      <p>
        {count === 1 ? "One fork plays" : `${count} forks and ${forked.controls.length} controls play`} from{" "}
        <code className="font-mono text-xs">{forked.at}</code> on.
      </p>
      <div className="flex flex-wrap gap-2">
        <ButtonLink
          look="primary"
          to="/compare"
          search={{ runs: [...beside, ...forked.runs].slice(0, 100).join(",") }}
        >
          See them over one another
        </ButtonLink>
        {forked.runs.slice(0, 1).map((one) => (
          <ButtonLink key={one} to="/runs/$runId" params={{ runId: one }}>
            Open {one}
          </ButtonLink>
        ))}
        <Button onClick={onClose}>Stay here</Button>
      </div>
    </div>
  );
}
