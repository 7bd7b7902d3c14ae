// One strategy: a version of it whole, all versions below those they grew from, what changed, how it fared.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { Data } from "~/ui/data";
import { Difference } from "~/ui/difference";
import { Badge, Card, cx, FIELD, Head, LINK, StatusBadge, Time, Words } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";
import { Table } from "~/ui/table";
import { diffQuery, strategyQuery } from "./asked";

type Detail = Schemas["StrategyDetail"];

export function StrategyView({
  name,
  version,
  from,
}: {
  name: string;
  version: string | undefined;
  from: string | undefined;
}) {
  const query = useQuery({ ...strategyQuery(name, version), placeholderData: keepPreviousData });
  return (
    <>
      <Head title={name} about={query.data && <About told={query.data} />} />
      <Asked query={query} loading={<Loading what="the strategy" rows={8} />}>
        {(told) => (
          <div className="space-y-4">
            <Versions told={told} />
            <Content told={told} />
            <Changes told={told} from={from} />
            <Record told={told} />
            <Moves told={told} />
          </div>
        )}
      </Asked>
    </>
  );
}

function About({ told }: { told: Detail }) {
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span>
        version <span className="figures">{told.number}</span>
        {told.number === told.in_force ? ", in force" : `; in force is ${told.in_force}`}
      </span>
      <code className="font-mono text-xs">{told.hash.slice(0, 12)}</code>
      <Link to="/strategies" className={LINK}>
        all strategies
      </Link>
    </span>
  );
}

/** The tree of versions, each line as deep as it lies. */
function Versions({ told }: { told: Detail }) {
  return (
    <Card title="Versions, and where each came from">
      <Table
        label="versions"
        columns={["Version", "Change", "By", "Why", "When"]}
        rows={told.versions.map((one) => ({
          key: one.number,
          cells: [
            <span
              key="number"
              className="flex flex-wrap items-center gap-1 whitespace-nowrap"
              style={{ paddingLeft: `${Math.min(one.depth, 12)}rem` }}
            >
              {one.depth > 0 && (
                <span aria-hidden className="text-muted">
                  └
                </span>
              )}
              <Link
                to="/strategies"
                search={{ name: told.name, version: one.number }}
                aria-current={one.number === told.number ? "true" : undefined}
                className={cx(LINK, "figures", one.number === told.number && "font-semibold")}
              >
                {one.number}
              </Link>
              {one.under && <span className="sr-only"> grew from {one.under}</span>}
              {one.in_force && <Badge tone="good">in force</Badge>}
              {one.tags.map((tag) => (
                <Badge key={tag} tone="accent">
                  {tag}
                </Badge>
              ))}
            </span>,
            one.bump,
            <span key="by">
              {one.by}
              <span className="block text-muted text-xs">
                {one.operator}
                {one.others.length > 0 && `, also from ${one.others.join(", ")}`}
              </span>
            </span>,
            <span key="why" className="block max-w-md whitespace-pre-wrap">
              {one.why || "–"}
            </span>,
            <Time key="when" at={one.at} />,
          ],
        }))}
      />
    </Card>
  );
}

function Content({ told }: { told: Detail }) {
  const { instructions, strategy: _, ...plain } = told.content;
  return (
    <Card title={`Version ${told.number}`}>
      <Data value={plain} label={`version ${told.number}`} />
      {typeof instructions === "string" && instructions && (
        <Words className="mt-3" from={told.name}>
          {instructions}
        </Words>
      )}
    </Card>
  );
}

function Changes({ told, from }: { told: Detail; from: string | undefined }) {
  const navigate = useNavigate();
  const others = told.versions.filter((one) => one.number !== told.number);
  const mine = told.versions.find((one) => one.number === told.number);
  const chosen = others.find((one) => one.number === from)?.number ?? mine?.under ?? others[0]?.number;
  return (
    <Card
      title="What changed"
      aside={
        chosen && (
          <label className="flex items-center gap-2 text-sm">
            against
            <select
              className={cx(FIELD, "!w-auto")}
              value={chosen}
              onChange={(event) =>
                void navigate({
                  to: "/strategies",
                  search: { name: told.name, version: told.number, from: event.target.value },
                  replace: true,
                  resetScroll: false,
                })
              }
            >
              {others.map((one) => (
                <option key={one.number}>{one.number}</option>
              ))}
            </select>
          </label>
        )
      }
    >
      {chosen ? (
        <Compared name={told.name} a={chosen} b={told.number} />
      ) : (
        <Empty title="There is one version only" />
      )}
    </Card>
  );
}

function Compared({ name, a, b }: { name: string; a: string; b: string }) {
  const query = useQuery(diffQuery(name, a, b));
  return (
    <Asked query={query} loading={<Loading what="what changed" rows={3} />}>
      {(diff) => (
        <Difference
          changes={diff.changes}
          instructions={diff.instructions}
          before={a}
          after={b}
          from={name}
        />
      )}
    </Asked>
  );
}

function Record({ told }: { told: Detail }) {
  return (
    <Card title="Its tournaments">
      {told.record.length === 0 ? (
        <Empty title="It has entered none yet" command="windtunnel tournament FILE">
          A tournament names it as {told.name}@{told.number}.
        </Empty>
      ) : (
        <Table
          label="its tournaments"
          columns={["Tournament", "As", "Version", "Status", "Begun"]}
          rows={told.record.map((one) => ({
            key: `${one.run_id} ${one.entrant}`,
            cells: [
              <Link key="title" to="/tournaments" search={{ id: one.run_id }} className={LINK}>
                {one.title}
              </Link>,
              one.entrant,
              <span key="version" className="figures">
                {one.version}
              </span>,
              <StatusBadge key="status" status={one.status} />,
              <Time key="begun" at={one.created} />,
            ],
          }))}
        />
      )}
    </Card>
  );
}

function Moves({ told }: { told: Detail }) {
  return (
    <Card title="What was put in force, and tagged">
      <ul className="space-y-1 text-sm">
        {told.moves.map((one, at) => (
          <li key={at}>
            <span className="figures font-medium">{one.number}</span> {one.tag ? `is ${one.tag}` : "in force"}
            {one.before && ` after ${one.before}`}
            <span className="text-muted">
              {" "}
              · {one.verb} by {one.by} · <Time at={one.at} />
              {one.why && ` · ${one.why}`}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
