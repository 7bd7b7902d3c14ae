import { Head } from "~/ui/kit";

export function SchedulesPage() {
  return <Head title="Schedules" />;
}
