import { Head } from "~/ui/kit";

export function LoginPage() {
  return <Head title="Login" />;
}
