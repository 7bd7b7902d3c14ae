import { Head } from "~/ui/kit";

export function TurnView() {
  return <Head title="TurnView" />;
}
