// A run as its world lays it out. What to show is data that the world declares; here is how it is drawn.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type CSSProperties, useCallback, useMemo } from "react";
import type { RunDetail, Schemas } from "~/api/client";
import { worldQuery } from "~/api/queries";
import { useCommands } from "~/lib/keys";
import { useRun } from "~/pages/run/live";
import { cx } from "~/ui/kit";
import { Empty, Trouble } from "~/ui/states";
import { usePage } from "./asked";
import { Names, namesOf } from "./colours";
import { PanelFrame } from "./PanelFrame";
import { type Showing, Shown } from "./showing";

type View = Schemas["PanelView"];

export function PanelsView() {
  const { run, turn, fixed } = useRun();
  const query = usePage(run.run_id, fixed ? turn : undefined);
  const declared = useQuery(worldQuery(run.world)).data?.panels ?? [];
  const page = query.data;
  const names = useMemo(() => (page ? namesOf(page) : []), [page]);
  const panels = page?.panels ?? declared.map((panel) => ({ panel, parts: [] }));
  const showing = useWhatIsShown(run, page?.turn ?? 0);
  useJumps(panels);
  if (query.error && !page) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (page && page.panels.length === 0) return <Bare world={run.world} />;
  return (
    <Shown value={showing}>
      <Names value={names}>
        {query.error && <Late error={query.error} turn={page?.turn} />}
        <p className="figures mb-2 min-h-5 text-muted text-sm" role={page ? undefined : "status"}>
          {page ? `As ${run.world} lays it out, after turn ${page.turn.toLocaleString("en")}` : "being drawn"}
        </p>
        <Grid panels={panels} stale={query.isPlaceholderData || !page} />
      </Names>
    </Shown>
  );
}

/** A run tells of itself several times a second; the panels hear of it when something changes for them. */
function useWhatIsShown(run: RunDetail, turn: number): Showing {
  const { agent } = useSearch({ from: "/runs/$runId" });
  const setSearch = useSetSearch();
  const scored = JSON.stringify(Object.keys(run.metrics));
  const agents = useMemo(() => new Set<string>(JSON.parse(scored)), [scored]);
  const { run_id: runId, status } = run;
  return useMemo(
    () => ({ runId, status, agents, turn, agent, setSearch }),
    [runId, status, agents, turn, agent, setSearch],
  );
}

function useSetSearch(): Showing["setSearch"] {
  const navigate = useNavigate();
  return useCallback(
    (next) =>
      void navigate({
        to: ".",
        search: (now: Record<string, unknown>) => ({ ...now, ...next }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
}

/** The palette goes to any panel of the page. */
function useJumps(panels: readonly View[]): void {
  useCommands(
    panels.map(({ panel }) => ({
      title: `Go to “${panel.title}”`,
      group: "World",
      run: () => {
        const place = document.getElementById(`panel-${panel.id}`);
        place?.scrollIntoView({ block: "start" });
        place?.focus({ preventScroll: true });
      },
    })),
  );
}

// Twelve columns where there is room for them, two where there is some, one on a phone.
const SPANS = "@2xl:[grid-column:span_var(--some)] @4xl:[grid-column:span_var(--all)]";

const spans = (width: number): CSSProperties =>
  ({ "--some": width <= 6 ? 6 : 12, "--all": Math.min(12, Math.max(1, width)) }) as CSSProperties;

function Grid({ panels, stale }: { panels: readonly View[]; stale: boolean }) {
  return (
    <div className="@container">
      <div
        aria-busy={stale}
        className={cx(
          "grid grid-cols-1 gap-4 @2xl:grid-cols-12",
          stale && "opacity-70 transition-opacity delay-150",
        )}
      >
        {panels.map((view) => (
          <div
            key={view.panel.id}
            id={`panel-${view.panel.id}`}
            tabIndex={-1}
            className={cx("flex min-w-0 scroll-mt-4", SPANS)}
            style={spans(view.panel.width)}
          >
            <PanelFrame view={view} />
          </div>
        ))}
      </div>
    </div>
  );
}

function Late({ error, turn }: { error: unknown; turn: number | undefined }) {
  const why = error instanceof Error ? error.message : String(error);
  return (
    <p role="alert" className="mb-3 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
      This is how it stood after turn {turn}; what came since could not be drawn: {why}
    </p>
  );
}

function Bare({ world }: { world: string }) {
  return (
    <Empty title={`${world} lays out no page of its own`} command="windtunnel new world harbour">
      A world declares what its page shows, in a few lines: figures, tables, flows, a talk. docs/panels.md
      says how; a new world comes with such a page. This run's curves, turns and journal are there all the
      same.
    </Empty>
  );
}
