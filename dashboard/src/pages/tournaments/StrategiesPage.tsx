import { ButtonLink, Head } from "~/ui/kit";
import { Empty } from "~/ui/states";

export function StrategiesPage() {
  return (
    <>
      <Head title="Strategies" about="How agents play: their versions, and where each came from" />
      <Empty title="No strategies are kept yet">
        <p>
          Versions, their family tree, what changed between two of them and how each has fared will stand
          here. Until then, each world tells the policies that its roles can play by.
        </p>
        <p className="mt-3">
          <ButtonLink to="/worlds">See the worlds' policies</ButtonLink>
        </p>
      </Empty>
    </>
  );
}
