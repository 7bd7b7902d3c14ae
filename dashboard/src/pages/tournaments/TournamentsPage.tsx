import { Head } from "~/ui/kit";

export function TournamentsPage() {
  return <Head title="Tournaments" />;
}
