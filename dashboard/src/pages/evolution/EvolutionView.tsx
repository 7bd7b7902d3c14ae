// One evolution: how gains went by generation, its candidates, what the gate said, and every match.
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { useLive } from "~/app/live";
import { Steering } from "~/app/steering";
import { Curves } from "~/charts/Curves";
import { dollars } from "~/lib/format";
import { Badge, Button, ButtonLink, Card, Copy, Head, LINK, Progress, StatusBadge } from "~/ui/kit";
import { MatchTable } from "~/ui/matches";
import { Asked, Empty, Loading, Trouble } from "~/ui/states";
import { evolutionQuery, matchesQuery } from "./asked";
import { Candidates } from "./Candidates";
import { Gains } from "./parts";

type Evolution = Schemas["Evolution"];

export function EvolutionView({ runId, generation }: { runId: string; generation: number | undefined }) {
  const query = useQuery({ ...evolutionQuery(runId, generation), placeholderData: keepPreviousData });
  useLive(`evolution:${runId}`, ["evolution", runId], ["evolutions"], ["proposals"]);
  return (
    <>
      {!query.data && <Head title={query.error ? "An evolution that cannot be shown" : "Evolution"} />}
      <Asked query={query} loading={<Loading what="the evolution" rows={8} />}>
        {(told) => (
          <>
            <Head title={told.title} about={<About told={told} />}>
              <Steering runId={told.run_id} status={told.status} within={["evolution"]} />
              <ButtonLink to="/runs/$runId" params={{ runId: told.run_id }}>
                Its run
              </ButtonLink>
            </Head>
            <div className="space-y-4">
              <Progressed told={told} />
              <Gate told={told} />
              <ByGeneration told={told} />
              <Candidates told={told} />
              <Tried told={told} />
              <Card title="Matches">
                <Matches runId={told.run_id} total={told.matches} />
              </Card>
            </div>
          </>
        )}
      </Asked>
    </>
  );
}

function About({ told }: { told: Evolution }) {
  const [name, version] = told.base.split("@");
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Copy text={told.run_id} label="copy the evolution's id" />
      <span>
        of{" "}
        {name && version ? (
          <Link to="/strategies" search={{ name, version }} className={LINK}>
            {told.base}
          </Link>
        ) : (
          told.strategy
        )}
      </span>
      <span>
        world{" "}
        <Link to="/worlds" search={{ world: told.world }} className={LINK}>
          {told.world}
        </Link>{" "}
        {told.version}
      </span>
      <Link to="/evolution" className={LINK}>
        all of evolution
      </Link>
    </span>
  );
}

function Progressed({ told }: { told: Evolution }) {
  const { status, reason, generations, of_generations, matches, cost, marks } = told;
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
      <StatusBadge status={status} reason={reason} />
      <div className="w-44">
        <Progress turn={generations.length} of={of_generations} label="generations played" />
      </div>
      <span className="figures text-muted">
        {(generations.at(-1)?.tried ?? 0).toLocaleString("en")} tried
      </span>
      <span className="figures text-muted">{matches.toLocaleString("en")} matches</span>
      {cost > 0 && <span className="figures text-muted">{dollars(cost)}</span>}
      {reason && <span className="min-w-0 text-muted">{reason}</span>}
      {marks.map((mark) => (
        <span key={mark} className="w-full text-muted">
          {mark}
        </span>
      ))}
    </div>
  );
}

