// The one way to the server. Types come from its own description (schema.d.ts); what goes wrong is a Problem.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Run = Schemas["Run"];
export type RunDetail = Schemas["RunDetail"];
export type Status = Schemas["Status"];
export type Approval = Schemas["Approval"];
export type Question = Schemas["Question"];
export type Entry = Schemas["Entry"];

/** Where the server stands, without a slash at the end: the page may live under a sub-path. */
export const BASE = new URL(".", document.baseURI).href.replace(/\/$/, "");

const NAME = "windtunnel.as";

/** Under which name a person acts where nobody is asked to log in: two votes need two names. */
export const actingAs = {
  get: (): string => localStorage.getItem(NAME) ?? "",
  set: (name: string): void => (name ? localStorage.setItem(NAME, name) : localStorage.removeItem(NAME)),
};

/** What went wrong, and what to do about it, as the server says it (RFC 9457). */
export class Problem extends Error {
  override name = "Problem";
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly remedy: string | null,
    readonly errors: { field: string; message: string }[] = [],
    readonly requestId: string | null = null,
    /** Which field, argument or line: `inline:3:1` is a line and a column of a text that was sent. */
    readonly where: string | null = null,
  ) {
    super(message);
  }
}

export const UNREACHABLE = "unreachable";

export function problemFrom(body: unknown, status: number): Problem {
  if (typeof body === "object" && body !== null && "detail" in body) {
    const said = body as Partial<Schemas["Problem"]>;
    return new Problem(
      String(said.detail),
      status,
      said.code ?? "unknown",
      said.remedy ?? null,
      said.errors ?? [],
      said.request_id ?? null,
      said.where ?? null,
    );
  }
  return new Problem(`the server answered ${status} and no reason`, status, "unknown", null);
}

const unreachable = () =>
  new Problem(
    "the server does not answer",
    0,
    UNREACHABLE,
    import.meta.env.DEV
      ? "start one with `./dev serve`, or set VITE_API_BASE to the address of a running one"
      : "start it again with `windtunnel serve`; this page goes on by itself",
  );

const named: Middleware = {
  onRequest({ request }) {
    const name = actingAs.get();
    if (name) request.headers.set("X-Windtunnel-As", name);
    return request;
  },
  // What the page itself broke off (it went elsewhere) is no trouble with the server.
  onError: ({ error }) => (error instanceof Error && error.name === "AbortError" ? error : unreachable()),
};

export const api = createClient<paths>({
  baseUrl: BASE,
  credentials: "same-origin",
  fetch: (request) => globalThis.fetch(request),
});
api.use(named);

/** The answer's data, or its Problem thrown. */
export async function told<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T>> {
  const { data, error, response } = await asked;
  if (data !== undefined && data !== null) return data;
  if (response.ok) return undefined as unknown as NonNullable<T>; // 204
  // A proxy of the development server answers 500 and no word for a server that is not there.
  if (error === "" || error === undefined)
    throw response.status >= 500 ? unreachable() : problemFrom(null, response.status);
  throw problemFrom(error, response.status);
}
