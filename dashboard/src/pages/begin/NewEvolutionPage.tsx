// An evolution is begun: its file, as text, with a strategy that is there to start from.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, type Schemas, told } from "~/api/client";
import { Copy, Head, LINK } from "~/ui/kit";
import { Asked, Loading } from "~/ui/states";
import { Begin, type Kind } from "./Begin";
import { evolutionOf, GROUND } from "./examples";

const startsQuery = queryOptions({
  queryKey: ["strategies", "to start from"],
  queryFn: async ({ signal }) => {
    const { strategies } = await told(
      api.GET("/api/strategies", { params: { query: { ...GROUND, limit: 100 } }, signal }),
    );
    return strategies.filter((one) => one.changeable).map((one) => one.name);
  },
});

const send: Kind["send"] = (value, key) =>
  told(
    api.POST("/api/evolution", {
      params: { header: { "idempotency-key": key } },
      body: value as Schemas["EvolutionRequest"],
    }),
  );

const estimate: Kind["estimate"] = (value) =>
  told(api.POST("/api/evolution/estimate", { body: value as Schemas["EvolutionRequest"] }));

const KIND = {
  what: "evolution",
  first: "evolution: TITLE",
  rounds: ["generation", "generations"],
  send,
  estimate,
} as const;

export function NewEvolutionPage() {
  const starts = useQuery(startsQuery);
  const navigate = useNavigate();
  const onBegun = (id: string) => void navigate({ to: "/evolution", search: { id } });
  return (
    <>
      <Head
        title="New evolution"
        about={
          <>
            What is to become better, and on what it is tried ·{" "}
            <Link to="/evolution" className={LINK}>
              all of evolution
            </Link>
          </>
        }
      />
      <Asked query={starts} loading={<Loading what="the strategies to start from" rows={8} />}>
        {(known) => (
          <Begin kind={{ ...KIND, onBegun }} example={evolutionOf(known)}>
            <About none={known.length === 0} />
          </Begin>
        )}
      </Asked>
    </>
  );
}

function About({ none }: { none: boolean }) {
  return (
    <>
      <p className="text-muted">
        It starts from a{" "}
        <Link to="/strategies" className={LINK}>
          strategy
        </Link>{" "}
        whose parameters have bounds, or that has instructions. What it finds is proposed, and put in force by
        people alone. The same text is a file for <code>windtunnel evolve</code>.
      </p>
      {none && (
        <div>
          <p>No strategy is kept for this example yet: add one first.</p>
          <Copy text="windtunnel strategies add PATH" label="copy the command" />
        </div>
      )}
    </>
  );
}
