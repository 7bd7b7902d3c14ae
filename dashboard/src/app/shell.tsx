// The frame around every page: where one can go, who one is, whether the line stands.
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { meQuery, proposedQuery, waitingQuery } from "~/api/queries";
import { useChannel, useLine } from "~/api/stream";
import { calmly } from "~/lib/calm";
import { onKey, useCommands } from "~/lib/keys";
import { Toasts } from "~/ui/dialog";
import { Icon } from "~/ui/icons";
import { Badge, cx } from "~/ui/kit";
import { queryClient } from "./asking";

const Palette = lazy(() => import("./palette").then((room) => ({ default: room.Palette })));
const KeyHelp = lazy(() => import("./palette").then((room) => ({ default: room.KeyHelp })));
const Identity = lazy(() => import("./identity").then((room) => ({ default: room.Identity })));

const PLACES = [
  { to: "/", name: "Runs", key: "g r", sign: "runs" },
  { to: "/new", name: "New run", key: "g n", sign: "add" },
  { to: "/compare", name: "Compare", key: "g c", sign: "compare" },
  { to: "/approvals", name: "Approvals", key: "g a", sign: "hand" },
  { to: "/questions", name: "Questions", key: "g q", sign: "question" },
  { to: "/tournaments", name: "Tournaments", key: "g t", sign: "trophy" },
  { to: "/strategies", name: "Strategies", key: "g s", sign: "layers" },
  { to: "/evolution", name: "Evolution", key: "g e", sign: "branch" },
  { to: "/worlds", name: "Worlds", key: "g w", sign: "globe" },
  { to: "/schedules", name: "Schedules", key: "g h", sign: "clock" },
  { to: "/models", name: "Models", key: "g m", sign: "model" },
  { to: "/system", name: "System", key: "g y", sign: "system" },
] as const;

export function Shell() {
  const [open, setOpen] = useState(false);
  const [over, setOver] = useState<"palette" | "keys" | "identity" | null>(null);
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    const onPalette = (event: KeyboardEvent) => {
      if (!((event.ctrlKey || event.metaKey) && event.key === "k")) return;
      event.preventDefault();
      setOver((now) => (now === "palette" ? null : "palette"));
    };
    document.addEventListener("keydown", onPalette);
    return () => document.removeEventListener("keydown", onPalette);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: going elsewhere closes the menu
  useEffect(() => setOpen(false), [path]);
  useCommands([
    { title: "Find a page or a command", key: ":", group: "Everywhere", run: () => setOver("palette") },
    { title: "Keys", key: "?", group: "Everywhere", run: () => setOver("keys") },
    ...PLACES.map((one) => ({
      title: `Go to ${one.name}`,
      key: one.key,
      group: "Go to",
      run: () => void navigate({ to: one.to }),
    })),
  ]);
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[12rem_minmax(0,1fr)]">
      <button
        type="button"
        onClick={() => document.getElementById("main")?.focus()}
        className="sr-only z-50 rounded bg-surface px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </button>
      <div className="sticky top-0 z-30 flex h-12 items-center gap-2 border-line border-b bg-surface px-3 md:hidden">
        <button
          type="button"
          aria-expanded={open}
          aria-controls="places"
          aria-label="menu"
          onClick={() => setOpen(!open)}
          className="rounded px-2 py-1 text-lg hover:bg-raised"
        >
          <Icon sign="menu" className="size-5" />
        </button>
        <Brand />
        <span className="ml-auto">
          <Line />
        </span>
      </div>
      <nav
        id="places"
        aria-label="Pages"
        className={cx(
          "border-line bg-surface md:sticky md:top-0 md:flex md:h-dvh md:flex-col md:overflow-y-auto md:border-r",
          open
            ? "fixed inset-x-0 top-12 z-20 block max-h-[calc(100dvh-3rem)] overflow-y-auto border-b shadow-lg"
            : "hidden md:flex",
        )}
      >
        <div className="hidden px-4 pt-4 pb-2 md:block">
          <Brand />
        </div>
        <ul className="flex-1 space-y-0.5 p-2">
          {PLACES.map((one) => (
            <li key={one.to}>
              <Link
                to={one.to}
                activeOptions={{ exact: one.to === "/", includeSearch: false }}
                className="flex items-center gap-2 rounded-md px-2 py-1.5 text-muted text-sm hover:bg-raised hover:text-ink"
                activeProps={{ className: "bg-accent-soft font-medium !text-accent" }}
              >
                <Icon sign={one.sign} />
                {one.name}
                {one.to === "/approvals" && <ActionsWaiting />}
                {one.to === "/evolution" && <ProposalsWaiting />}
              </Link>
            </li>
          ))}
        </ul>
        <div className="space-y-1 border-line border-t p-3 text-sm">
          <div className="hidden md:block">
            <Line />
          </div>
          <Me onOpen={() => setOver("identity")} />
          <div className="flex flex-wrap gap-x-3 text-xs">
            <button type="button" className="text-muted hover:text-ink" onClick={() => setOver("palette")}>
              Find <span aria-hidden>⌃K</span>
            </button>
            <button type="button" className="text-muted hover:text-ink" onClick={() => setOver("keys")}>
              Keys <span aria-hidden>?</span>
            </button>
            <a className="text-muted hover:text-ink" href="docs">
              API
            </a>
          </div>
        </div>
      </nav>
      <main id="main" tabIndex={-1} className="min-w-0 p-3 outline-none sm:p-5">
        <Outlet />
      </main>
      <Toasts />
      <Suspense>
        {over === "palette" && <Palette onClose={() => setOver(null)} />}
        {over === "keys" && <KeyHelp onClose={() => setOver(null)} />}
        {over === "identity" && <Identity onClose={() => setOver(null)} />}
      </Suspense>
    </div>
  );
}

