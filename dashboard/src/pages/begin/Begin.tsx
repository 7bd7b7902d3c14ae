// What is to be played, as the text of its file: read, sent, and marked where the server refuses it.
import { useMutation, useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { Problem, type Schemas } from "~/api/client";
import { meQuery } from "~/api/queries";
import { counted } from "~/lib/format";
import { useCommands } from "~/lib/keys";
import { useOnce } from "~/lib/once";
import { mayStart } from "~/lib/people";
import { readYaml } from "~/lib/yaml";
import { Costs } from "~/pages/start/Estimated";
import { Button, Card } from "~/ui/kit";
import { Loading, Trouble } from "~/ui/states";
import { placesOf } from "./place";

const YamlEditor = lazy(() => import("~/pages/start/YamlEditor"));

export interface Kind {
  /** What is begun: "tournament". */
  what: string;
  /** How a text begins that is none yet. */
  first: string;
  send: (value: Record<string, unknown>, key: string) => Promise<Schemas["Started"]>;
  /** What it comes to, before it is begun. */
  estimate: (value: Record<string, unknown>) => Promise<Schemas["Forecast"]>;
  /** What its rounds are called, one and many. */
  rounds: readonly [string, string];
  onBegun: (runId: string) => void;
}

export function Begin({ kind, example, children }: { kind: Kind; example: string; children: ReactNode }) {
  const { what, first, send, onBegun } = kind;
  const [text, setText] = useState(example);
  const read = useMemo(() => readYaml(text, what, first), [text, what, first]);
  const { data: me } = useQuery(meQuery);
  const once = useOnce();
  const begin = useMutation({
    meta: { quiet: true },
    mutationFn: (value: Record<string, unknown>) => send(value, once(value)),
    onSuccess: ({ run_id }) => onBegun(run_id),
  });
  const estimate = useMutation({ meta: { quiet: true }, mutationFn: kind.estimate });
  const last = begin.submittedAt >= estimate.submittedAt ? begin : estimate;
  const said = last.error instanceof Problem && last.variables === read.value ? last.error : null;
  const refused = useMemo(
    () =>
      (said ? placesOf(said, read.value) : []).map(({ path, message }) => ({
        line: read.lineOf(path),
        message,
      })),
    [said, read],
  );
  const marks = read.errors.length > 0 ? read.errors : refused;
  const busy = begin.isPending || begin.isSuccess;
  const refusal = me && !mayStart(me) ? "this needs the role operator; an admin gives it" : null;
  const ready = read.errors.length === 0 && !refusal;
  const press = () => ready && !busy && begin.mutate(read.value);
  const ask = () => read.errors.length === 0 && !estimate.isPending && estimate.mutate(read.value);
  const group = `New ${what}`;
  useCommands([
    { title: `Begin this ${what}`, group, run: press },
    { title: `Estimate this ${what}`, group, run: ask },
  ]);
  const broken = read.errors[0];
  return (
    <form
      className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,22rem)]"
      onSubmit={(event) => {
        event.preventDefault();
        press();
      }}
    >
      <Card
        title="As YAML"
        aside={
          <Button look="quiet" disabled={text === example} onClick={() => setText(example)}>
            Undo all
          </Button>
        }
      >
        <div className="-m-3 h-[28rem] overflow-hidden rounded-b-lg">
          <Suspense fallback={<Loading what="loading the editor" rows={10} />}>
            <YamlEditor label={`the ${what} as YAML`} text={text} marks={marks} onChange={setText} />
          </Suspense>
        </div>
      </Card>
      <Card title="Before it begins" className="lg:sticky lg:top-4">
        <div className="space-y-3 text-sm">
          {children}
          {last.error && <Trouble error={last.error} />}
          <p role="status" className="min-h-5 text-bad">
            {broken ? `line ${broken.line}: ${broken.message}` : linesOf(refused)}
          </p>
          {refusal && <p className="text-muted">{refusal}</p>}
          <Button type="submit" look="primary" className="w-full" busy={busy} disabled={!ready}>
            {busy ? "Beginning…" : "Begin"}
          </Button>
          <Button
            className="w-full"
            busy={estimate.isPending}
            disabled={read.errors.length > 0}
            onClick={ask}
          >
            {estimate.isPending ? "Rehearsing…" : "Estimate"}
          </Button>
          {estimate.data && estimate.variables === read.value && (
            <Foretold told={estimate.data} rounds={kind.rounds} />
          )}
        </div>
      </Card>
    </form>
  );
}

function Foretold({ told, rounds: [one, many] }: { told: Schemas["Forecast"]; rounds: Kind["rounds"] }) {
  const { matches, rounds, rehearsed, budget = null } = told;
  const first = (
    <>
      <dt className="text-muted">matches</dt>
      <dd className="figures">
        {matches.toLocaleString("en")} in {counted(rounds, one, many)}
      </dd>
    </>
  );
  return (
    <section aria-label="what it comes to">
      <Costs {...told} budget={budget} first={first}>
        {told.notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
        <p>{counted(rehearsed, "match", "matches")} rehearsed; nothing was asked or paid.</p>
      </Costs>
    </section>
  );
}

const linesOf = (marks: readonly { line: number }[]): string =>
  marks.length > 0 ? `marked in line ${[...new Set(marks.map((one) => one.line))].join(", ")}` : "";
