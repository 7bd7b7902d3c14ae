// Runs by world or by tag: how many of each, the newest of each, and the way to all of them.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { api, told } from "~/api/client";
import { useChannel } from "~/api/stream";
import { Button, Card, LINK, Progress, StatusBadge, Time } from "~/ui/kit";
import { Asked, Empty } from "~/ui/states";
import { asked, type RunSearch } from "./search";

const SHOWN = 5;

export function Groups({
  search,
  by,
  onChange,
}: {
  search: RunSearch;
  by: "world" | "tag";
  onChange: (next: Partial<Record<keyof RunSearch, string | undefined>>) => void;
}) {
  const query = asked(search, Date.now());
  const groups = useQuery({
    queryKey: ["runs", "groups", by, query],
    queryFn: ({ signal }) => told(api.GET("/api/groups", { params: { query: { ...query, by } }, signal })),
    placeholderData: (before) => before,
  });
  useGentle();
  return (
    <Asked query={groups}>
      {({ groups: found }) =>
        found.length === 0 ? (
          <Empty
            title={by === "tag" ? "No run has a tag" : "No runs yet"}
            command="windtunnel run economy/growth --seed 7"
          >
            {by === "tag"
              ? "Tags are given when a run is started; with them it is found again."
              : "Start one."}
          </Empty>
        ) : (
          <div className="space-y-3">
            {found.map((one) => (
              <Card
                key={one.name}
                title={one.name}
                aside={
                  <Button look="quiet" onClick={() => onChange({ group: undefined, [by]: one.name })}>
                    all {one.runs.toLocaleString("en")} {one.runs === 1 ? "run" : "runs"}{" "}
                    <span aria-hidden>→</span>
                  </Button>
                }
              >
                <Newest search={{ ...search, [by]: one.name }} rows={Math.min(SHOWN, one.runs)} />
              </Card>
            ))}
          </div>
        )
      }
    </Asked>
  );
}

function Newest({ search, rows }: { search: RunSearch; rows: number }) {
  const query = asked(search, Date.now());
  const { data } = useQuery({
    queryKey: ["runs", "newest", query],
    queryFn: ({ signal }) =>
      told(api.GET("/api/simulations", { params: { query: { ...query, limit: SHOWN } }, signal })),
    placeholderData: (before) => before,
  });
  return (
    <ul style={{ minHeight: `${rows * 2}rem` }}>
      {data?.runs.map((run) => (
        <li
          key={run.run_id}
          className="grid min-h-8 grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 text-sm sm:grid-cols-[minmax(0,1fr)_7rem_10rem_6rem]"
        >
          <Link to="/runs/$runId" params={{ runId: run.run_id }} className={`${LINK} truncate`}>
            {run.scenario} <code className="font-mono text-xs">{run.run_id}</code>
          </Link>
          <StatusBadge status={run.status} reason={run.reason} />
          <span className="hidden sm:block">
            <Progress turn={run.turn} of={run.max_turns} label={`turns of ${run.run_id}`} />
          </span>
          <span className="hidden text-right text-muted text-xs sm:block">
            <Time at={run.created} />
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Groups are looked at again when runs moved, every two seconds at most. */
function useGentle() {
  const client = useQueryClient();
  const waiting = useRef(false);
  useChannel(
    "runs",
    () => {
      if (waiting.current) return;
      waiting.current = true;
      setTimeout(() => {
        waiting.current = false;
        void client.invalidateQueries({ queryKey: ["runs", "groups"] });
        void client.invalidateQueries({ queryKey: ["runs", "newest"] });
      }, 2_000);
    },
    { every: 2 },
  );
}
