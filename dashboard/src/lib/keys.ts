// Keys and commands: whoever is on the page says what it can do; `?` and the palette list it.
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Command {
  /** What it does, as the palette says it. */
  title: string;
  run: () => void;
  /** One key ("/", "j"), or two in a row ("g r"). */
  key?: string;
  /** Where it belongs in the list of help. */
  group?: string;
}

const commands = new Map<symbol, Command[]>();
const watchers = new Set<() => void>();
let listed: Command[] = [];

function changed(): void {
  listed = [...commands.values()].flat();
  for (const watcher of watchers) watcher();
}

/** Offer commands while the component is there. They are looked up by title, so titles must stand. */
export function useCommands(offered: Command[]): void {
  const latest = useRef(offered);
  latest.current = offered;
  const names = offered.map((one) => `${one.title}\n${one.key}\n${one.group}`).join("\n\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: names stand for what is offered
  useEffect(() => {
    const me = Symbol();
    commands.set(
      me,
      latest.current.map((one, at) => ({ ...one, run: () => latest.current[at]?.run() })),
    );
    changed();
    return () => {
      commands.delete(me);
      changed();
    };
  }, [names]);
}

export const useAllCommands = (): Command[] =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => listed,
  );

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

let first = "";
let forgotten: ReturnType<typeof setTimeout> | undefined;

export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const keys = first ? `${first} ${event.key}` : event.key;
  clearTimeout(forgotten);
  first = "";
  // The newest first: a page's own keys go before those of the frame around it.
  const found = listed.findLast((one) => one.key === keys) ?? listed.findLast((one) => one.key === event.key);
  if (found) {
    event.preventDefault();
    found.run();
  } else if (listed.some((one) => one.key?.startsWith(`${event.key} `))) {
    first = event.key;
    forgotten = setTimeout(() => {
      first = "";
    }, 1_000);
  }
}
