import { Head } from "~/ui/kit";

export function StrategiesPage() {
  return <Head title="Strategies" />;
}
