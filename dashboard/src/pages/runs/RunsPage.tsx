// All runs of all worlds, live.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useState } from "react";
import type { Run } from "~/api/client";
import { useCommands } from "~/lib/keys";
import { Button, ButtonLink, Head } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { CancelDialog, RunMenu, type Steering, useSteering } from "./deeds";
import { Filters } from "./Filters";
import { RunList } from "./RunList";
import { type Deed, may, narrowed, type RunSearch } from "./search";
import { useRuns } from "./useRuns";
import { useSelection } from "./useSelection";

const ForkDialog = lazy(() =>
  import("~/pages/run/ForkDialog").then((room) => ({ default: room.ForkDialog })),
);
const Groups = lazy(() => import("./Groups").then((room) => ({ default: room.Groups })));

const atTop = () => window.scrollY < 40;

export function RunsPage() {
  const search: RunSearch = useSearch({ from: "/" });
  const navigate = useNavigate();
  const onChange = useCallback(
    (next: Partial<Record<keyof RunSearch, string | undefined>>) =>
      void navigate({ to: "/", search: (now) => ({ ...now, ...next }) as RunSearch, replace: true }),
    [navigate],
  );
  return (
    <>
      <Head title="Runs">
        <ButtonLink to="/new" look="primary">
          New run
        </ButtonLink>
      </Head>
      <Filters search={search} onChange={onChange} />
      {search.group ? (
        <Suspense fallback={<Loading />}>
          <Groups search={search} by={search.group === "tag" ? "tag" : "world"} onChange={onChange} />
        </Suspense>
      ) : (
        <Listed search={search} />
      )}
    </>
  );
}

/** A turn to begin with that leaves a past and a future. */
const middleOf = (run: Run): number => Math.max(run.parent_turn ?? 0, Math.floor(run.turn / 2));

type Over = { fork: Run } | { cancel: Run[] } | null;

function Listed({ search }: { search: RunSearch }) {
  const { list, rows, total, fresh, many, showFresh, look } = useRuns(search, atTop);
  const { selected, chosen, select, clear } = useSelection(rows);
  const [over, setOver] = useState<Over>(null);
  const navigate = useNavigate();
  const steering = useSteering(look);
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = list;
  const onNear = useCallback(
    (index: number) => {
      if (index >= rows.length - 30 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    [rows.length, hasNextPage, isFetchingNextPage, fetchNextPage],
  );
  const compare = () => {
    if (chosen.length >= 2)
      void navigate({ to: "/compare", search: { runs: chosen.map((one) => one.run_id).join(",") } });
  };
  useCommands([{ title: "Compare the selected runs", key: "c", group: "Runs", run: compare }]);
  if (list.error && rows.length === 0)
    return <Trouble error={list.error} retry={() => void list.refetch()} />;
  if (!list.data) return <Loading what="loading runs" rows={8} />;
  if (total === 0) return <Nothing search={search} />;
  return (
    <>
      <Toolbar
        total={total}
        chosen={chosen}
        fresh={fresh}
        many={many}
        showFresh={() => {
          showFresh();
          window.scrollTo({ top: 0 });
        }}
        steering={steering}
        onCompare={compare}
        onCancel={() => setOver({ cancel: chosen.filter(may.cancel) })}
        onClear={clear}
      />
      <div className="rounded-lg border border-line bg-surface">
        <RunList
          rows={rows}
          total={total}
          selected={selected}
          onSelect={select}
          onNear={onNear}
          order={search.order === "updated" ? "updated" : "created"}
          menu={(run) => (
            <RunMenu
              run={run}
              steering={steering}
              onFork={() => setOver({ fork: run })}
              onCancel={() => setOver({ cancel: [run] })}
            />
          )}
        />
      </div>
      {over && "cancel" in over && (
        <CancelDialog
          runs={over.cancel}
          onClose={() => setOver(null)}
          onSure={() => steering.steer("cancel", over.cancel)}
        />
      )}
      {over && "fork" in over && (
        <Suspense>
          <ForkDialog run={over.fork} turn={middleOf(over.fork)} onClose={() => setOver(null)} />
        </Suspense>
      )}
    </>
  );
}

/** One line that is always there, so that choosing a run moves nothing. */
function Toolbar({
  total,
  chosen,
  fresh,
  many,
  showFresh,
  steering,
  onCompare,
  onCancel,
  onClear,
}: {
  total: number;
  chosen: Run[];
  fresh: number;
  many: boolean;
  showFresh: () => void;
  steering: Steering;
  onCompare: () => void;
  onCancel: () => void;
  onClear: () => void;
}) {
  const all = (deed: Deed) => chosen.filter(may[deed]);
  return (
    <div className="sticky top-12 z-10 -mx-1 mb-1 flex min-h-10 flex-wrap items-center gap-2 bg-ground px-1 py-1 text-sm md:top-0">
      {chosen.length === 0 ? (
        <span role="status" className="figures text-muted">
          {total.toLocaleString("en")} {total === 1 ? "run" : "runs"}
        </span>
      ) : (
        <>
          <span role="status" className="figures font-medium">
            {chosen.length} selected
          </span>
          <Button look="primary" disabled={chosen.length < 2} onClick={onCompare}>
            Compare
          </Button>
          <Button
            disabled={all("pause").length === 0}
            busy={steering.busy}
            onClick={() => steering.steer("pause", all("pause"))}
          >
            Pause
          </Button>
          <Button
            disabled={all("resume").length === 0}
            busy={steering.busy}
            onClick={() => steering.steer("resume", all("resume"))}
          >
            Resume
          </Button>
          <Button look="danger" disabled={all("cancel").length === 0} onClick={onCancel}>
            Cancel…
          </Button>
          <Button look="quiet" onClick={onClear}>
            Clear
          </Button>
        </>
      )}
      {fresh > 0 && (
        <button
          type="button"
          onClick={showFresh}
          className="ml-auto rounded-full bg-accent px-3 py-1 font-medium text-on-accent text-xs shadow"
        >
          {many ? `${fresh} or more` : fresh} new {fresh === 1 ? "run" : "runs"} <span aria-hidden>↑</span>
        </button>
      )}
    </div>
  );
}

function Nothing({ search }: { search: RunSearch }) {
  if (narrowed(search)) return <Empty title="No run is like that">Show all, or ask for less.</Empty>;
  return (
    <Empty title="No runs yet" command="windtunnel run economy/growth --seed 7">
      Start one with “New run”, or in a terminal. It appears here by itself.
    </Empty>
  );
}
