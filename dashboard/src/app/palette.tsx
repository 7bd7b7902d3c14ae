// Everything that can be done on this page, by name or by key.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useState } from "react";
import { api, told } from "~/api/client";
import { useAllCommands } from "~/lib/keys";
import { Dialog } from "~/ui/dialog";
import { cx, FIELD, Key, StatusBadge } from "~/ui/kit";

interface Choice {
  id: string;
  title: string;
  aside?: React.ReactNode;
  run: () => void;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const sought = useDeferredValue(text.trim());
  const runs = useQuery({
    queryKey: ["runs", "palette", sought],
    queryFn: ({ signal }) =>
      told(api.GET("/api/simulations", { params: { query: { text: sought || null, limit: 8 } }, signal })),
    placeholderData: (before) => before,
  });
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const commands: Choice[] = useAllCommands()
    .filter((one) => words.every((word) => one.title.toLowerCase().includes(word)))
    .map((one) => ({
      id: `${one.title} ${one.key}`,
      title: one.title,
      aside: one.key && <Key>{one.key}</Key>,
      run: one.run,
    }));
  // Runs that were found for an older text are not chosen from: who types fast and presses Enter means what stands there.
  const current = !runs.isPlaceholderData && sought === text.trim();
  const found: Choice[] = ((current && runs.data?.runs) || []).map((one) => ({
    id: one.run_id,
    title: `${one.scenario} ${one.run_id}`,
    aside: <StatusBadge status={one.status} />,
    run: () => void navigate({ to: "/runs/$runId", params: { runId: one.run_id } }),
  }));
  const choices = words.length > 0 ? [...found, ...commands] : [...commands, ...found];
  const chosen = Math.min(at, choices.length - 1);
  const take = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    choice.run();
  };
  return (
    <Dialog title="Find" open onClose={onClose}>
      <input
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls="choices"
        aria-activedescendant={choices[chosen] ? `choice-${chosen}` : undefined}
        aria-label="a run, a page or a command"
        placeholder="a run, a page or a command"
        className={FIELD}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") take(choices[chosen]);
          else if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, choices.length - 1));
          else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
          else return;
          event.preventDefault();
        }}
      />
      <div
        id="choices"
        role="listbox"
        aria-label="what was found"
        className="mt-2 max-h-[50dvh] overflow-y-auto"
      >
        {choices.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the field
          <div
            key={one.id}
            id={`choice-${index}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => take(one)}
            className={cx(
              "flex cursor-pointer items-center justify-between gap-3 rounded px-2 py-1.5 text-sm",
              index === chosen && "bg-accent-soft",
            )}
          >
            <span className="truncate">{one.title}</span>
            {one.aside}
          </div>
        ))}
      </div>
      {choices.length === 0 && <p className="px-2 py-3 text-muted text-sm">nothing of that name</p>}
    </Dialog>
  );
}

export function KeyHelp({ onClose }: { onClose: () => void }) {
  const groups = Map.groupBy(
    useAllCommands().filter((one) => one.key),
    (one) => one.group ?? "On this page",
  );
  return (
    <Dialog title="Keys" open onClose={onClose}>
      {[...groups].reverse().map(([name, commands]) => (
        <section key={name} className="mb-3">
          <h3 className="mb-1 font-medium text-muted text-xs uppercase">{name}</h3>
          <dl className="space-y-1">
            {commands.map((one) => (
              <div key={`${one.key} ${one.title}`} className="flex justify-between gap-4 text-sm">
                <dt>{one.title}</dt>
                <dd className="flex gap-1">
                  {one.key?.split(" ").map((key) => (
                    <Key key={key}>{key}</Key>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
