// Plan something: what, and when, with examples of what the server understands.
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, told } from "~/api/client";
import { worldsQuery } from "~/api/queries";
import { queryClient } from "~/app/asking";
import { exactly } from "~/lib/format";
import { say } from "~/ui/dialog";
import { Button, FIELD } from "~/ui/kit";
import { Trouble } from "~/ui/states";
import { BLANK, EXAMPLES, type Form, wanted } from "./wanted";

export function AddSchedule({ onDone }: { onDone: () => void }) {
  const [form, setForm] = useState<Form>(BLANK);
  const set = (some: Partial<Form>) => setForm({ ...form, ...some });
  const add = useMutation({
    meta: { quiet: true },
    mutationFn: () => told(api.POST("/api/schedules", { body: wanted(form) })),
    onSuccess: (made) => {
      const next = made.upcoming[0] ?? made.next_run;
      say(`${made.name} is planned${next ? `, next on ${exactly(next)}` : ""}.`);
      void queryClient.invalidateQueries({ queryKey: ["schedules"] });
      onDone();
    },
  });
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Labelled name="Name">
        <input
          required
          className={FIELD}
          value={form.name}
          placeholder="nightly"
          onChange={(event) => set({ name: event.target.value })}
        />
      </Labelled>
      <Labelled name="What">
        <select
          className={FIELD}
          value={form.verb}
          onChange={(event) => set({ verb: event.target.value as Form["verb"] })}
        >
          <option value="run">play a scenario</option>
          <option value="health">look whether all is well</option>
          <option value="prune">let old runs go</option>
        </select>
      </Labelled>
      <Deed form={form} set={set} />
      <When form={form} set={set} />
      <label className="flex items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="accent-accent"
          checked={form.now}
          onChange={(event) => set({ now: event.target.checked })}
        />
        for the first time at once
      </label>
      {add.error && <Trouble error={add.error} />}
      <Button type="submit" look="primary" busy={add.isPending}>
        Add
      </Button>
    </form>
  );
}

interface Part {
  form: Form;
  set: (some: Partial<Form>) => void;
}

function Deed({ form, set }: Part) {
  const { data } = useQuery(worldsQuery);
  if (form.verb === "health") return null;
  if (form.verb === "prune")
    return (
      <Labelled name="Older than">
        <input
          required
          className={FIELD}
          value={form.older}
          onChange={(event) => set({ older: event.target.value })}
        />
      </Labelled>
    );
  const scenarios = (data?.worlds ?? []).flatMap((world) => world.scenarios.filter((one) => !one.error));
  return (
    <div className="grid gap-3 sm:grid-cols-[1fr_8rem]">
      <Labelled name="Scenario">
        <select
          required
          className={FIELD}
          value={form.scenario}
          onChange={(event) => set({ scenario: event.target.value })}
        >
          <option value="">choose one</option>
          {scenarios.map((one) => (
            <option key={one.name}>{one.name}</option>
          ))}
        </select>
      </Labelled>
      <Labelled name="Turns" about="its own if empty">
        <input
          type="number"
          min={1}
          className={FIELD}
          value={form.turns}
          onChange={(event) => set({ turns: event.target.value })}
        />
      </Labelled>
    </div>
  );
}

function When({ form, set }: Part) {
  return (
    <div>
      <div className="grid gap-3 sm:grid-cols-[1fr_10rem]">
        <Labelled name="When" about="or five fields, as cron has them">
          <input
            required
            className={FIELD}
            value={form.when}
            onChange={(event) => set({ when: event.target.value })}
          />
        </Labelled>
        <Labelled name="Zone" about="UTC if empty">
          <input
            className={FIELD}
            placeholder="Europe/Berlin"
            value={form.zone}
            onChange={(event) => set({ zone: event.target.value })}
          />
        </Labelled>
      </div>
      <p className="mt-1 flex flex-wrap items-center gap-1 text-muted text-xs">
        such as
        {EXAMPLES.map((one) => (
          <button
            key={one}
            type="button"
            onClick={() => set({ when: one })}
            className="rounded border border-line px-1.5 py-0.5 hover:bg-raised"
          >
            {one}
          </button>
        ))}
      </p>
    </div>
  );
}

const Labelled = ({ name, about, children }: { name: string; about?: string; children: ReactNode }) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the control is handed in
  <label className="block text-sm">
    {name} {about && <span className="text-muted text-xs">{about}</span>}
    {children}
  </label>
);
