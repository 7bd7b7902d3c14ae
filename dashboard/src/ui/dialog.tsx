// A window over the page, and short messages that go by themselves. The browser's own dialog keeps the focus.
import { type ReactNode, useEffect, useId, useRef, useSyncExternalStore } from "react";
import { cx } from "./kit";

export function Dialog({
  title,
  open,
  onClose,
  children,
  wide = false,
}: {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (open && !dialog.open) {
      dialog.showModal();
      // What is to be filled in comes first; left to itself, the browser would choose the sign that closes.
      dialog.querySelector<HTMLElement>("input, select, textarea")?.focus();
    }
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, as the browser sees to
    <dialog
      ref={element}
      aria-labelledby={name}
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      className={cx(
        "m-auto max-h-[90dvh] w-[calc(100%-2rem)] overflow-auto rounded-xl border border-line bg-surface p-0 text-ink shadow-xl backdrop:bg-black/50",
        wide ? "max-w-3xl" : "max-w-lg",
      )}
    >
      {open && (
        <div className="p-4">
          <div className="mb-3 flex items-center justify-between gap-4">
            <h2 id={name} className="font-semibold text-lg">
              {title}
            </h2>
            <button
              type="button"
              aria-label="close"
              onClick={onClose}
              className="rounded px-2 text-muted hover:bg-raised"
            >
              ✕
            </button>
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}

interface Toast {
  id: number;
  text: string;
  tone: "good" | "bad";
}
let toasts: Toast[] = [];
let count = 0;
const watchers = new Set<() => void>();
const show = (next: Toast[]) => {
  toasts = next;
  for (const watcher of watchers) watcher();
};

/** Say shortly that something was done, or was not. */
export function say(text: string, tone: Toast["tone"] = "good"): void {
  const id = ++count;
  show([...toasts.slice(-3), { id, text, tone }]);
  setTimeout(() => show(toasts.filter((one) => one.id !== id)), tone === "bad" ? 10_000 : 4_000);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => toasts,
  );
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-end gap-2"
    >
      {shown.map((one) => (
        <p
          key={one.id}
          className={cx(
            "pointer-events-auto max-w-md rounded-lg border px-3 py-2 text-sm shadow-lg",
            one.tone === "good" ? "border-line bg-surface" : "border-bad/40 bg-bad-soft text-bad",
          )}
        >
          {one.text}
        </p>
      ))}
    </div>
  );
}
