// Every page is a deep link; each is loaded when it is first opened.
import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { Problem } from "~/api/client";
import { Head, LINK } from "~/ui/kit";
import { Empty, Loading, Trouble } from "~/ui/states";
import { Shell } from "./shell";

const root = createRootRoute({ component: Shell, notFoundComponent: Nowhere });

type Search = Record<string, unknown>;
const text = (search: Search, name: string): string | undefined => {
  const value = search[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
};
const number = (search: Search, name: string): number | undefined => {
  const value = Number(search[name]);
  return search[name] !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
};
/** Only those that were given: an address says no more than it must. */
const given = <T extends Record<string, unknown>>(all: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as never;

const runs = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search: Search) =>
    given({
      world: text(search, "world"),
      scenario: text(search, "scenario"),
      status: text(search, "status"),
      tag: text(search, "tag"),
      text: text(search, "text"),
      parent: text(search, "parent"),
      since: text(search, "since"),
      group: text(search, "group"),
      order: text(search, "order"),
    }),
  component: lazyRouteComponent(() => import("~/pages/runs/RunsPage"), "RunsPage"),
});

const start = createRoute({
  getParentRoute: () => root,
  path: "/new",
  validateSearch: (search: Search) =>
    given({ world: text(search, "world"), scenario: text(search, "scenario") }),
  component: lazyRouteComponent(() => import("~/pages/start/StartPage"), "StartPage"),
});

const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$runId",
  // The turn and the agent one looks at stay the same from tab to tab.
  validateSearch: (search: Search) => given({ turn: number(search, "turn"), agent: text(search, "agent") }),
  component: lazyRouteComponent(() => import("~/pages/run/RunPage"), "RunPage"),
});
const runCurves = createRoute({
  getParentRoute: () => run,
  path: "/",
  validateSearch: (search: Search) => given({ metric: text(search, "metric") }),
  component: lazyRouteComponent(() => import("~/pages/run/CurvesView"), "CurvesView"),
});
const runTurn = createRoute({
  getParentRoute: () => run,
  path: "/turn",
  component: lazyRouteComponent(() => import("~/pages/run/TurnView"), "TurnView"),
});
const runJournal = createRoute({
  getParentRoute: () => run,
  path: "/journal",
  validateSearch: (search: Search) =>
    given({
      text: text(search, "text"),
      kind: text(search, "kind"),
      phase: text(search, "phase"),
      chain: text(search, "chain"),
    }),
  component: lazyRouteComponent(() => import("~/pages/run/JournalView"), "JournalView"),
});
const runProof = createRoute({
  getParentRoute: () => run,
  path: "/proof",
  component: lazyRouteComponent(() => import("~/pages/run/ProofView"), "ProofView"),
});
const runWorld = createRoute({
  getParentRoute: () => run,
  path: "/world",
  component: lazyRouteComponent(() => import("~/pages/panels/PanelsView"), "PanelsView"),
});
const runAnswer = createRoute({
  getParentRoute: () => run,
  path: "/answer",
  component: lazyRouteComponent(() => import("~/pages/questions/AnswerView"), "AnswerView"),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/compare",
  validateSearch: (search: Search) =>
    given({ runs: text(search, "runs"), turn: number(search, "turn"), metric: text(search, "metric") }),
  component: lazyRouteComponent(() => import("~/pages/compare/ComparePage"), "ComparePage"),
});

const approvals = createRoute({
  getParentRoute: () => root,
  path: "/approvals",
  validateSearch: (search: Search) => given({ status: text(search, "status"), id: text(search, "id") }),
  component: lazyRouteComponent(() => import("~/pages/approvals/ApprovalsPage"), "ApprovalsPage"),
});
const questions = createRoute({
  getParentRoute: () => root,
  path: "/questions",
  component: lazyRouteComponent(() => import("~/pages/questions/QuestionsPage"), "QuestionsPage"),
});

const tournaments = createRoute({
  getParentRoute: () => root,
  path: "/tournaments",
  validateSearch: (search: Search) => given({ id: text(search, "id") }),
  component: lazyRouteComponent(() => import("~/pages/tournaments/TournamentsPage"), "TournamentsPage"),
});
const newTournament = createRoute({
  getParentRoute: () => root,
  path: "/tournaments/new",
  component: lazyRouteComponent(() => import("~/pages/begin/NewTournamentPage"), "NewTournamentPage"),
});
const strategies = createRoute({
  getParentRoute: () => root,
  path: "/strategies",
  validateSearch: (search: Search) =>
    given({ name: text(search, "name"), version: text(search, "version"), from: text(search, "from") }),
  component: lazyRouteComponent(() => import("~/pages/strategies/StrategiesPage"), "StrategiesPage"),
});
const evolution = createRoute({
  getParentRoute: () => root,
  path: "/evolution",
  validateSearch: (search: Search) =>
    given({
      id: text(search, "id"),
      proposal: number(search, "proposal"),
      generation: number(search, "generation"),
    }),
  component: lazyRouteComponent(() => import("~/pages/evolution/EvolutionPage"), "EvolutionPage"),
});
const newEvolution = createRoute({
  getParentRoute: () => root,
  path: "/evolution/new",
  component: lazyRouteComponent(() => import("~/pages/begin/NewEvolutionPage"), "NewEvolutionPage"),
});

const worlds = createRoute({
  getParentRoute: () => root,
  path: "/worlds",
  validateSearch: (search: Search) => given({ world: text(search, "world") }),
  component: lazyRouteComponent(() => import("~/pages/worlds/WorldsPage"), "WorldsPage"),
});
const schedules = createRoute({
  getParentRoute: () => root,
  path: "/schedules",
  component: lazyRouteComponent(() => import("~/pages/schedules/SchedulesPage"), "SchedulesPage"),
});
const models = createRoute({
  getParentRoute: () => root,
  path: "/models",
  component: lazyRouteComponent(() => import("~/pages/models/ModelsPage"), "ModelsPage"),
});
const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  component: lazyRouteComponent(() => import("~/pages/system/SystemPage"), "SystemPage"),
});
const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search: Search) => given({ next: text(search, "next") }),
  component: lazyRouteComponent(() => import("~/pages/login/LoginPage"), "LoginPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    runs,
    start,
    run.addChildren([runCurves, runTurn, runJournal, runProof, runWorld, runAnswer]),
    compare,
    approvals,
    questions,
    tournaments,
    newTournament,
    strategies,
    evolution,
    newEvolution,
    worlds,
    schedules,
    models,
    system,
    login,
  ]),
  basepath: new URL(document.baseURI).pathname,
  defaultPreload: "intent",
  defaultPendingComponent: () => <Loading />,
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function Nowhere() {
  return (
    <>
      <Head title="No such page" />
      <Empty title="There is nothing at this address">
        <Link to="/" className={LINK}>
          All runs
        </Link>{" "}
        are a good place to go on from.
      </Empty>
    </>
  );
}

/** A page that fell over leaves the rest standing; one that is gone since an update is fetched anew. */
function Broken({ error, reset }: ErrorComponentProps) {
  const why = error instanceof Error ? error.message : String(error);
  const stale = /dynamically imported module|Importing a module/i.test(why);
  const shown = stale
    ? new Problem("the server has a newer page", 0, "stale", "load this page again")
    : error;
  return <Trouble error={shown} retry={stale ? () => location.reload() : reset} />;
}
