// One panel: its title and help, whose it is where it is repeated, and its parts, each with what went wrong with it.
import { CatchBoundary } from "@tanstack/react-router";
import { memo, type ReactNode } from "react";
import type { Schemas } from "~/api/client";
import { Card, cx } from "~/ui/kit";
import { Loading } from "~/ui/states";
import { BarsPanel } from "./kinds/BarsPanel";
import { BoardPanel } from "./kinds/BoardPanel";
import { BookPanel } from "./kinds/BookPanel";
import { ChatPanel } from "./kinds/ChatPanel";
import { CurvesPanel } from "./kinds/CurvesPanel";
import { FeedPanel } from "./kinds/FeedPanel";
import { FiguresPanel } from "./kinds/FiguresPanel";
import { FlowsPanel } from "./kinds/FlowsPanel";
import { MatrixPanel } from "./kinds/MatrixPanel";
import { TablePanel } from "./kinds/TablePanel";
import { TextPanel } from "./kinds/TextPanel";
import type { Data, DataOf, Kind, Of, Panel } from "./said";
import { useShowing } from "./showing";

type View = Schemas["PanelView"];
type Part = Schemas["PanelPart"];

export const PanelFrame = memo(function PanelFrame({ view: { panel, parts } }: { view: View }) {
  const { agent, setSearch } = useShowing();
  const whose = parts.flatMap((part) => (part.agent === null ? [] : [part.agent]));
  const chosen = parts.find((part) => part.agent === agent) ?? parts[0];
  const abreast = SMALL.has(panel.kind) && parts.length <= ABREAST;
  return (
    <Card
      title={panel.title}
      aside={
        whose.length > 1 &&
        !abreast && (
          <Whose
            of={panel.title}
            names={whose}
            chosen={chosen?.agent ?? ""}
            onChoose={(name) => setSearch({ agent: name })}
          />
        )
      }
      className="w-full"
    >
      {panel.help && <p className="-mt-1 mb-2 text-muted text-xs">{panel.help}</p>}
      {parts.length === 0 && <Loading what={`${panel.title}: being drawn`} rows={ROWS[panel.kind] ?? 3} />}
      {abreast && parts.length > 1 ? (
        <div className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,16rem),1fr))] gap-4">
          {parts.map((part) => (
            <div key={part.agent} className="min-w-0">
              <h3 className="mb-1 font-medium text-sm">{part.agent}</h3>
              <Drawn panel={panel} part={part} />
            </div>
          ))}
        </div>
      ) : (
        chosen && <Drawn key={chosen.agent} panel={panel} part={chosen} />
      )}
    </Card>
  );
});

// Kinds that are small enough to stand side by side; of others one is seen at a time.
const SMALL: ReadonlySet<string> = new Set(["figures", "bars", "text"]);
const ABREAST = 6;
/** How much room is kept for what is still being drawn. */
const ROWS: Partial<Record<string, number>> = { curves: 10, matrix: 8, flows: 8, table: 5, feed: 8, chat: 8 };

/** Whose part is shown: one choice for the whole page, and in its address. */
function Whose({
  of,
  names,
  chosen,
  onChoose,
}: {
  of: string;
  names: readonly string[];
  chosen: string;
  onChoose: (name: string) => void;
}) {
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="sr-only">{of}: whose</legend>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === chosen}
          onClick={() => onChoose(name)}
          className={cx(
            "min-h-6 rounded-md px-2 py-0.5 text-xs",
            name === chosen ? "bg-accent-soft font-medium text-accent" : "text-muted hover:bg-raised",
          )}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}

function Drawn({ panel, part }: { panel: Panel; part: Part }) {
  if (part.error !== null || part.data === null)
    return (
      <NotDrawn title="This part has nothing to show">{part.error ?? "the server says no reason"}</NotDrawn>
    );
  return (
    // What cannot be drawn must not take the other panels with it.
    <CatchBoundary
      getResetKey={() => JSON.stringify(part.data).length}
      errorComponent={({ error }) => (
        <NotDrawn title="This could not be drawn">
          {error instanceof Error ? error.message : String(error)}
        </NotDrawn>
      )}
    >
      <Kinds panel={panel} part={part} data={part.data} />
    </CatchBoundary>
  );
}

function NotDrawn({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div role="note" className="rounded-md bg-warn-soft px-3 py-2 text-sm">
      <p className="font-medium text-warn">{title}</p>
      <p className="mt-0.5">{children}</p>
    </div>
  );
}

export interface PartOf<K extends Kind> {
  panel: Of<K>;
  data: DataOf<K>;
  part: Part;
}
type Drawing = { [K in Kind]: (props: PartOf<K>) => ReactNode };

const DRAWN: Drawing = {
  curves: CurvesPanel,
  figures: FiguresPanel,
  table: TablePanel,
  matrix: MatrixPanel,
  flows: FlowsPanel,
  bars: BarsPanel,
  board: BoardPanel,
  feed: FeedPanel,
  chat: ChatPanel,
  book: BookPanel,
  text: TextPanel,
};

interface Any {
  panel: Panel;
  data: Data;
  part: Part;
}

function Kinds(props: Any) {
  const { panel, data } = props;
  // The kinds of a panel and of its data are the same; the types of two unions cannot say so.
  const Drawer = DRAWN[panel.kind] as unknown as ((props: Any) => ReactNode) | undefined;
  if (!Drawer || data.kind !== panel.kind)
    return (
      <NotDrawn title={`This page does not know the kind “${panel.kind}”`}>
        The server is newer than the page: load it again.
      </NotDrawn>
    );
  return <Drawer {...props} />;
}
