// Who did what: every verb that changed something, and every refusal, the newest first.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas, told } from "~/api/client";
import { Button, Card, cx, FIELD, Time } from "~/ui/kit";
import { Loading, Trouble } from "~/ui/states";
import { Table } from "~/ui/table";
import { settled } from "./settled";

const PAGE = 50;

export function AuditLog() {
  const [verb, setVerb] = useState("");
  const log = useInfiniteQuery({
    queryKey: ["audit", verb],
    queryFn: ({ pageParam, signal }) =>
      told(
        api.GET("/api/audit", {
          params: { query: { limit: PAGE, after: pageParam, verb: verb || null } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const entries = settled(log.data?.pages.flatMap((page) => page.entries) ?? []);
  return (
    <Card
      title="Who did what"
      aside={
        <span className="flex items-center gap-2">
          <Verb onPick={setVerb} />
          <Button look="quiet" busy={log.isRefetching} onClick={() => void log.refetch()}>
            Look again
          </Button>
        </span>
      }
    >
      {log.error && <Trouble error={log.error} retry={() => void log.refetch()} />}
      {log.isPending && <Loading what="the audit log" rows={5} />}
      {log.data && entries.length === 0 && (
        <p className="text-muted text-sm">
          {verb ? `Nobody asked for ${verb}.` : "Nobody changed anything yet."}
        </p>
      )}
      {entries.length > 0 && <Entries entries={entries} />}
      {log.hasNextPage && (
        <Button className="mt-2" busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          Older ones
        </Button>
      )}
    </Card>
  );
}

function Verb({ onPick }: { onPick: (verb: string) => void }) {
  const [text, setText] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onPick(text.trim());
      }}
    >
      <input
        aria-label="only this verb"
        placeholder="only this verb, such as approve"
        className={cx(FIELD, "w-56")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => onPick(text.trim())}
      />
    </form>
  );
}

function Entries({ entries }: { entries: Schemas["AuditEntry"][] }) {
  return (
    <Table
      label="audit log"
      columns={["When", "Who", "Did", "To what", "And it was", "By"]}
      rows={entries.map((one) => ({
        key: String(one.seq),
        cells: [
          <Time key="at" at={one.at} />,
          one.who,
          <code key="verb" className="font-mono text-xs">
            {one.verb}
          </code>,
          <span key="target" className="break-all">
            {one.target}
          </span>,
          <span
            key="outcome"
            className={cx(one.outcome !== "done" && one.outcome !== "begun" && "text-bad")}
            title={detail(one)}
          >
            {one.outcome}
          </span>,
          one.via,
        ],
      }))}
    />
  );
}

const detail = (one: Schemas["AuditEntry"]): string =>
  [Object.keys(one.detail).length > 0 ? JSON.stringify(one.detail) : "", `request ${one.request_id}`]
    .filter(Boolean)
    .join("\n");
