import { Head } from "~/ui/kit";

export function CurvesView() {
  return <Head title="CurvesView" />;
}
