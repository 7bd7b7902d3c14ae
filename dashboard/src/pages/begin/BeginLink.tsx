// The way to where a tournament or an evolution is begun, for those who may.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { meQuery } from "~/api/queries";
import { useCommands } from "~/lib/keys";
import { mayStart } from "~/lib/people";
import { ButtonLink } from "~/ui/kit";

const PLACES = {
  tournament: { to: "/tournaments/new", group: "Tournaments" },
  evolution: { to: "/evolution/new", group: "Evolution" },
} as const;

type Kind = keyof typeof PLACES;

export function BeginLink({ kind, look = "plain" }: { kind: Kind; look?: "plain" | "primary" }) {
  const { data: me } = useQuery(meQuery);
  if (!me || !mayStart(me)) return null;
  return (
    <ButtonLink to={PLACES[kind].to} look={look}>
      New {kind}
    </ButtonLink>
  );
}

/** In the head of a list: it can be called by name too. */
export function HeadLink({ kind }: { kind: Kind }) {
  const { to, group } = PLACES[kind];
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  const run = () => void navigate({ to });
  useCommands(me && mayStart(me) ? [{ title: `New ${kind}`, group, run }] : []);
  return <BeginLink kind={kind} look="primary" />;
}
