// What is different in a scenario, as a form and as its text: two views of one text, which is what is kept.
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useDeferredValue, useMemo, useState } from "react";
import { api, Problem, type Schemas, told } from "~/api/client";
import { useCommands } from "~/lib/keys";
import { useOnce } from "~/lib/once";
import { type Misfit, misfits as misfitsOf, type Path, type Schema } from "~/lib/schema";
import { edited, readYaml } from "~/lib/yaml";
import { Button, Card } from "~/ui/kit";
import { Loading, Trouble } from "~/ui/states";
import { Estimated } from "./Estimated";
import { Fields } from "./Fields";
import { RunTerms } from "./RunTerms";
import { placeOf, requestOf, type Terms } from "./request";

const YamlEditor = lazy(() => import("./YamlEditor"));
const NONE: Terms = { tags: [], budget: null, seconds: null, memory: null };

export function Prepare({ scenario }: { scenario: Schemas["ScenarioDetail"] }) {
  const root = scenario.json_schema as Schema;
  const before = useMemo(() => readYaml(scenario.text).value, [scenario.text]);
  const [text, setText] = useState(scenario.text);
  const [terms, setTerms] = useState<Terms>(NONE);
  const read = useMemo(() => readYaml(text), [text]);
  // While the text cannot be read, the form stays as it was and waits.
  const [kept, setKept] = useState(before);
  const broken = read.errors.length > 0;
  if (!broken && kept !== read.value) setKept(read.value);
  const value = broken ? kept : read.value;
  const request = useMemo(
    () => requestOf({ name: scenario.name, world: scenario.world, value: before }, text, value, terms),
    [scenario, before, text, value, terms],
  );
  const start = useStart();
  const said = start.error instanceof Problem && start.variables === request ? start.error : null;
  const at = useMemo(() => (said ? placeOf(said, value) : {}), [said, value]);
  const wrong = useMemo<Misfit[]>(() => {
    const found = broken ? [] : misfitsOf(value, root, root);
    if (said && at.path) found.push({ path: at.path, message: told_(said) });
    return found;
  }, [broken, value, root, said, at]);
  const marks = useMemo(
    () => [
      ...read.errors,
      ...wrong.map((one) => ({
        line: read.lineOf(one.path),
        message: `${one.path.join(".")}: ${one.message}`,
      })),
      ...(said && at.line && !at.path ? [{ line: at.line, message: told_(said) }] : []),
    ],
    [read, wrong, said, at],
  );
  const onEdit = useCallback((path: Path, next: unknown) => setText((now) => edited(now, path, next)), []);
  const fits = !broken && wrong.every((one) => said && one.message === told_(said));
  const press = () => fits && !start.isPending && start.mutate(request);
  useCommands([{ title: "Start this run", group: "New run", run: press }]);
  const asked = useDeferredValue(request);
  return (
    <form
      className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,26rem)] xl:grid-cols-[minmax(0,1fr)_minmax(0,34rem)]"
      onSubmit={(event) => {
        event.preventDefault();
        press();
      }}
    >
      <div className="min-w-0 space-y-4">
        <fieldset disabled={broken} className="min-w-0 space-y-4">
          <legend className="sr-only">{scenario.name}</legend>
          <Fields
            root={root}
            world={scenario.world}
            value={value}
            before={before}
            misfits={wrong}
            onChange={onEdit}
          />
        </fieldset>
        <RunTerms terms={terms} onChange={setTerms} />
      </div>
      <div className="min-w-0 space-y-4 lg:sticky lg:top-4">
        <Card title="Before it starts">
          <Estimated request={asked} ready={fits} />
          {said && !at.path && !at.line && <Trouble error={said} />}
          {start.error && !said && <Trouble error={start.error} />}
          <p role="status" className="min-h-5 text-bad text-sm">
            {marks.length > 0 && `line ${marks[0]?.line}: ${marks[0]?.message}`}
          </p>
          <Button
            type="submit"
            look="primary"
            className="w-full"
            busy={start.isPending || start.isSuccess}
            disabled={!fits}
          >
            {start.isPending || start.isSuccess ? "Starting…" : "Start the run"}
          </Button>
        </Card>
        <Text text={text} original={scenario.text} marks={marks} onText={setText} own={"text" in request} />
      </div>
    </form>
  );
}

const told_ = (problem: Problem): string =>
  `${problem.message}${problem.remedy ? `. ${problem.remedy}` : ""}`;

function Text({
  text,
  original,
  marks,
  onText,
  own,
}: {
  text: string;
  original: string;
  marks: { line: number; message: string }[];
  onText: (text: string) => void;
  own: boolean;
}) {
  return (
    <Card
      title="As YAML"
      aside={
        <span className="flex items-center gap-2 text-muted text-xs">
          {own ? "sent as a text of its own" : "form and text are one"}
          <Button look="quiet" disabled={text === original} onClick={() => onText(original)}>
            Undo all
          </Button>
        </span>
      }
    >
      <div className="-m-3 h-[28rem] overflow-hidden rounded-b-lg">
        <Suspense fallback={<Loading what="loading the editor" rows={10} />}>
          <YamlEditor label="the scenario as YAML" text={text} marks={marks} onChange={onText} />
        </Suspense>
      </div>
    </Card>
  );
}

function useStart() {
  const once = useOnce();
  const navigate = useNavigate();
  return useMutation({
    meta: { quiet: true },
    mutationFn: (body: Schemas["StartRequest"]) =>
      told(api.POST("/api/simulations", { params: { header: { "idempotency-key": once(body) } }, body })),
    onSuccess: (run) => void navigate({ to: "/runs/$runId", params: { runId: run.run_id } }),
  });
}
