// A list of things to do, over the page. The browser's popover closes it on Escape, or on a click elsewhere.
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { cx } from "./kit";

export interface Deed {
  name: string;
  run: () => void;
  /** Why it cannot be done now: it is shown all the same, so that nobody looks for it in vain. */
  not?: string | undefined;
  danger?: boolean;
}

export function Menu({
  label,
  deeds,
  children,
  className,
}: {
  label: string;
  deeds: Deed[];
  children: ReactNode;
  className?: string;
}) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const items = () => [...(list.current?.querySelectorAll<HTMLButtonElement>("[role=menuitem]") ?? [])];
  const place = () => {
    const box = button.current?.getBoundingClientRect();
    const menu = list.current;
    if (!box || !menu) return;
    const below = box.bottom + menu.offsetHeight + 8 < window.innerHeight;
    menu.style.top = `${below ? box.bottom + 2 : Math.max(4, box.top - menu.offsetHeight - 2)}px`;
    menu.style.left = `${Math.max(4, Math.min(box.right - menu.offsetWidth, window.innerWidth - menu.offsetWidth - 4))}px`;
    items()[0]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length]?.focus();
    else if (event.key === "Tab") list.current?.hidePopover();
    else return;
    if (event.key !== "Tab") event.preventDefault();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        popoverTarget={id}
        className={cx("rounded px-2 py-1 text-muted hover:bg-raised hover:text-ink", className)}
      >
        {children}
      </button>
      <div
        ref={list}
        id={id}
        role="menu"
        tabIndex={-1}
        aria-label={label}
        popover="auto"
        onToggle={(event) => {
          setOpen(event.newState === "open");
          if (event.newState === "open") place();
        }}
        onKeyDown={onKeyDown}
        className="fixed m-0 min-w-40 rounded-lg border border-line bg-surface p-1 text-ink text-sm shadow-lg"
      >
        {open &&
          deeds.map((one) => (
            <button
              key={one.name}
              type="button"
              role="menuitem"
              tabIndex={-1}
              aria-disabled={one.not !== undefined}
              title={one.not}
              onClick={() => {
                if (one.not !== undefined) return;
                list.current?.hidePopover();
                one.run();
              }}
              className={cx(
                "block w-full rounded px-2 py-1.5 text-left hover:bg-raised focus:bg-raised",
                one.not !== undefined ? "cursor-not-allowed text-muted opacity-70" : one.danger && "text-bad",
              )}
            >
              {one.name}
            </button>
          ))}
      </div>
    </>
  );
}
