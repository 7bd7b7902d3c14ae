import { Head } from "~/ui/kit";

export function ComparePage() {
  return <Head title="Compare" />;
}
