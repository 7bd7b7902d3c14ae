// What can be proven of a run, and what can be taken along.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, BASE, type RunDetail, told } from "~/api/client";
import { bytes } from "~/lib/format";
import { Badge, Button, Card, Copy, LINK } from "~/ui/kit";
import { Asked, Empty, Trouble } from "~/ui/states";
import { useRun } from "./live";
import { completeness, useVerdict } from "./Verdict";

export function ProofView() {
  const { run } = useRun();
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Verify run={run} />
      <Replay run={run} />
      <Head run={run} />
      <Export run={run} />
      <Checkpoints run={run} />
      <Commands run={run} />
    </div>
  );
}

function Verify({ run }: { run: RunDetail }) {
  const { verified, checking } = useVerdict(run.run_id, run.head);
  return (
    <Card
      title="Was anything changed or cut off?"
      aside={
        <Button busy={checking.isPending} onClick={() => checking.mutate()}>
          {checking.isPending ? "Checking…" : "Verify"}
        </Button>
      }
    >
      <div className="min-h-16 space-y-2 text-sm" role="status">
        {verified === null ? (
          <p className="text-muted">
            Both chains of the journal are read again, link by link, and held against its head.
          </p>
        ) : (
          <>
            <p>
              <Badge tone={verified.intact ? "good" : "bad"}>
                {verified.intact ? "✓ intact" : "✕ changed"}
              </Badge>{" "}
              <Badge tone={verified.complete ? "good" : verified.complete === false ? "bad" : "plain"}>
                {completeness(verified.complete)}
              </Badge>
            </p>
            <p className="figures text-muted">
              {verified.entries.toLocaleString("en")} entries were read
              {verified.of !== run.head && "; it has grown since"}
            </p>
            {verified.first_problem && <p className="text-bad">{verified.first_problem}</p>}
          </>
        )}
      </div>
    </Card>
  );
}

function Replay({ run }: { run: RunDetail }) {
  const replay = useMutation({
    mutationFn: () =>
      told(api.POST("/api/simulations/{run_id}/replay", { params: { path: { run_id: run.run_id } } })),
    meta: { quiet: true },
  });
  return (
    <Card
      title="Does it come out the same again?"
      aside={
        <Button busy={replay.isPending} onClick={() => replay.mutate()}>
          {replay.isPending ? "Playing again…" : "Replay"}
        </Button>
      }
    >
      <div className="min-h-16 space-y-2 text-sm" role="status">
        {replay.error && <Trouble error={replay.error} />}
        {!replay.data && !replay.error && (
          <p className="text-muted">
            {run.turn.toLocaleString("en")} turns are played again from recorded answers; no model is asked.
          </p>
        )}
        {replay.data && (
          <>
            <p>
              <Badge tone={replay.data.identical ? "good" : "bad"}>
                {replay.data.identical ? "✓ identical" : "✕ different"}
              </Badge>
            </p>
            <p className="figures text-muted">
              {replay.data.turns.toLocaleString("en")} turns were played again
            </p>
            {replay.data.first_difference && <p className="text-bad">{replay.data.first_difference}</p>}
          </>
        )}
      </div>
    </Card>
  );
}

function Head({ run }: { run: RunDetail }) {
  return (
    <Card title="Its head and its kin">
      <dl className="space-y-2 text-sm">
        <dt className="text-muted text-xs">the hash of its last entry: equal heads, equal histories</dt>
        <dd className="min-w-0">
          <Copy text={run.head} label="copy the head" />
        </dd>
        <dt className="text-muted text-xs">forked from</dt>
        <dd>
          {run.parent ? (
            <Link to="/runs/$runId" params={{ runId: run.parent }} className={LINK}>
              {run.parent}, after turn {run.parent_turn}
            </Link>
          ) : (
            "nothing: it began by itself"
          )}
        </dd>
        <dt className="text-muted text-xs">its forks</dt>
        <dd className="flex max-h-40 flex-wrap gap-x-3 gap-y-1 overflow-y-auto">
          {run.children.length === 0 && "none"}
          {run.children.map((one) => (
            <Link key={one} to="/runs/$runId" params={{ runId: one }} className={LINK}>
              {one}
            </Link>
          ))}
        </dd>
      </dl>
    </Card>
  );
}

const FORMATS = [
  ["html", "a report on one page"],
  ["csv", "its metrics as a table"],
  ["parquet", "its metrics in columns"],
  ["jsonl", "the journal, line by line"],
  ["chat", "its conversations, to train on"],
] as const;

function Export({ run }: { run: RunDetail }) {
  return (
    <Card title="Take it along">
      <ul className="space-y-1.5 text-sm">
        {FORMATS.map(([to, what]) => (
          <li key={to}>
            <a
              className={LINK}
              href={`${BASE}/api/simulations/${run.run_id}/export?to=${to}`}
              download={`${run.run_id}.${to === "chat" ? "chat.jsonl" : to}`}
            >
              {to}
            </a>{" "}
            <span className="text-muted">{what}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Checkpoints({ run }: { run: RunDetail }) {
  const query = useQuery({
    queryKey: ["checkpoints", run.run_id, run.status],
    queryFn: ({ signal }) =>
      told(
        api.GET("/api/simulations/{run_id}/checkpoints", {
          params: { path: { run_id: run.run_id } },
          signal,
        }),
      ),
  });
  return (
    <Card title="Checkpoints: where it can be taken up">
      <Asked query={query}>
        {({ checkpoints }) =>
          checkpoints.length === 0 ? (
            <Empty title="None yet">It is taken up from its beginning.</Empty>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
            <section aria-label="checkpoints" tabIndex={0} className="max-h-64 overflow-auto">
              <table className="figures w-full text-right text-sm">
                <thead className="text-muted text-xs">
                  <tr>
                    <th scope="col" className="text-left font-normal">
                      after turn
                    </th>
                    <th scope="col" className="font-normal">
                      entry
                    </th>
                    <th scope="col" className="font-normal">
                      size
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {checkpoints.map((one) => (
                    <tr key={one.seq} className="border-line border-t">
                      <th scope="row" className="py-1 text-left font-normal">
                        <Link
                          to="/runs/$runId"
                          params={{ runId: run.run_id }}
                          search={{ turn: one.turn }}
                          className={LINK}
                        >
                          {one.turn.toLocaleString("en")}
                        </Link>
                      </th>
                      <td>{one.seq.toLocaleString("en")}</td>
                      <td>{bytes(one.bytes)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )
        }
      </Asked>
    </Card>
  );
}

function Commands({ run }: { run: RunDetail }) {
  const id = run.run_id;
  const commands = [
    `windtunnel verify ${id}`,
    `windtunnel replay ${id}`,
    `windtunnel show ${id} --turn ${Math.max(1, run.turn)}`,
    `windtunnel fork ${id} --at ${run.turn}`,
    `windtunnel export ${id} --to html`,
  ];
  return (
    <Card title="The same in a terminal">
      <ul className="space-y-1.5">
        {commands.map((one) => (
          <li key={one} className="min-w-0">
            <Copy text={one} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
