// A decision: what was chosen in plain words, how it was judged, and on request all that led to it.
import { type ReactNode, useState } from "react";
import type { Schemas } from "~/api/client";
import { dollars, span } from "~/lib/format";
import { Badge, Button, cx, Words } from "~/ui/kit";
import { Tree } from "~/ui/tree";
import { actionSaid, callsOf, messagesOf, replyText, SAID } from "./turn";

type Decision = Schemas["Decision"];
type TurnDetail = Schemas["TurnDetail"];
type Call = Schemas["Call"];

const TONES = { accept: "good", amend: "warn", reject: "bad", hold: "warn" } as const;
const SIGNS: Record<string, string> = { accept: "✓", amend: "±", reject: "✕", hold: "‖" };

export function DecisionCard({
  decision,
  turn,
  onFork,
}: {
  decision: Decision;
  turn: TurnDetail;
  onFork: () => void;
}) {
  const calls = callsOf(decision, turn);
  const seen = turn.observations?.[decision.agent];
  return (
    <article
      aria-label={`decision of ${decision.agent}`}
      className="min-w-0 rounded-lg border border-line bg-surface p-3 text-sm"
    >
      <header className="flex flex-wrap items-center gap-2">
        <h3 className="font-semibold">{decision.agent}</h3>
        {decision.attempt > 1 && <Badge>attempt {decision.attempt}</Badge>}
        <Judged decision={decision} />
        {decision.label !== "ok" && <Badge tone="warn">reply {decision.label}</Badge>}
        {calls.length > 0 && <Costs calls={calls} />}
        <Button look="quiet" className="ml-auto" onClick={onFork}>
          Fork before this decision
        </Button>
      </header>
      <p className="mt-1 break-words">{actionSaid(decision.action)}</p>
      {decision.reason && <p className="mt-1 text-muted">judged: {decision.reason}</p>}
      {decision.instead !== null && decision.instead !== undefined && (
        <p className="mt-1">
          <span className="text-muted">instead: </span>
          {actionSaid(decision.instead)}
        </p>
      )}
      <div className="mt-2 space-y-1">
        <Part title="What it chose, exactly">{() => <Tree value={decision.action} open />}</Part>
        {seen !== undefined && <Part title="What it saw">{() => <Tree value={seen} open />}</Part>}
        {calls.map((one, at) => (
          <Called key={one.id} call={one} place={calls.length > 1 ? ` (${at + 1} of ${calls.length})` : ""} />
        ))}
      </div>
    </article>
  );
}

function Judged({ decision }: { decision: Decision }) {
  const tone = TONES[decision.verdict as keyof typeof TONES] ?? "plain";
  return (
    <Badge tone={tone}>
      <span aria-hidden>{SIGNS[decision.verdict] ?? ""}</span>
      {SAID[decision.verdict] ?? decision.verdict}
    </Badge>
  );
}

function Costs({ calls }: { calls: Call[] }) {
  const cost = calls.reduce((sum, one) => sum + one.cost, 0);
  const tokens = calls.reduce((sum, one) => sum + one.input + one.output, 0);
  const seconds = calls.reduce((sum, one) => sum + (one.seconds ?? 0), 0);
  return (
    <span className="figures text-muted text-xs">
      {[
        [...new Set(calls.map((one) => one.model).filter(Boolean))].join(", "),
        tokens > 0 && `${tokens.toLocaleString("en")} tokens`,
        dollars(cost),
        seconds >= 1 ? span(seconds) : `${Math.round(seconds * 1000)} ms`,
      ]
        .filter(Boolean)
        .join(" · ")}
    </span>
  );
}

function Called({ call, place }: { call: Call; place: string }) {
  const messages = messagesOf(call.request);
  const reply = replyText(call.reply);
  return (
    <>
      <Part title={`What it was asked${place}`}>
        {() => (
          <div className="space-y-2">
            {messages.map((one, at) => (
              <Words key={at} from={one.role}>
                {one.text}
              </Words>
            ))}
            <Tree value={call.request} name="the whole request" />
          </div>
        )}
      </Part>
      <Part title={`What it answered${place}`} open={reply !== null}>
        {() => (
          <div className="space-y-2">
            {reply !== null && <Words from={call.model || call.agent}>{reply}</Words>}
            <Tree value={call.reply} name="the whole answer" />
            <p className="text-muted text-xs">
              {call.label && `labelled ${call.label}`}
              {call.attempts > 1 && `, asked ${call.attempts} times`}
              {call.status !== "answered" && `, ${call.status}`}
            </p>
          </div>
        )}
      </Part>
    </>
  );
}

/** Something that is long: closed, and made only when it is opened. */
function Part({
  title,
  open = false,
  children,
}: {
  title: string;
  open?: boolean;
  children: () => ReactNode;
}) {
  const [shown, setShown] = useState(open);
  return (
    <div className="min-w-0">
      <button
        type="button"
        aria-expanded={shown}
        onClick={() => setShown(!shown)}
        className="rounded text-muted text-xs hover:text-ink"
      >
        <span aria-hidden className="mr-1 inline-block w-3">
          {shown ? "▾" : "▸"}
        </span>
        {title}
      </button>
      {shown && <div className={cx("mt-1 min-w-0 pl-4")}>{children()}</div>}
    </div>
  );
}
