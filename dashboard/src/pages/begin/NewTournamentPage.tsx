// A tournament is begun: its file, as text.
import { Link, useNavigate } from "@tanstack/react-router";
import { api, type Schemas, told } from "~/api/client";
import { Head, LINK } from "~/ui/kit";
import { Begin, type Kind } from "./Begin";
import { TOURNAMENT } from "./examples";

const send: Kind["send"] = (value, key) =>
  told(
    api.POST("/api/tournaments", {
      params: { header: { "idempotency-key": key } },
      body: value as Schemas["TournamentRequest"],
    }),
  );

const estimate: Kind["estimate"] = (value) =>
  told(api.POST("/api/tournaments/estimate", { body: value as Schemas["TournamentRequest"] }));

const KIND = {
  what: "tournament",
  first: "tournament: TITLE",
  rounds: ["round", "rounds"],
  send,
  estimate,
} as const;

export function NewTournamentPage() {
  const navigate = useNavigate();
  const onBegun = (id: string) => void navigate({ to: "/tournaments", search: { id } });
  return (
    <>
      <Head
        title="New tournament"
        about={
          <>
            Who meets whom, and in what ·{" "}
            <Link to="/tournaments" className={LINK}>
              all tournaments
            </Link>
          </>
        }
      />
      <Begin kind={{ ...KIND, onBegun }} example={TOURNAMENT}>
        <p className="text-muted">
          Who enters is a rule of the world, or a{" "}
          <Link to="/strategies" className={LINK}>
            strategy
          </Link>{" "}
          by name. Scenarios stand under{" "}
          <Link to="/worlds" className={LINK}>
            worlds
          </Link>
          . The same text is a file for <code>windtunnel tournament</code>.
        </p>
      </Begin>
    </>
  );
}
