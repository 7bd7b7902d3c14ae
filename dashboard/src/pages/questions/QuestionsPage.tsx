import { Head } from "~/ui/kit";

export function QuestionsPage() {
  return <Head title="Questions" />;
}
