// The journal as it was written, entry by entry, and beside it what was done with the run.
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useCommands } from "~/lib/keys";
import { Button, cx, FIELD, LINK } from "~/ui/kit";
import { Entries } from "./Entries";
import { useRun } from "./live";
import { Operations } from "./Operations";
import { MEANING } from "./turn";

export function JournalView() {
  const { run } = useRun();
  const { chain } = useSearch({ from: "/runs/$runId/journal" });
  const operations = chain === "operations";
  const tab = (name: string, to: string | undefined, on: boolean) => (
    <Link
      to="/runs/$runId/journal"
      params={{ runId: run.run_id }}
      search={to ? { chain: to } : {}}
      aria-current={on ? "page" : undefined}
      className={cx(
        "rounded-md px-2.5 py-1 text-sm",
        on ? "bg-accent-soft font-medium text-accent" : "text-muted hover:bg-raised",
      )}
    >
      {name}
    </Link>
  );
  return (
    <div className="space-y-3">
      <nav aria-label="chains of the journal" className="flex flex-wrap items-center gap-1">
        {tab("History: what happened", undefined, !operations)}
        {tab("Operations: what was done with it", "operations", operations)}
      </nav>
      {operations ? <Operations /> : <History />}
    </div>
  );
}

const SETTLE = 250; // ms between the last letter and the search

function History() {
  const { run } = useRun();
  const search = useSearch({ from: "/runs/$runId/journal" });
  const navigate = useNavigate({ from: "/runs/$runId/journal" });
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(search.text ?? "");
  type Filter = "text" | "kind" | "phase" | "agent" | "turn";
  const filter = (name: Filter, value: string) =>
    void navigate({
      search: (now) => {
        const { [name]: _, ...rest } = now;
        if (value === "") return rest;
        return { ...rest, [name]: name === "turn" ? Number(value) : value };
      },
      replace: true,
      resetScroll: false,
    });
  const latest = useRef(filter);
  latest.current = filter;
  useEffect(() => {
    if (text === (search.text ?? "")) return;
    const settled = setTimeout(() => latest.current("text", text), SETTLE);
    return () => clearTimeout(settled);
  }, [text, search.text]);
  useCommands([{ title: "Search the journal", key: "/", group: "Run", run: () => field.current?.focus() }]);
  const some = [search.text, search.kind, search.phase, search.agent, search.turn].some(
    (one) => one !== undefined,
  );
  return (
    <>
      <search className="grid grid-cols-2 gap-2 sm:flex sm:flex-wrap sm:items-center">
        <input
          ref={field}
          type="search"
          aria-label="text in the journal"
          placeholder="text in the journal ( / )"
          className={cx(FIELD, "col-span-2 sm:max-w-64")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <select
          aria-label="phase"
          className={cx(FIELD, "sm:max-w-44")}
          value={search.phase ?? ""}
          onChange={(event) => filter("phase", event.target.value)}
        >
          <option value="">every phase</option>
          {Object.entries(MEANING).map(([phase, meaning]) => (
            <option key={phase} value={phase}>
              {phase === meaning ? phase : `${phase}: ${meaning}`}
            </option>
          ))}
        </select>
        <Kept
          name="kind"
          label="kind of entry"
          value={search.kind}
          onKeep={(value) => filter("kind", value)}
        />
        <Kept
          name="agent"
          label="agent that the entry is of"
          value={search.agent}
          onKeep={(value) => filter("agent", value)}
        />
        <Kept
          name="turn"
          label="turn"
          value={search.turn?.toString()}
          number
          onKeep={(value) => filter("turn", value)}
        />
        <Button
          look="quiet"
          disabled={!some}
          onClick={() => {
            setText("");
            void navigate({ search: {}, replace: true });
          }}
        >
          Show all
        </Button>
        {search.turn !== undefined && (
          <Link
            to="/runs/$runId/turn"
            params={{ runId: run.run_id }}
            search={{ turn: search.turn }}
            className={cx(LINK, "text-sm")}
          >
            what happened in turn {search.turn}
          </Link>
        )}
      </search>
      <Entries
        key={JSON.stringify(search)}
        wanted={{
          ...(search.text && { text: search.text }),
          ...(search.kind && { kind: search.kind }),
          ...(search.phase && { phase: search.phase }),
          ...(search.agent && { actor: search.agent }),
          ...(search.turn !== undefined && { turn: search.turn }),
        }}
      />
    </>
  );
}

/** A field that is taken when it is left, or with Enter. */
function Kept({
  name,
  label,
  value,
  number = false,
  onKeep,
}: {
  name: string;
  label: string;
  value: string | undefined;
  number?: boolean;
  onKeep: (value: string) => void;
}) {
  return (
    <input
      key={value ?? ""}
      aria-label={label}
      placeholder={name}
      type={number ? "number" : "text"}
      {...(number && { min: 0 })}
      className={cx(FIELD, "sm:max-w-32")}
      defaultValue={value ?? ""}
      onBlur={(event) => event.target.value.trim() !== (value ?? "") && onKeep(event.target.value.trim())}
      onKeyDown={(event) => event.key === "Enter" && onKeep(event.currentTarget.value.trim())}
    />
  );
}
