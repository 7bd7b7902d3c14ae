// The world's state after the turn that is looked at: computed again, so only when somebody opens it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Card } from "~/ui/kit";
import { Asked } from "~/ui/states";
import { Tree } from "~/ui/tree";
import { stateQuery } from "./asked";
import { useRun } from "./live";

export function StateAfter() {
  const { run, turn } = useRun();
  const [open, setOpen] = useState(false);
  const state = useQuery({ ...stateQuery(run.run_id, turn), enabled: open });
  return (
    <Card
      title={
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span aria-hidden className="mr-1 inline-block w-3 text-muted">
            {open ? "▾" : "▸"}
          </span>
          The world's state after turn {turn.toLocaleString("en")}
        </button>
      }
      aside={<span className="text-muted text-xs">data: what agents wrote in it is theirs</span>}
    >
      {open ? (
        <Asked query={state}>{(found) => <Tree value={found.global_state} open />}</Asked>
      ) : (
        <p className="text-muted text-sm">
          It is computed again from the nearest checkpoint when it is opened.
        </p>
      )}
    </Card>
  );
}
