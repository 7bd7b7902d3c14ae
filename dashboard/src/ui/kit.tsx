// The small parts that every page is made of.
import { Link, type LinkProps } from "@tanstack/react-router";
import { type ButtonHTMLAttributes, type ReactNode, useEffect, useRef, useState } from "react";
import type { Status } from "~/api/client";
import { dollars, exactly, relative } from "~/lib/format";
import { useNow } from "~/lib/now";
import { Icon, type Sign } from "./icons";

export const cx = (...names: (string | false | null | undefined)[]): string =>
  names.filter(Boolean).join(" ");

type Tone = "plain" | "good" | "warn" | "bad" | "accent";
const TONES: Record<Tone, string> = {
  plain: "bg-raised text-muted",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  accent: "bg-accent-soft text-accent",
};

export function Badge({
  tone = "plain",
  children,
  title,
}: {
  tone?: Tone;
  children: ReactNode;
  title?: string;
}) {
  return (
    <span
      title={title}
      className={cx(
        "inline-flex items-center gap-1 rounded px-1.5 py-0.5 font-medium text-xs whitespace-nowrap",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

// Each status has a sign as well as a colour: nobody needs colour to read it.
const STATUS: Record<Status, [Tone, Sign]> = {
  queued: ["plain", "dots"],
  running: ["accent", "play"],
  waiting: ["warn", "hand"],
  paused: ["warn", "pause"],
  completed: ["good", "check"],
  failed: ["bad", "cross"],
  crashed: ["bad", "bolt"],
  cancelled: ["plain", "stop"],
};

export function StatusBadge({ status, reason }: { status: Status; reason?: string | null }) {
  const [tone, sign] = STATUS[status];
  return (
    <Badge tone={tone} {...(reason && { title: reason })}>
      <Icon sign={sign} className="size-3" />
      {status}
    </Badge>
  );
}

export const ended = (status: Status): boolean => ["completed", "failed", "cancelled"].includes(status);

const BUTTON =
  "inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md border px-2.5 py-1 font-medium text-sm disabled:opacity-50";
const LOOKS = {
  plain: "border-line bg-surface text-ink hover:bg-raised",
  primary: "border-transparent bg-accent text-on-accent hover:opacity-90",
  danger: "border-line bg-surface text-bad hover:bg-bad-soft",
  quiet: "border-transparent text-muted hover:bg-raised hover:text-ink",
};
type Look = keyof typeof LOOKS;

export function Button({
  look = "plain",
  busy = false,
  className,
  children,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look; busy?: boolean }) {
  return (
    <button
      type="button"
      aria-busy={busy}
      {...rest}
      disabled={rest.disabled || busy}
      className={cx(BUTTON, LOOKS[look], className)}
    >
      {children}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  look = "plain",
  children,
  ...to
}: LinkProps & { look?: Look; children: ReactNode }) {
  return (
    <Link {...to} className={cx(BUTTON, LOOKS[look], "no-underline")}>
      {children}
    </Link>
  );
}

export const LINK = "text-accent underline decoration-accent/40 underline-offset-2 hover:decoration-accent";
export const FIELD =
  "w-full min-h-8 rounded-md border border-line bg-surface px-2 py-1 text-sm text-ink placeholder:text-muted";

export function Card({
  title,
  aside,
  children,
  className,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={cx("min-w-0 rounded-lg border border-line bg-surface", className)}>
      {(title || aside) && (
        <header className="flex flex-wrap items-center justify-between gap-2 border-line border-b px-3 py-2">
          <h2 className="font-semibold text-sm">{title}</h2>
          {aside}
        </header>
      )}
      <div className="p-3">{children}</div>
    </section>
  );
}

/** The head of a page: its name, which is also the window's, and what can be done here. */
export function Head({ title, about, children }: { title: string; about?: ReactNode; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Windtunnel`;
  }, [title]);
  return (
    <header className="mb-4 flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
      <div className="min-w-0">
        <h1 className="font-semibold text-xl">{title}</h1>
        {about && <div className="mt-0.5 text-muted text-sm">{about}</div>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}

/** A time as people say it; the exact one on hover. */
export function Time({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <span className="text-muted">–</span>;
  return (
    <time dateTime={at} title={exactly(at)} className="whitespace-nowrap">
      {relative(at, now)}
    </time>
  );
}

export function Progress({ turn, of, label }: { turn: number; of: number; label?: string }) {
  const share = of > 0 ? Math.min(1, turn / of) : 0;
  return (
    <div className="flex items-center gap-2">
      <div
        role="progressbar"
        aria-label={label ?? "turns played"}
        aria-valuemin={0}
        aria-valuemax={of}
        aria-valuenow={turn}
        className="h-1.5 min-w-12 flex-1 overflow-hidden rounded-full bg-raised"
      >
        <div className="h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
      </div>
      <span className="figures whitespace-nowrap text-muted text-xs">
        {turn.toLocaleString("en")} / {of.toLocaleString("en")}
      </span>
    </div>
  );
}

export const Spent = ({ dollars: spent }: { dollars: number }) => (
  <span className="figures text-muted">{spent === 0 ? "–" : dollars(spent)}</span>
);

/** Something to take along: an id, a command. */
export function Copy({ text, label, shown = true }: { text: string; label?: string; shown?: boolean }) {
  const [done, setDone] = useState(false);
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(later.current), []);
  const copy = async () => {
    await copyText(text);
    setDone(true);
    later.current = setTimeout(() => setDone(false), 1_500);
  };
  return (
    <span className="inline-flex min-w-0 max-w-full items-center gap-1">
      {shown && <code className="min-w-0 truncate font-mono text-xs">{text}</code>}
      <button
        type="button"
        onClick={copy}
        aria-label={label ?? `copy ${text}`}
        title={done ? "copied" : (label ?? "copy")}
        className="rounded px-1 text-muted text-xs hover:bg-raised hover:text-ink"
      >
        <Icon sign={done ? "check" : "copy"} className="size-3.5" />
      </button>
      <span role="status" className="sr-only">
        {done ? "copied" : ""}
      </span>
    </span>
  );
}

async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // A page that came over plain HTTP has no clipboard; the old way still works there.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Words that an agent, a model or a person wrote: always text, never markup, and seen to be theirs. */
export function Words({
  children,
  from,
  flows = false,
  className,
}: {
  children: string;
  from?: string;
  /** One of many in a place that scrolls: as high as it is. */
  flows?: boolean;
  className?: string;
}) {
  return (
    <figure className={cx("min-w-0 rounded-md border border-line border-l-4 bg-ground px-3 py-2", className)}>
      {from && <figcaption className="mb-1 text-muted text-xs">{from} wrote</figcaption>}
      <pre
        {...(!flows && { tabIndex: 0 })} // what scrolls must be reached by keyboard
        className={cx(
          "whitespace-pre-wrap break-words font-mono text-xs",
          !flows && "max-h-96 overflow-auto",
        )}
      >
        {children}
      </pre>
    </figure>
  );
}

export const Key = ({ children }: { children: ReactNode }) => (
  <kbd className="rounded border border-line bg-raised px-1.5 py-0.5 font-mono text-muted text-xs">
    {children}
  </kbd>
);
