// Is it well? Then who plays, what waits; and for admins who may come, and who did what.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schemas, Status } from "~/api/client";
import { meQuery, systemQuery } from "~/api/queries";
import { bytes, span } from "~/lib/format";
import { Badge, Card, Copy, Head, LINK, StatusBadge } from "~/ui/kit";
import { Asked, Loading } from "~/ui/states";
import { Table } from "~/ui/table";
import { AuditLog } from "./AuditLog";
import { Keys } from "./Keys";

type System = Schemas["System"];

export function SystemPage() {
  const query = useQuery(systemQuery);
  const { data: me } = useQuery(meQuery);
  return (
    <>
      <Head title="System" about="Whether all is well, who plays, who may come" />
      <div className="space-y-4">
        <Asked query={query} loading={<Loading what="how it is" rows={6} />}>
          {(system) => (
            <>
              <Wellness system={system} />
              <Workers workers={system.workers} />
            </>
          )}
        </Asked>
        {me?.roles.includes("admin") ? (
          <>
            <Keys />
            <AuditLog />
          </>
        ) : (
          me && <p className="text-muted text-sm">Keys and the audit log are for the role admin.</p>
        )}
      </div>
    </>
  );
}

function Wellness({ system }: { system: System }) {
  const counts = Object.entries(system.runs).filter(([name, count]) => count > 0 && name !== "pruned");
  return (
    <Card
      title={system.ready ? "All is well" : "Not all is well"}
      aside={
        <Badge tone={system.ready ? "good" : "bad"}>
          <span aria-hidden>{system.ready ? "✓" : "✕"}</span>
          {system.ready ? "ready" : "not ready"}
        </Badge>
      }
    >
      {system.checks.length > 0 && (
        <ul className="mb-3 list-disc pl-5 text-bad text-sm">
          {system.checks.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      <dl className="grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[auto_1fr]">
        <dt className="text-muted">Runs</dt>
        <dd className="flex flex-wrap gap-x-3 gap-y-1">
          {counts.length === 0 && "none yet"}
          {counts.map(([name, count]) => (
            <Link key={name} to="/" search={{ status: name }} className="inline-flex items-center gap-1">
              <StatusBadge status={name as Status} />
              <span className="figures">{count.toLocaleString("en")}</span>
            </Link>
          ))}
        </dd>
        <dt className="text-muted">Queue</dt>
        <dd className="figures">
          {system.queue === 0 ? "empty" : `${system.queue.toLocaleString("en")} wait for a worker`}
        </dd>
        <dt className="text-muted">Store</dt>
        <dd className="min-w-0">
          <Copy text={system.store} label="copy where the store is" />
        </dd>
        <dt className="text-muted">Version</dt>
        <dd className="figures">{system.version}</dd>
      </dl>
    </Card>
  );
}

function Workers({ workers }: { workers: Schemas["Worker"][] }) {
  return (
    <Card title="Workers">
      {workers.length === 0 ? (
        <p className="text-muted text-sm">None works now: the next run that starts brings one.</p>
      ) : (
        <Table
          label="workers"
          columns={[
            "Worker",
            "State",
            "Runs in its hands",
            "Played",
            "Memory",
            "Late by",
            "Last sign of life",
          ]}
          right={[3, 4, 5, 6]}
          rows={workers.map((one) => ({
            key: one.name,
            cells: [
              <span key="name" className="whitespace-nowrap">
                {one.world}{" "}
                <span className="text-muted text-xs">
                  pid {one.pid} on {one.host}
                </span>
              </span>,
              one.state,
              <Runs key="runs" ids={one.runs} />,
              one.played.toLocaleString("en"),
              bytes(one.memory_mb * 1e6),
              `${one.lag.toFixed(3)} s`,
              one.beat_seconds < 5 ? "now" : `${span(one.beat_seconds)} ago`,
            ],
          }))}
        />
      )}
    </Card>
  );
}

function Runs({ ids }: { ids: string[] }) {
  if (ids.length === 0) return <span className="text-muted">none</span>;
  return (
    <span className="flex flex-wrap gap-x-2">
      {ids.map((id) => (
        <Link key={id} to="/runs/$runId" params={{ runId: id }} className={LINK}>
          {id}
        </Link>
      ))}
    </span>
  );
}
