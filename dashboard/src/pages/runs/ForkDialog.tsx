// What if: another course of a run from a turn on, with a change, and with controls when there are several.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, type Run, type Schemas, told } from "~/api/client";
import { configQuery } from "~/api/queries";
import { useOnce } from "~/lib/once";
import { readSettings } from "~/lib/settings";
import { Dialog } from "~/ui/dialog";
import { Button, ButtonLink, FIELD } from "~/ui/kit";
import { Seat } from "~/ui/seat";
import { Trouble } from "~/ui/states";

interface Agent {
  id: string;
  role: string;
  policy?: string;
  model?: string;
  kind?: string;
}

/** What the dialog is filled with, as the server takes it; or what is wrong with it. */
export function forkOf(given: {
  at: string;
  changes: string;
  agents: Record<string, string>;
  branches: string;
}): { body: Schemas["ForkRequest"] } | { wrong: string } {
  const read = readSettings(given.changes);
  if ("wrong" in read) return { wrong: `“${read.wrong}” is no change: write KEY=VALUE` };
  if (!/^\d+(\.[\w-]+){0,2}$/.test(given.at.trim())) return { wrong: "say at which turn, such as 12" };
  const branches = Number(given.branches);
  const agents = Object.fromEntries(Object.entries(given.agents).filter(([, seat]) => seat !== ""));
  const changed = Object.keys(read.set).length > 0 || Object.keys(agents).length > 0;
  if (branches > 1 && !changed)
    return { wrong: "branches without a change are all controls: say what is different" };
  return { body: { at: given.at.trim(), set: read.set, agents, branches, instructions: {}, play: true } };
}

export function ForkDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const [at, setAt] = useState(String(Math.max(run.parent_turn ?? 0, Math.floor(run.turn / 2))));
  const [changes, setChanges] = useState("");
  const [agents, setAgents] = useState<Record<string, string>>({});
  const [branches, setBranches] = useState("1");
  const once = useOnce();
  const fork = useMutation({
    meta: { quiet: true },
    mutationFn: (body: Schemas["ForkRequest"]) =>
      told(
        api.POST("/api/simulations/{run_id}/fork", {
          // Pressed twice, or sent twice by a bad line: one fork. Another fork is another request.
          params: {
            path: { run_id: run.run_id },
            header: { "idempotency-key": once(body) },
          },
          body,
        }),
      ),
  });
  const given = forkOf({ at, changes, agents, branches });
  const [pressed, setPressed] = useState(false);
  return (
    <Dialog title={`Fork ${run.run_id}`} open onClose={onClose}>
      {fork.data ? (
        <Made forked={fork.data} />
      ) : (
        <form
          className="space-y-3 text-sm"
          onSubmit={(event) => {
            event.preventDefault();
            setPressed(true);
            if ("body" in given) fork.mutate(given.body);
          }}
        >
          <p className="text-muted">
            {run.scenario} takes another course from a turn on. The past is shared; nothing in it is asked or
            paid for again.
          </p>
          <div className="flex gap-3">
            <label className="block w-1/2">
              After turn
              <input className={FIELD} value={at} onChange={(event) => setAt(event.target.value)} />
              <span className="text-muted text-xs">0 to {run.turn}; 12.plan.ann is before ann decides</span>
            </label>
            <Branches value={branches} onChange={setBranches} />
          </div>
          <Seats run={run} agents={agents} onChange={setAgents} />
          <label className="block">
            Other changes
            <textarea
              className={`${FIELD} min-h-16 font-mono`}
              placeholder={"tax_rate=0.3\nopenness=0.2"}
              value={changes}
              onChange={(event) => setChanges(event.target.value)}
            />
            <span className="text-muted text-xs">parameters, one KEY=VALUE a line</span>
          </label>
          {pressed && "wrong" in given && (
            <p role="alert" className="text-bad">
              {given.wrong}
            </p>
          )}
          {fork.error && <Trouble error={fork.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Leave it</Button>
            <Button type="submit" look="primary" busy={fork.isPending}>
              Fork and play
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function Branches({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const help = useId();
  return (
    <label className="block w-1/2">
      Branches
      <input
        className={FIELD}
        type="number"
        min={1}
        max={1000}
        required
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-describedby={help}
      />
      <span id={help} className="text-muted text-xs">
        {Number(value) > 1
          ? `with ${value} unchanged controls: the difference comes with its interval`
          : "several come with controls, and so with an interval"}
      </span>
    </label>
  );
}

function Seats({
  run,
  agents,
  onChange,
}: {
  run: Run;
  agents: Record<string, string>;
  onChange: (agents: Record<string, string>) => void;
}) {
  const { data } = useQuery(configQuery(run.run_id));
  const known = (data?.["agents"] ?? []) as Agent[];
  return (
    <fieldset className="min-h-24">
      <legend>Who decides from then on</legend>
      <div className="mt-1 max-h-52 space-y-1 overflow-y-auto">
        {known.map((agent) => (
          <div key={agent.id} className="flex flex-wrap items-center justify-between gap-x-3">
            <span className="min-w-0 truncate">
              {agent.id} <span className="text-muted text-xs">{agent.role.replaceAll("_", " ")}</span>
            </span>
            <Seat
              world={run.world}
              role={agent.role}
              label={`who decides for ${agent.id}`}
              value={agents[agent.id] ?? ""}
              unchanged={`as now: ${agent.model || agent.policy || agent.kind || "its role's first"}`}
              onChange={(seat) => onChange({ ...agents, [agent.id]: seat })}
            />
          </div>
        ))}
      </div>
    </fieldset>
  );
}

function Made({ forked }: { forked: Schemas["Forked"] }) {
  const all = [forked.parent, ...forked.runs, ...forked.controls];
  const single = forked.runs.length === 1;
  return (
    <div className="space-y-3 text-sm">
      <p>
        {single ? "A branch" : `${forked.runs.length} branches and as many controls`} of {forked.parent} from{" "}
        {forked.at} on {single ? "is" : "are"} being played.
      </p>
      <div className="flex flex-wrap gap-2">
        <ButtonLink look="primary" to="/compare" search={{ runs: all.join(",") }}>
          Compare {single ? "with its parent" : "them"}
        </ButtonLink>
        {single && forked.runs[0] && (
          <ButtonLink to="/runs/$runId" params={{ runId: forked.runs[0] }}>
            Look at it
          </ButtonLink>
        )}
      </div>
    </div>
  );
}
