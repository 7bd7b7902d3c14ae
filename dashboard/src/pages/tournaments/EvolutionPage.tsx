import { ButtonLink, Head } from "~/ui/kit";
import { Empty } from "~/ui/states";

export function EvolutionPage() {
  return (
    <>
      <Head title="Evolution" about="Changes to strategies, proposed from what matches have shown" />
      <Empty title="Nothing is proposed yet">
        <p>
          Proposals will wait here for a person, each with its kind, confidence, risk and the matches that
          speak for it. What agents want to do today, and may not do alone, waits among the approvals.
        </p>
        <p className="mt-3">
          <ButtonLink to="/approvals">See the approvals</ButtonLink>
        </p>
      </Empty>
    </>
  );
}
