// How the server is asked: what failed for the moment is asked again, what was refused is not.
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "~/api/client";
import { say } from "~/ui/dialog";

const passing = (error: unknown): boolean =>
  error instanceof Problem && (error.status === 0 || error.status === 429 || error.status >= 502);

const loggedOut = (error: unknown): void => {
  if (!(error instanceof Problem && error.status === 401)) return;
  const at = new URL(document.baseURI).pathname;
  if (location.pathname === `${at}login`) return;
  const next = location.pathname.slice(at.length - 1) + location.search;
  location.assign(`${at}login?next=${encodeURIComponent(next)}`);
};

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: loggedOut }),
  mutationCache: new MutationCache({
    onError: (error, _variables, _result, mutation) => {
      loggedOut(error);
      // A form shows what is wrong with it beside the field; everything else is said here.
      if (mutation.meta?.["quiet"]) return;
      const remedy = error instanceof Problem && error.remedy ? ` ${error.remedy}` : "";
      say(`${error.message}.${remedy}`, "bad");
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) => passing(error) && failures < 3,
      retryDelay: (failures) => Math.min(4_000, 400 * 2 ** failures),
    },
  },
});
