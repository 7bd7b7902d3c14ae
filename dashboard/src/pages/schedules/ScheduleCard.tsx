// One schedule, and what can be done with it.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas, told } from "~/api/client";
import { queryClient } from "~/app/asking";
import { exactly } from "~/lib/format";
import { say } from "~/ui/dialog";
import { Badge, Button, LINK, Time } from "~/ui/kit";
import { Asked } from "~/ui/states";
import { Table } from "~/ui/table";
import { deed } from "./wanted";

type Schedule = Schemas["Schedule"];

export function ScheduleCard({ one }: { one: Schedule }) {
  const [open, setOpen] = useState(false);
  return (
    <article className="rounded-lg border border-line bg-surface p-3 sm:p-4">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 className="font-semibold">
            {one.name}{" "}
            <Badge tone={one.enabled ? "good" : "plain"}>
              <span aria-hidden>{one.enabled ? "●" : "○"}</span>
              {one.enabled ? "enabled" : "disabled"}
            </Badge>
          </h2>
          <p className="text-sm">{deed(one)}</p>
          <p className="text-muted text-sm">
            {one.when} <span className="text-xs">{one.zone}</span>
          </p>
        </div>
        <Deeds one={one} />
      </div>
      <dl className="mt-3 grid grid-cols-2 gap-x-4 gap-y-2 text-sm sm:grid-cols-4">
        <Fact name="Next">{one.enabled ? <Time at={one.next_run} /> : "–"}</Fact>
        <Fact name="Last">
          <Time at={one.last_run} />
        </Fact>
        <Fact name="It was">{one.last_state ?? "not fired yet"}</Fact>
        <Fact name="Errors in a row">
          <span className={one.errors > 0 ? "text-bad" : undefined}>{one.errors}</span>
        </Fact>
      </dl>
      {one.disabled_because && <p className="mt-2 text-sm text-warn">Disabled: {one.disabled_because}</p>}
      {one.last_error && <p className="mt-2 text-bad text-sm">Last error: {one.last_error}</p>}
      <details className="mt-3 text-sm" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="text-muted">when it was, and when it comes</summary>
        {open && <Firings name={one.name} />}
      </details>
    </article>
  );
}

const Fact = ({ name, children }: { name: string; children: React.ReactNode }) => (
  <div className="min-w-0">
    <dt className="text-muted text-xs">{name}</dt>
    <dd>{children}</dd>
  </div>
);

function Deeds({ one }: { one: Schedule }) {
  const [sure, setSure] = useState(false);
  const params = { params: { path: { name: one.name } } };
  const done = (said: string) => {
    say(said);
    return queryClient.invalidateQueries({ queryKey: ["schedules"] });
  };
  const turn = useMutation({
    mutationFn: () =>
      told(
        one.enabled
          ? api.POST("/api/schedules/{name}/disable", params)
          : api.POST("/api/schedules/{name}/enable", params),
      ),
    onSuccess: (now) => done(now.enabled ? `${now.name} goes on.` : `${now.name} fires no more.`),
  });
  const remove = useMutation({
    mutationFn: () => told(api.DELETE("/api/schedules/{name}", params)),
    onSuccess: () => done(`${one.name} is removed; what it started stays.`),
  });
  return (
    <div className="flex flex-wrap gap-2">
      <Button busy={turn.isPending} onClick={() => turn.mutate()}>
        {one.enabled ? "Disable" : "Enable"}
      </Button>
      {sure ? (
        <>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            Really remove
          </Button>
          <Button look="quiet" onClick={() => setSure(false)}>
            Keep
          </Button>
        </>
      ) : (
        <Button look="quiet" aria-label={`remove ${one.name}`} onClick={() => setSure(true)}>
          Remove
        </Button>
      )}
    </div>
  );
}

function Firings({ name }: { name: string }) {
  const query = useQuery({
    queryKey: ["schedule", name], // not among those that a removal has asked for again
    queryFn: ({ signal }) => told(api.GET("/api/schedules/{name}", { params: { path: { name } }, signal })),
    refetchInterval: 5_000,
  });
  return (
    <Asked query={query}>
      {({ firings, upcoming }) => (
        <div className="mt-2 space-y-3">
          {upcoming.length > 0 && (
            <ul aria-label="next times" className="figures flex flex-wrap gap-x-4 gap-y-1 text-muted text-xs">
              {upcoming.map((at) => (
                <li key={at}>{exactly(at)}</li>
              ))}
            </ul>
          )}
          {firings.length === 0 ? (
            <p className="text-muted">It has not fired yet.</p>
          ) : (
            <Table
              label={`firings of ${name}`}
              columns={["Due", "State", "What came of it"]}
              rows={firings.map((one) => ({
                key: one.due,
                cells: [<Time key="due" at={one.due} />, one.state, <Outcome key="outcome" one={one} />],
              }))}
            />
          )}
        </div>
      )}
    </Asked>
  );
}

function Outcome({ one }: { one: Schemas["Firing"] }) {
  const found = one.outcome as { run_id?: unknown; status?: unknown } | null;
  if (typeof found?.run_id === "string")
    return (
      <>
        <Link to="/runs/$runId" params={{ runId: found.run_id }} className={LINK}>
          {found.run_id}
        </Link>{" "}
        {typeof found.status === "string" && found.status}
        {one.reason && <span className="text-bad"> {one.reason}</span>}
      </>
    );
  if (one.reason) return <span className="text-muted">{one.reason}</span>;
  return <code className="font-mono text-xs">{one.outcome === null ? "" : JSON.stringify(one.outcome)}</code>;
}
