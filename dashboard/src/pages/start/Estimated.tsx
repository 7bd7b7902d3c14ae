// What it would cost, and how long it would take, before anything is paid: the server rehearses it.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { api, type Schemas, told } from "~/api/client";
import { dollars, figure, span } from "~/lib/format";
import { Trouble } from "~/ui/states";

const REST = 800; // ms without a change before it is rehearsed

export function Estimated({ request, ready }: { request: Schemas["StartRequest"]; ready: boolean }) {
  const [rested, setRested] = useState<Schemas["StartRequest"] | null>(null);
  useEffect(() => {
    if (!ready) return;
    const timer = setTimeout(() => setRested(request), REST);
    return () => clearTimeout(timer);
  }, [request, ready]);
  // Tags, budget and limits change nothing about it: they must not have it rehearsed again.
  const body = rested && { ...rested, tags: [], budget: null, limits: null };
  const estimate = useQuery({
    queryKey: ["estimate", body],
    queryFn: ({ signal }) =>
      told(api.POST("/api/estimate", { body: body as Schemas["StartRequest"], signal })),
    enabled: body !== null,
    staleTime: 300_000,
    placeholderData: keepPreviousData,
  });
  const stale = rested !== request || estimate.isFetching;
  return (
    <div aria-busy={stale} className="mb-2 min-h-24 text-sm">
      {estimate.error && ready && !stale ? (
        <Trouble error={estimate.error} />
      ) : estimate.data ? (
        <div className={stale ? "opacity-60" : ""} aria-busy={stale}>
          <Told estimate={estimate.data} budget={request.budget ?? null} />
        </div>
      ) : (
        <p className="text-muted">{ready ? "is being rehearsed…" : "is rehearsed once it fits"}</p>
      )}
    </div>
  );
}

const Told = ({ estimate, budget }: { estimate: Schemas["Estimate"]; budget: number | null }) => (
  <Costs {...estimate} budget={budget}>
    <p>
      {estimate.rehearsed} of {estimate.turns.toLocaleString("en")} turns rehearsed; nothing was asked or
      paid.
    </p>
  </Costs>
);

interface Costing {
  models: readonly Schemas["Priced"][];
  seconds: number;
  budget: number | null;
  /** How many play at the same time, where it is more than one. */
  processes?: number;
  /** What is said before it. */
  first?: ReactNode;
  children: ReactNode;
}

/** Of anything that asks models: what that costs, and how long all of it takes. */
export function Costs({ models, seconds, budget, processes = 1, first, children }: Costing) {
  const sum = (name: "seen" | "most"): number | null =>
    models.some((one) => one[name] === null) ? null : models.reduce((all, one) => all + (one[name] ?? 0), 0);
  const [seen, most] = [sum("seen"), sum("most")];
  const calls = models.reduce((all, one) => all + one.calls, 0);
  return (
    <dl className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-3 gap-y-1">
      {first}
      <dt className="text-muted">cost</dt>
      <dd className="figures">
        {models.length === 0
          ? "nothing: no model is asked"
          : seen === null || most === null
            ? "not known: a model has no price here"
            : most === 0
              ? "nothing: its models are free"
              : `${dollars(seen)} as rehearsed, ${dollars(most)} at most`}
        {budget !== null && most !== null && most > budget && (
          <span className="block text-warn text-xs">
            it may reach the budget of {dollars(budget)}, and pause there
          </span>
        )}
      </dd>
      <dt className="text-muted">time</dt>
      <dd className="figures">
        {seconds < 1 ? "under a second" : `about ${span(seconds)}`}
        {processes > 1 && ` on ${processes} processes`}
        {calls > 0 && `, and what ${figure(calls)} answers of models take`}
      </dd>
      {models.map((one) => (
        <Model key={one.model} model={one} />
      ))}
      <dd className="col-span-2 text-muted text-xs">{children}</dd>
    </dl>
  );
}

const Model = ({ model }: { model: Schemas["Priced"] }) => (
  <>
    <dt className="truncate text-muted" title={model.model}>
      {model.model}
    </dt>
    <dd className="figures">
      {figure(model.calls)} calls, {figure(model.input)} tokens in, {figure(model.output)} out
    </dd>
  </>
);
