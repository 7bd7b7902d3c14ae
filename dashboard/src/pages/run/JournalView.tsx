import { Head } from "~/ui/kit";

export function JournalView() {
  return <Head title="JournalView" />;
}
