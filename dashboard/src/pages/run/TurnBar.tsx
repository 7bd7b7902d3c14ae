// Which turn one looks at: a slider over the whole run, shared by all views of a turn.
import { useEffect, useState } from "react";
import { useCommands } from "~/lib/keys";
import { Button, FIELD } from "~/ui/kit";
import { useRun } from "./live";

const SETTLE = 60; // ms that the slider rests before the address follows it

export function TurnBar() {
  const { run, turn, fixed, setTurn } = useRun();
  const [moving, setMoving] = useState<number | null>(null);
  useEffect(() => {
    if (moving === null) return;
    const settled = setTimeout(() => {
      setTurn(moving);
      setMoving(null);
    }, SETTLE);
    return () => clearTimeout(settled);
  }, [moving, setTurn]);
  const to = (next: number) => setTurn(Math.min(run.turn, Math.max(0, next)));
  useCommands([
    { title: "The turn before", key: "[", group: "Run", run: () => to(turn - 1) },
    { title: "The next turn", key: "]", group: "Run", run: () => to(turn + 1) },
    { title: "Follow the last turn", key: "\\", group: "Run", run: () => setTurn(undefined) },
  ]);
  const shown = moving ?? turn;
  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
      <Button
        look="quiet"
        aria-label="the turn before"
        title="the turn before ([)"
        disabled={turn <= 0}
        onClick={() => to(turn - 1)}
      >
        <span aria-hidden>◀</span>
      </Button>
      <input
        type="range"
        aria-label="turn"
        aria-valuetext={`turn ${shown} of ${run.turn}`}
        min={0}
        max={run.turn}
        value={shown}
        onChange={(event) => setMoving(Number(event.target.value))}
        className="min-w-24 flex-1 accent-[var(--color-accent)]"
      />
      <Button
        look="quiet"
        aria-label="the next turn"
        title="the next turn (])"
        disabled={turn >= run.turn}
        onClick={() => to(turn + 1)}
      >
        <span aria-hidden>▶</span>
      </Button>
      <label className="figures flex items-center gap-1.5 whitespace-nowrap text-muted">
        turn
        <input
          type="number"
          aria-label="turn by number"
          min={0}
          max={run.turn}
          value={shown}
          onChange={(event) =>
            event.target.value !== "" &&
            setMoving(Math.min(run.turn, Math.max(0, Number(event.target.value))))
          }
          className={FIELD}
          style={{ width: "6rem" }}
        />
        of {run.turn.toLocaleString("en")}
      </label>
      <Button
        look={fixed ? "plain" : "quiet"}
        aria-pressed={!fixed}
        title="go on with the run (\)"
        onClick={() => setTurn(undefined)}
      >
        {fixed ? "to the last" : "following"}
      </Button>
    </div>
  );
}
