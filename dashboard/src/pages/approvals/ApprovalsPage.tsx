import { Head } from "~/ui/kit";

export function ApprovalsPage() {
  return <Head title="Approvals" />;
}
