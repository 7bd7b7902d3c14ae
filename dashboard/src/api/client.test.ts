import { afterEach, expect, test, vi } from "vitest";
import { actingAs, api, Problem, told } from "./client";

afterEach(() => {
  vi.unstubAllGlobals();
  localStorage.clear();
});

const answers = (status: number, body: unknown, type = "application/problem+json") =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(JSON.stringify(body), { status, headers: { "content-type": type } })),
  );

test("what is refused comes with its remedy and its fields", async () => {
  answers(422, {
    title: "It does not fit",
    status: 422,
    detail: "the request does not fit",
    code: "unfit",
    remedy: "correct it",
    errors: [{ field: "body.seed", message: "an integer" }],
  });
  const refused = told(api.GET("/api/me"));
  await expect(refused).rejects.toBeInstanceOf(Problem);
  await expect(refused).rejects.toMatchObject({
    message: "the request does not fit",
    remedy: "correct it",
    errors: [{ field: "body.seed", message: "an integer" }],
  });
});

test("a server that is not there is said to be not there", async () => {
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => {
      throw new TypeError("fetch failed");
    }),
  );
  await expect(told(api.GET("/api/me"))).rejects.toMatchObject({ status: 0, code: "unreachable" });
});

test("who acts under a name says so with every request", async () => {
  answers(200, { name: "kim", roles: [], via: "open" }, "application/json");
  actingAs.set("kim");
  await told(api.GET("/api/me"));
  const [request] = vi.mocked(fetch).mock.calls[0] as [Request];
  expect(request.headers.get("X-Windtunnel-As")).toBe("kim");
});
