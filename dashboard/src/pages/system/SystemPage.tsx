import { Head } from "~/ui/kit";

export function SystemPage() {
  return <Head title="System" />;
}
