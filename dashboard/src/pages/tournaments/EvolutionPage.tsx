import { ButtonLink, Head } from "~/ui/kit";
import { Empty } from "~/ui/states";

export function EvolutionPage() {
  return (
    <>
      <Head title="Evolution" about="Changes to strategies, proposed from what matches have shown" />
      <Empty title="Proposals are decided in the terminal" command="windtunnel proposals">
        <p>
          <code>windtunnel evolve FILE</code> makes a strategy better, and proposes what held on luck that the
          search never saw, with its confidence, risk and the matches that speak for it.
        </p>
        <p className="mt-3">
          <ButtonLink to="/strategies">See the strategies</ButtonLink>
        </p>
      </Empty>
    </>
  );
}
