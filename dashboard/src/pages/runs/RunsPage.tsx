import { Head } from "~/ui/kit";

export function RunsPage() {
  return <Head title="Runs" />;
}