const Brand = () => (
  <Link to="/" className="flex items-center gap-2 font-semibold">
    <img src="favicon.svg" alt="" className="size-5" />
    Windtunnel
  </Link>
);

// For every page that shows what waits, however busy the runs are.
const askAgain = (key: string) => calmly(() => void queryClient.invalidateQueries({ queryKey: [key] }), 500);
const askActions = askAgain("approvals");
const askProposals = askAgain("proposals");

function ActionsWaiting() {
  const { data } = useQuery(waitingQuery);
  useChannel("approvals", askActions);
  return <WaitingCount total={data?.total} />;
}

function ProposalsWaiting() {
  const { data } = useQuery(proposedQuery);
  useChannel("proposals", askProposals);
  return <WaitingCount total={data?.total} />;
}

function WaitingCount({ total }: { total: number | undefined }) {
  if (!total) return null;
  return (
    <span className="ml-auto">
      <Badge tone="warn">
        {total}
        <span className="sr-only"> waiting</span>
      </Badge>
    </span>
  );
}

const LINES = {
  idle: ["text-muted", "○", "not following"],
  connecting: ["text-muted", "◌", "connecting"],
  live: ["text-good", "●", "live"],
  broken: ["text-warn", "◌", "reconnecting"],
  denied: ["text-bad", "○", "not allowed to follow"],
} as const;

function Line() {
  const [tone, sign, name] = LINES[useLine()];
  return (
    <span role="status" className={cx("text-xs", tone)}>
      <span aria-hidden>{sign}</span> {name}
    </span>
  );
}

function Me({ onOpen }: { onOpen: () => void }) {
  const { data } = useQuery(meQuery);
  if (!data) return null;
  return (
    <button
      type="button"
      onClick={onOpen}
      title={`roles: ${data.roles.join(", ")}`}
      className="block max-w-full truncate text-muted text-xs hover:text-ink"
    >
      you are <strong className="font-medium text-ink">{data.name}</strong>
    </button>
  );
}
