import { Head } from "~/ui/kit";

export function ProofView() {
  return <Head title="ProofView" />;
}
