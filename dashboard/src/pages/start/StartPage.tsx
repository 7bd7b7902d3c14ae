// A new run: which world, which scenario, and what is different in it.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { Schemas } from "~/api/client";
import { scenarioQuery, worldsQuery } from "~/api/queries";
import { Badge, cx, FIELD, Head, LINK } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";

const Prepare = lazy(() => import("./Prepare").then((room) => ({ default: room.Prepare })));

export function StartPage() {
  const search = useSearch({ from: "/new" });
  if (search.scenario) return <Chosen name={search.scenario} />;
  return (
    <>
      <Head title="New run" about="Choose what is played. What is different in it comes next." />
      <Worlds world={search.world} />
    </>
  );
}

function Chosen({ name }: { name: string }) {
  const scenario = useQuery(scenarioQuery(name));
  return (
    <>
      <Head
        title="New run"
        about={
          <>
            {name} ·{" "}
            <Link to="/new" search={{ world: name.split("/")[0] ?? "" }} className={LINK}>
              another scenario
            </Link>
          </>
        }
      />
      <Asked query={scenario} loading={<Loading what="loading the scenario" rows={8} />}>
        {(found) => (
          <Suspense fallback={<Loading rows={8} />}>
            <Prepare key={found.name} scenario={found} />
          </Suspense>
        )}
      </Asked>
    </>
  );
}

function Worlds({ world }: { world: string | undefined }) {
  const worlds = useQuery(worldsQuery);
  return (
    <Asked query={worlds} loading={<Loading rows={6} />}>
      {({ worlds: all }) =>
        all.length === 0 ? (
          <Empty title="No world is installed" command="windtunnel new world pond">
            A world is a package; this makes one to begin with.
          </Empty>
        ) : (
          <Cards worlds={all} world={all.some((one) => one.name === world) ? world : undefined} />
        )
      }
    </Asked>
  );
}

function Cards({ worlds, world }: { worlds: Schemas["WorldInfo"][]; world: string | undefined }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = worlds.filter((one) => world === undefined || one.name === world);
  return (
    <>
      <div className="mb-4 flex flex-wrap gap-2">
        <input
          type="search"
          aria-label="search scenarios"
          placeholder="search scenarios"
          className={cx(FIELD, "sm:!w-64")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {worlds.length > 1 && (
          <select
            aria-label="world"
            className={cx(FIELD, "!w-auto")}
            value={world ?? ""}
            onChange={(event) =>
              void navigate({
                to: "/new",
                search: event.target.value ? { world: event.target.value } : {},
                replace: true,
              })
            }
          >
            <option value="">all worlds</option>
            {worlds.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
          </select>
        )}
      </div>
      {shown.map((one) => (
        <World key={one.name} world={one} words={words} />
      ))}
    </>
  );
}

function World({ world, words }: { world: Schemas["WorldInfo"]; words: string[] }) {
  const found = world.scenarios.filter((one) =>
    words.every((word) => `${one.name} ${one.title} ${one.description}`.toLowerCase().includes(word)),
  );
  return (
    <section className="mb-6">
      <h2 className="font-semibold">
        {world.name} <span className="font-normal text-muted text-xs">{world.version}</span>
      </h2>
      <p className="mb-2 max-w-prose text-muted text-sm">{world.description}</p>
      {world.error && (
        <p role="alert" className="mb-2 rounded-md bg-bad-soft px-3 py-2 text-bad text-sm">
          {world.error} {world.remedy}
        </p>
      )}
      <ul className="grid gap-2 sm:grid-cols-2 xl:grid-cols-3">
        {found.map((one) => (
          <li key={one.name}>
            <ScenarioCard scenario={one} />
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="text-muted text-sm">no scenario is like that</p>}
    </section>
  );
}

function ScenarioCard({ scenario }: { scenario: Schemas["ScenarioInfo"] }) {
  return (
    <Link
      to="/new"
      search={{ scenario: scenario.name }}
      disabled={Boolean(scenario.error)}
      className="flex h-full flex-col rounded-lg border border-line bg-surface p-3 text-sm hover:border-accent"
    >
      <span className="font-medium">{scenario.title || scenario.name}</span>
      <code className="font-mono text-muted text-xs">{scenario.name}</code>
      <span className="mt-1 flex-1 text-muted">{scenario.error ?? scenario.description}</span>
      <span className="mt-2 flex gap-1">
        {scenario.error && <Badge tone="bad">cannot be read</Badge>}
        {scenario.turns != null && <Badge>{scenario.turns} turns</Badge>}
        {scenario.agents != null && <Badge>{scenario.agents} agents</Badge>}
      </span>
    </Link>
  );
}
