// The ways in and out. They are for people before they are known, so the API's description has none of them.
import { actingAs, BASE, problemFrom } from "./client";

export interface Ways {
  items: { name: string; login: string }[];
  /** Whether there is a key that could be given. */
  key: boolean;
}

async function auth<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(`${BASE}/auth/${path}`, { credentials: "same-origin", ...init });
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw problemFrom(body, answer.status);
  return body as T;
}

export const waysIn = (signal?: AbortSignal): Promise<Ways> => auth("providers", signal ? { signal } : {});

/** Hand in a key once; from then on a cookie that no script can read says who this is. */
export async function enter(key: string): Promise<void> {
  await auth("key", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key }),
  });
  actingAs.set(""); // whoever logs in has a name
}
