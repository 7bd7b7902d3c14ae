// What is done again and again: when it was, how it went, when it comes next.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, told } from "~/api/client";
import { useCommands } from "~/lib/keys";
import { Dialog } from "~/ui/dialog";
import { Button, Head } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";
import { AddSchedule } from "./AddSchedule";
import { ScheduleCard } from "./ScheduleCard";

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: ({ signal }) => told(api.GET("/api/schedules", { signal })),
  refetchInterval: 5_000,
});

export function SchedulesPage() {
  const [adding, setAdding] = useState(false);
  const query = useQuery(schedulesQuery);
  useCommands([{ title: "Plan something", key: "n", group: "Schedules", run: () => setAdding(true) }]);
  return (
    <>
      <Head title="Schedules" about="What this server does by the clock">
        <Button look="primary" onClick={() => setAdding(true)}>
          Add a schedule
        </Button>
      </Head>
      <Asked query={query} loading={<Loading what="the schedules" rows={4} />}>
        {({ schedules }) =>
          schedules.length === 0 ? (
            <Empty
              title="Nothing is planned"
              command={'windtunnel schedule add nightly economy/growth --every "daily at 03:00" --turns 20'}
            >
              A schedule plays a scenario every night, looks after the machine, or lets old runs go.
            </Empty>
          ) : (
            <ul className="max-w-4xl space-y-3">
              {schedules.map((one) => (
                <li key={one.name}>
                  <ScheduleCard one={one} />
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
      <Dialog title="Add a schedule" open={adding} onClose={() => setAdding(false)}>
        <AddSchedule onDone={() => setAdding(false)} />
      </Dialog>
    </>
  );
}
