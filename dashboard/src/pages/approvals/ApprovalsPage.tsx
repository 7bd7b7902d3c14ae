// What agents may not do without a person. What waits longest stands first, and stays where it is once decided.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Approval } from "~/api/client";
import { useCommands } from "~/lib/keys";
import { ButtonLink, cx, Head, Key } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";
import { ApprovalCard, type Chosen } from "./ApprovalCard";
import { approvalQuery, approvalsQuery, STANDINGS, type Standing } from "./asked";
import { kept } from "./standing";

const Identity = lazy(() => import("~/app/identity").then((room) => ({ default: room.Identity })));

export function ApprovalsPage() {
  const search = useSearch({ from: "/approvals" });
  const status = STANDINGS.find((one) => one === search.status) ?? "waiting";
  const query = useQuery(approvalsQuery(status));
  return (
    <>
      <Head title="Approvals" about="What agents may not do without a person's word" />
      <Tabs status={status} />
      <Asked query={query} loading={<Loading what="what waits" rows={5} />}>
        {({ approvals, total }) => (
          <>
            <Queue key={status} status={status} fresh={approvals} sought={search.id} />
            {total > approvals.length && (
              <p className="mt-3 text-muted text-sm">
                {approvals.length} of {total} are shown
                {status === "waiting" ? "; the others come as these are decided" : ", the newest"}.
              </p>
            )}
          </>
        )}
      </Asked>
    </>
  );
}

function Tabs({ status }: { status: Standing }) {
  return (
    <nav aria-label="by status" className="mb-4 flex gap-1 overflow-x-auto border-line border-b text-sm">
      {STANDINGS.map((one) => (
        <Link
          key={one}
          to="/approvals"
          search={one === "waiting" ? {} : { status: one }}
          aria-current={one === status ? "page" : undefined}
          className={cx(
            "-mb-px border-b-2 px-3 py-1.5 whitespace-nowrap",
            one === status
              ? "border-accent font-medium text-ink"
              : "border-transparent text-muted hover:text-ink",
          )}
        >
          {one[0]?.toUpperCase() + one.slice(1)}
        </Link>
      ))}
    </nav>
  );
}

function Queue({
  status,
  fresh,
  sought,
}: {
  status: Standing;
  fresh: Approval[];
  sought: string | undefined;
}) {
  const [asking, setAsking] = useState(false);
  const shown = useKept(fresh, sought);
  const navigate = useNavigate();
  const choose = (id: string | undefined) => {
    if (id === undefined || id === sought) return;
    const search = status === "waiting" ? { id } : { status, id };
    void navigate({ to: "/approvals", search, replace: true, resetScroll: false });
  };
  const step = (by: number) => {
    const at = shown.indexOf(sought ?? "");
    choose(shown[at < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, at + by))]);
  };
  useCommands([
    { title: "Next action", key: "j", group: "Approvals", run: () => step(1) },
    { title: "Action before", key: "k", group: "Approvals", run: () => step(-1) },
  ]);
  if (shown.length === 0) return <Nothing status={status} />;
  const here = new Map(fresh.map((one) => [one.id, one]));
  return (
    <>
      <p className="mb-2 hidden text-muted text-xs sm:block">
        <Key>j</Key> <Key>k</Key> choose, <Key>a</Key> approves and <Key>d</Key> denies what is chosen
      </p>
      <div className="max-w-4xl space-y-3">
        {shown.map((id) => (
          <Kept
            key={id}
            id={id}
            listed={here.get(id)}
            chosen={id === sought}
            onChoose={() => choose(id)}
            onIdentity={() => setAsking(true)}
          />
        ))}
      </div>
      <Suspense>{asking && <Identity onClose={() => setAsking(false)} />}</Suspense>
    </>
  );
}

/** The ids in the order in which they came; what an address names is there from the beginning. */
function useKept(fresh: Approval[], sought: string | undefined): string[] {
  const [ids, setIds] = useState<string[]>([]);
  const next = kept(ids, [...fresh.map((one) => one.id), ...(sought ? [sought] : [])]);
  const changed = next.length !== ids.length;
  useEffect(() => {
    if (changed) setIds(next);
  });
  return next;
}

/** An action of the list; or, once it left the list, how it stands now, in its old place. */
function Kept({
  id,
  listed,
  ...rest
}: { id: string; listed: Approval | undefined; onIdentity: () => void } & Chosen) {
  const query = useQuery({ ...approvalQuery(id), enabled: listed === undefined });
  const one = listed ?? query.data;
  return one ? <ApprovalCard one={one} {...rest} /> : <Asked query={query}>{() => null}</Asked>;
}

function Nothing({ status }: { status: Standing }) {
  if (status !== "waiting") return <Empty title={`Nothing was ${status} yet`}>It will stand here.</Empty>;
  return (
    <Empty
      title="Nothing waits for anybody"
      command="windtunnel run economy/growth --set approvals=conservative"
    >
      <p>
        A scenario says in its policy (`approvals`) what an agent may do by itself, what waits for one person
        and what for two. With “conservative”, whatever is done waits for somebody.
      </p>
      <p className="mt-3">
        <ButtonLink to="/new">Start a run</ButtonLink>
      </p>
    </Empty>
  );
}
