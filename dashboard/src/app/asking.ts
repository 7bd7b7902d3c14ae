// How the server is asked: what failed for the moment is asked again, what was refused is not.
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { BASE, Problem } from "~/api/client";
import { say } from "~/ui/dialog";

const passing = (error: unknown): boolean =>
  error instanceof Problem && (error.status === 0 || error.status === 429 || error.status >= 502);

// While a login is under way, what was asked before it may still be refused.
let entering = 0;

/** Do what ends with this page logged in. Whoever is refused meanwhile asks again then, and leaves nothing. */
export async function whileEntering<T>(work: () => Promise<T>): Promise<T> {
  entering += 1;
  try {
    return await work();
  } finally {
    entering -= 1;
    void queryClient.invalidateQueries();
  }
}

const loggedOut = (error: unknown): void => {
  if (error instanceof Problem && error.status === 401 && entering === 0) void leave();
};

async function leave(): Promise<void> {
  const at = new URL(document.baseURI).pathname;
  if (location.pathname === `${at}login`) return;
  // A refusal that was long on its way may be older than the login.
  const known = await fetch(`${BASE}/api/me`, { credentials: "same-origin" }).catch(() => null);
  if (known?.ok)
    return void queryClient.invalidateQueries({ predicate: (query) => query.state.error !== null });
  const next = location.pathname.slice(at.length - 1) + location.search;
  location.assign(`${at}login?next=${encodeURIComponent(next)}`);
}

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
