import { Head } from "~/ui/kit";

export function AnswerView() {
  return <Head title="AnswerView" />;
}
