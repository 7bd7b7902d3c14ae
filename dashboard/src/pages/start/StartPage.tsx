import { Head } from "~/ui/kit";

export function StartPage() {
  return <Head title="Start" />;
}
