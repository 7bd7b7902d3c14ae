import { Head } from "~/ui/kit";

export function EvolutionPage() {
  return <Head title="Evolution" />;
}
