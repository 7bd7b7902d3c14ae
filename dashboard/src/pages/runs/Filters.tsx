// Which runs are shown. All of it stands in the address, so that a list can be sent to somebody.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { worldsQuery } from "~/api/queries";
import { useCommands } from "~/lib/keys";
import { Button, cx, FIELD } from "~/ui/kit";
import { narrowed, type RunSearch, SPANS, STATUSES } from "./search";

type Change = (next: Partial<Record<keyof RunSearch, string | undefined>>) => void;

export function Filters({ search, onChange }: { search: RunSearch; onChange: Change }) {
  const { data } = useQuery(worldsQuery);
  const worlds = data?.worlds.map((one) => one.name) ?? [];
  const chosen = (name: string | undefined) => (name && !worlds.includes(name) ? [...worlds, name] : worlds);
  return (
    <div className="mb-2 flex flex-wrap items-center gap-2">
      <Search text={search.text ?? ""} onText={(text) => onChange({ text: text || undefined })} />
      <Choice
        name="world"
        value={search.world}
        choices={chosen(search.world).map((one) => [one, one])}
        all="all worlds"
        onChange={(world) => onChange({ world, scenario: undefined })}
      />
      <Choice
        name="status"
        value={search.status}
        choices={STATUSES.map((one) => [one, one])}
        all="any status"
        onChange={(status) => onChange({ status })}
      />
      <Choice
        name="made"
        value={search.since}
        choices={Object.entries(SPANS).map(([word, one]) => [word, one.label])}
        all="any time"
        onChange={(since) => onChange({ since })}
      />
      <Tag tag={search.tag ?? ""} onTag={(tag) => onChange({ tag: tag || undefined })} />
      <Choice
        name="order"
        value={search.order}
        choices={[["updated", "last written first"]]}
        all="newest first"
        onChange={(order) => onChange({ order })}
      />
      <Choice
        name="group"
        value={search.group}
        choices={[
          ["world", "by world"],
          ["tag", "by tag"],
        ]}
        all="no groups"
        onChange={(group) => onChange({ group })}
      />
      <Narrowed search={search} onChange={onChange} />
    </div>
  );
}

/** What the fields above do not show, and the way back to all runs. */
function Narrowed({ search, onChange }: { search: RunSearch; onChange: Change }) {
  return (
    <>
      {search.scenario && (
        <Button onClick={() => onChange({ scenario: undefined })} title="show all scenarios">
          {search.scenario} <span aria-hidden>✕</span>
        </Button>
      )}
      {search.parent && (
        <Button onClick={() => onChange({ parent: undefined })} title="show all runs">
          forks of {search.parent} <span aria-hidden>✕</span>
        </Button>
      )}
      {narrowed(search) && (
        <Button
          look="quiet"
          onClick={() =>
            onChange(
              Object.fromEntries(
                ["world", "scenario", "status", "tag", "text", "parent", "since"].map((one) => [
                  one,
                  undefined,
                ]),
              ),
            )
          }
        >
          Show all
        </Button>
      )}
    </>
  );
}

/** A field whose text is taken after a short rest, and at once when one leaves it. */
function useRested(text: string, onText: (text: string) => void, rest = 250) {
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(onText);
  latest.current = onText;
  useEffect(() => setTyped(text), [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (next: string) => {
    setTyped(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(next.trim()), rest);
  };
  return { typed, type };
}

function Search({ text, onText }: { text: string; onText: (text: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const { typed, type } = useRested(text, onText);
  useCommands([{ title: "Search runs", key: "/", group: "Runs", run: () => field.current?.focus() }]);
  return (
    <input
      ref={field}
      type="search"
      aria-label="search runs"
      placeholder="id, scenario, tag or reason  ( / )"
      value={typed}
      maxLength={200}
      onChange={(event) => type(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault(); // a browser would empty the field: one only wants to leave it
        event.currentTarget.blur();
      }}
      className={cx(FIELD, "!w-full sm:!w-64")}
    />
  );
}

function Tag({ tag, onTag }: { tag: string; onTag: (tag: string) => void }) {
  const { typed, type } = useRested(tag, onTag, 400);
  return (
    <input
      aria-label="tag"
      placeholder="tag"
      value={typed}
      maxLength={100}
      onChange={(event) => type(event.target.value)}
      className={cx(FIELD, "!w-28")}
    />
  );
}

export function Choice({
  name,
  value,
  choices,
  all,
  onChange,
}: {
  name: string;
  value: string | undefined;
  choices: (readonly [string, string])[];
  all: string;
  onChange: (value: string | undefined) => void;
}) {
  return (
    <select
      aria-label={name}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
      className={cx(FIELD, "!w-auto max-w-44", value && "border-accent text-accent")}
    >
      <option value="">{all}</option>
      {choices.map(([word, label]) => (
        <option key={word} value={word}>
          {label}
        </option>
      ))}
    </select>
  );
}
