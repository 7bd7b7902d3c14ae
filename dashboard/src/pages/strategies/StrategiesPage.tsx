// How agents play: all strategies by name, or one with its versions.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { Schemas } from "~/api/client";
import { Badge, Button, Head, LINK, Time } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { Table } from "~/ui/table";
import { strategiesQuery } from "./asked";
import { StrategyView } from "./StrategyView";

export function StrategiesPage() {
  const { name, version, from } = useSearch({ from: "/strategies" });
  return name ? <StrategyView key={name} name={name} version={version} from={from} /> : <AllStrategies />;
}

function AllStrategies() {
  const query = useInfiniteQuery(strategiesQuery);
  const all = query.data?.pages.flatMap((page) => page.strategies);
  return (
    <>
      <Head title="Strategies" about="How agents play: their versions, and where each came from" />
      {query.error && <Trouble error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading what="the strategies" rows={5} />}
      {all?.length === 0 && (
        <Empty title="No strategies are kept yet" command="windtunnel strategies add PATH">
          A strategy is a way to play a role: a file or a folder, kept as versions that never change. The
          rules that each world brings need no keeping.
        </Empty>
      )}
      {all && all.length > 0 && <List all={all} />}
      {query.hasNextPage && (
        <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  );
}

function List({ all }: { all: Schemas["StrategyInfo"][] }) {
  return (
    <Table
      label="strategies"
      columns={["Strategy", "In force", "For", "Kind", "Versions", "Tags", "Since"]}
      right={[4]}
      rows={all.map((one) => ({
        key: one.name,
        cells: [
          <span key="name">
            <Link to="/strategies" search={{ name: one.name }} className={LINK}>
              {one.name}
            </Link>
            {one.description && <span className="block max-w-md text-muted text-xs">{one.description}</span>}
          </span>,
          <span key="number" className="figures">
            {one.number}
          </span>,
          `${one.world}/${one.role}`,
          one.kind,
          one.versions.toLocaleString("en"),
          <Tags key="tags" tags={one.tags} />,
          <Time key="since" at={one.at} />,
        ],
      }))}
    />
  );
}

function Tags({ tags }: { tags: Record<string, string> }) {
  return (
    <span className="flex flex-wrap gap-1">
      {Object.entries(tags).map(([tag, number]) => (
        <Badge key={tag} tone="accent">
          {tag} {number}
        </Badge>
      ))}
    </span>
  );
}
