import { Outlet } from "@tanstack/react-router";
import { Head } from "~/ui/kit";

export function RunPage() {
  return (
    <>
      <Head title="Run" />
      <Outlet />
    </>
  );
}
