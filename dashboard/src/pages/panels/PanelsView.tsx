import { Head } from "~/ui/kit";

export function PanelsView() {
  return <Head title="PanelsView" />;
}
