import { ButtonLink, Head } from "~/ui/kit";
import { Empty } from "~/ui/states";

export function TournamentsPage() {
  return (
    <>
      <Head title="Tournaments" about="Which agent is better, by how much, and how sure one can be" />
      <Empty title="There are no tournaments yet">
        <p>
          Standings with their intervals, crosstables and rating curves will stand here, each match a link to
          its run. Until then, let two agents play the same luck by hand: fork a run with another agent, and
          look at both side by side.
        </p>
        <p className="mt-3 flex flex-wrap justify-center gap-2">
          <ButtonLink to="/">Choose a run to fork</ButtonLink>
          <ButtonLink to="/compare">Compare runs</ButtonLink>
        </p>
      </Empty>
    </>
  );
}
