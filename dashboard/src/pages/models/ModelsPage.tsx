import { Head } from "~/ui/kit";

export function ModelsPage() {
  return <Head title="Models" />;
}
