// Curves that the world names. Their points come from the run's metrics, asked for by name and shared by all panels.
import { type UseQueryResult, useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Schemas } from "~/api/client";
import { Curves, type Series } from "~/charts/Curves";
import { spoken } from "~/lib/format";
import { Loading, Trouble } from "~/ui/states";
import { curvesQuery, useAgain } from "../asked";
import { lineOfName, useNames } from "../colours";
import type { PartOf } from "../PanelFrame";
import { labels, series } from "../points";
import { more } from "../said";
import { useShowing } from "../showing";
import { More, None } from "./parts";

const HEIGHT = 220;

const together = (all: UseQueryResult<Schemas["Curves"]>[]) => ({
  curves: all.flatMap((one) => one.data?.curves ?? []),
  waits: all.some((one) => one.data === undefined),
  failed: all.find((one) => one.error && !one.data)?.error ?? null,
  isFetching: all.some((one) => one.isFetching),
  refetch: () => {
    for (const one of all) void one.refetch();
  },
});

export function CurvesPanel({ panel, data }: PartOf<"curves">) {
  const { runId, turn, setSearch } = useShowing();
  const names = useNames();
  const wanted = [...new Set(data.series.map((one) => one.name))];
  const asked = useQueries({
    queries: wanted.map((name) => curvesQuery(runId, name)),
    combine: together,
  });
  useAgain(asked, turn);
  const drawn = useMemo<Series[]>(() => {
    const called = labels(data.series);
    return series(data.series, asked.curves, panel.scale).map((one, at) => ({
      ...one,
      label: spoken(called.by[at] ?? one.id),
      ...(called.each && { colour: lineOfName(names, data.series[at]?.agent ?? "") }),
    }));
  }, [data.series, panel.scale, names, asked.curves]);
  if (data.series.length === 0) return <None>Curves begin with the first turn.</None>;
  if (asked.failed) return <Trouble error={asked.failed} retry={asked.refetch} />;
  if (asked.waits) return <Loading rows={10} />;
  return (
    <>
      <Curves
        series={drawn}
        turn={turn}
        onTurn={(next) => setSearch({ turn: next })}
        height={HEIGHT}
        label={panel.title}
        {...(panel.unit && { unit: panel.unit })}
      />
      {data.more > 0 && <More>{more(data.more, "curves")}</More>}
    </>
  );
}