function Gate({ told }: { told: Evolution }) {
  const { verdict, proposal, not_proposed, held_out } = told;
  return (
    <Card title="The gate">
      {verdict ? (
        <div className="space-y-3 text-sm">
          <p>
            <Badge tone={verdict.promoted ? "good" : "warn"}>
              <span aria-hidden>{verdict.promoted ? "✓" : "✕"}</span>
              {verdict.promoted ? "better" : "not promoted"}
            </Badge>{" "}
            {verdict.candidate && <span className="font-medium">{verdict.candidate}: </span>}
            {verdict.reason}
          </p>
          <Gains gains={verdict.gains} gain={verdict.gain} low={verdict.low} />
          {proposal && (
            <p>
              <Link to="/evolution" search={{ proposal: proposal.id }} className={LINK}>
                Proposal {proposal.id}
              </Link>{" "}
              <span className="text-muted">{proposal.status.replace("_", " ")}</span>
            </p>
          )}
          {verdict.promoted && !proposal && (
            <p className="text-muted">
              {not_proposed ? `Not proposed: ${not_proposed}` : "It is being proposed."}
            </p>
          )}
        </div>
      ) : (
        <Empty title="It is asked when the search is over">
          The candidate that the search brings out meets the start on {held_out.seeds} held-out{" "}
          {held_out.seeds === 1 ? "luck" : "lucks"} of each scenario, which were sealed before the first
          match.
        </Empty>
      )}
    </Card>
  );
}

function ByGeneration({ told }: { told: Evolution }) {
  const all = told.generations;
  const turns = all.map((one) => one.generation);
  const spread = (sign: 1 | -1) =>
    all.map((one) => (one.error === null ? null : one.gain + sign * one.error));
  return (
    <Card title="Gain by generation">
      {all.length === 0 ? (
        <Empty title="No generation is over yet">Each is told here when it is.</Empty>
      ) : (
        <>
          <p className="mb-2 text-muted text-sm">
            Over the start, on the luck of the search, which flatters: whether it holds, the gate says.
          </p>
          <Curves
            label="gain by generation"
            step="generation"
            height={220}
            series={[
              {
                id: "best",
                label: "best",
                turns,
                values: all.map((one) => one.gain),
                band: { low: spread(-1), high: spread(1) },
              },
              { id: "mean", label: "mean of all", turns, values: all.map((one) => one.mean) },
            ]}
          />
        </>
      )}
    </Card>
  );
}

function Tried({ told }: { told: Evolution }) {
  const grounds = [
    ["The search", told.searched_on],
    ["The gate", told.held_out],
  ] as const;
  return (
    <Card title="What it is tried on">
      <dl className="grid gap-x-6 gap-y-3 text-sm sm:grid-cols-2">
        {grounds.map(([name, ground]) => (
          <div key={name} className="min-w-0">
            <dt className="text-muted text-xs">{name}</dt>
            <dd>
              {ground.seeds.toLocaleString("en")} lucks of {ground.scenarios.join(", ")}
              {ground.opponents.length > 0 && `, against ${ground.opponents.join(", ")}`}
            </dd>
          </div>
        ))}
        <div>
          <dt className="text-muted text-xs">Seats</dt>
          <dd>{told.seats.join(", ")}</dd>
        </div>
        <div className="min-w-0">
          <dt className="text-muted text-xs">Seal of the held-out luck</dt>
          <dd>
            <Copy text={told.seal} label="copy the seal" />
          </dd>
        </div>
      </dl>
      {told.description && <p className="mt-3 whitespace-pre-wrap text-sm">{told.description}</p>}
    </Card>
  );
}

function Matches({ runId, total }: { runId: string; total: number }) {
  const query = useInfiniteQuery(matchesQuery(runId));
  const all = query.data?.pages.flatMap((page) => page.matches);
  if (query.error && !all) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (!all) return <Loading what="the matches" rows={5} />;
  if (all.length === 0) return <Empty title="No match is over yet">Each is told here when it is.</Empty>;
  return (
    <>
      <MatchTable
        all={all}
        within="Of"
        place={(one) => (
          <span className="whitespace-nowrap">
            {one.held_out ? "the gate" : `generation ${one.generation}`}
          </span>
        )}
      />
      {query.hasNextPage && (
        <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more of {total.toLocaleString("en")}
        </Button>
      )}
    </>
  );
}
