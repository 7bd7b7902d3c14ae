import { Head } from "~/ui/kit";

export function WorldsPage() {
  return <Head title="Worlds" />;
}
