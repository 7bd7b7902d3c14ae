// What there is to play, and by which rules of thumb; a world that is broken says why.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { worldQuery, worldsQuery } from "~/api/queries";
import { spoken } from "~/lib/format";
import { Badge, ButtonLink, Card, cx, Head, LINK } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";

export function WorldsPage() {
  const { world } = useSearch({ from: "/worlds" });
  const query = useQuery(worldsQuery);
  return (
    <>
      <Head title="Worlds" about="What agents can be tried in" />
      <Asked query={query} loading={<Loading what="the worlds" rows={6} />}>
        {({ worlds }) => {
          const one = worlds.find((each) => each.name === world) ?? worlds[0];
          if (!one) return <NoWorld />;
          return (
            <div className="space-y-4">
              {worlds.length > 1 && <Names worlds={worlds} chosen={one.name} />}
              <World key={one.name} world={one} />
            </div>
          );
        }}
      </Asked>
    </>
  );
}

function Names({ worlds, chosen }: { worlds: Schemas["WorldInfo"][]; chosen: string }) {
  return (
    <nav aria-label="Worlds" className="flex flex-wrap gap-1">
      {worlds.map((one) => (
        <Link
          key={one.name}
          to="/worlds"
          search={{ world: one.name }}
          aria-current={one.name === chosen ? "page" : undefined}
          className={cx(
            "max-w-full truncate rounded-full border px-3 py-1 text-sm",
            one.name === chosen ? "border-accent bg-accent-soft text-accent" : "border-line text-muted",
          )}
        >
          {one.error && <span aria-hidden>✕ </span>}
          {one.name}
          {one.error && <span className="sr-only"> is broken</span>}
        </Link>
      ))}
    </nav>
  );
}

function World({ world }: { world: Schemas["WorldInfo"] }) {
  return (
    <>
      <header>
        <h2 className="font-semibold text-lg">
          {world.name} {world.version && <span className="text-muted text-sm">{world.version}</span>}
        </h2>
        {world.description && <p className="max-w-prose text-sm">{world.description}</p>}
        {world.source && <p className="mt-1 text-muted text-xs">from {world.source}</p>}
      </header>
      {world.error ? (
        <div role="alert" className="rounded-lg border border-bad/40 bg-bad-soft px-4 py-3 text-sm">
          <p className="font-medium text-bad">This world cannot be played: {world.error}</p>
          {world.remedy && <p className="mt-1">{world.remedy}</p>}
        </div>
      ) : (
        <>
          <ScenarioList world={world} />
          <Roles name={world.name} />
        </>
      )}
    </>
  );
}

function ScenarioList({ world }: { world: Schemas["WorldInfo"] }) {
  return (
    <Card title="Scenarios">
      {world.scenarios.length === 0 && (
        <p className="text-muted text-sm">It comes with none; a scenario file names it as its world.</p>
      )}
      <ul className="divide-y divide-line">
        {world.scenarios.map((one) => (
          <li
            key={one.name}
            className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2 first:pt-0 last:pb-0"
          >
            <div className="min-w-0 flex-1 basis-60">
              <h3 className="font-medium text-sm">
                {one.title || one.name} <code className="font-mono text-muted text-xs">{one.name}</code>
              </h3>
              <p className="text-muted text-sm">
                {one.error ? <span className="text-bad">✕ {one.error}</span> : one.description}
              </p>
            </div>
            <span className="figures text-muted text-xs">
              {one.turns !== null && `${one.turns.toLocaleString("en")} turns`}
              {one.agents !== null &&
                `, ${one.agents.toLocaleString("en")} ${one.agents === 1 ? "agent" : "agents"}`}
            </span>
            {!one.error && (
              <span className="flex gap-2">
                <ButtonLink to="/" search={{ scenario: one.name }} look="quiet">
                  Runs
                </ButtonLink>
                <ButtonLink to="/new" search={{ world: world.name, scenario: one.name }}>
                  Start
                </ButtonLink>
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Roles({ name }: { name: string }) {
  const query = useQuery(worldQuery(name));
  return (
    <Card title="Roles">
      <Asked query={query} loading={<Loading what="its roles" rows={4} />}>
        {({ roles }) => (
          <div className="space-y-4">
            {roles.map((role) => (
              <section key={role.name}>
                <h3 className="font-medium text-sm">{spoken(role.name)}</h3>
                <Named label="policies, which need no model" names={role.policies} />
                <Named label="actions" names={role.actions} />
                {role.instructions && (
                  <details className="mt-1 text-sm">
                    <summary className="text-muted">what who plays it is told</summary>
                    <p className="mt-1 max-w-prose whitespace-pre-line">{role.instructions.trim()}</p>
                  </details>
                )}
              </section>
            ))}
          </div>
        )}
      </Asked>
    </Card>
  );
}

const Named = ({ label, names }: { label: string; names: string[] }) => (
  <p className="mt-1 flex flex-wrap items-center gap-1 text-muted text-xs">
    {label}: {names.length > 0 ? names.map((one) => <Badge key={one}>{one}</Badge>) : "none"}
  </p>
);

function NoWorld() {
  return (
    <Empty title="There is no world here yet" command="windtunnel new world harbour">
      That makes one of a page, which runs at once.{" "}
      <Link to="/system" className={LINK}>
        System
      </Link>{" "}
      tells which folder this server looks into.
    </Empty>
  );
}
