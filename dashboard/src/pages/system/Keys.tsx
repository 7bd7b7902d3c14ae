// Keys: whose, for what, until when. A secret is shown once, when it is made; nobody can show it again.
import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas, told } from "~/api/client";
import { queryClient } from "~/app/asking";
import { Dialog, say } from "~/ui/dialog";
import { Badge, Button, Card, Copy, Time } from "~/ui/kit";
import { Asked } from "~/ui/states";
import { Table } from "~/ui/table";
import { MakeKey } from "./MakeKey";

type Key = Schemas["Key"];

const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: ({ signal }) => told(api.GET("/api/keys", { signal })),
});
const again = () => queryClient.invalidateQueries({ queryKey: ["keys"] });

export function Keys() {
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas["NewKey"] | null>(null);
  const query = useQuery(keysQuery);
  const show = (key: Schemas["NewKey"]) => {
    setMaking(false);
    setMade(key);
    void again();
  };
  const first = query.data?.keys.every((one) => one.status !== "valid") ?? false;
  return (
    <Card
      title="Keys"
      aside={
        <Button disabled={!query.data} onClick={() => setMaking(true)}>
          Make a key
        </Button>
      }
    >
      <Asked query={query}>
        {({ keys }) =>
          keys.length === 0 ? (
            <p className="text-muted text-sm">
              There is none: whoever sits at this machine may do everything, and nobody else can come. The
              first key changes that: from then on everybody is asked for one.
            </p>
          ) : (
            <List keys={keys} onRotated={show} />
          )
        }
      </Asked>
      <Dialog title="Make a key" open={making} onClose={() => setMaking(false)}>
        <MakeKey first={first} onMade={show} />
      </Dialog>
      <Dialog title="The new key" open={made !== null} onClose={() => setMade(null)}>
        {made && <Secret made={made} />}
      </Dialog>
    </Card>
  );
}

function Secret({ made }: { made: Schemas["NewKey"] }) {
  return (
    <div className="space-y-3 text-sm">
      <p>
        This is the key of <strong>{made.name}</strong>, for {made.roles.join(", ")}. It is shown now and
        never again: what is kept is its hash.
      </p>
      <p className="rounded-md bg-raised px-2 py-2" data-secret>
        <code className="break-all font-mono text-xs">{made.secret}</code>{" "}
        <Copy text={made.secret} label="copy the key" shown={false} />
      </p>
      <p className="text-muted text-xs">
        A program sends it as <code className="font-mono">Authorization: Bearer wt_…</code>; a person gives it
        at the login.
      </p>
    </div>
  );
}

function List({ keys, onRotated }: { keys: Key[]; onRotated: (key: Schemas["NewKey"]) => void }) {
  return (
    <Table
      label="keys"
      columns={["Name", "Roles", "State", "Ends", "Last used", "What can be done"]}
      rows={keys.map((one) => ({
        key: one.id,
        dim: one.status === "revoked" || one.status === "expired",
        cells: [
          <span key="name" className="font-medium">
            {one.name}
          </span>,
          one.roles.join(", "),
          <Badge key="state" tone={one.status === "valid" ? "good" : "plain"}>
            <span aria-hidden>{one.status === "valid" ? "✓" : "⊘"}</span>
            {one.status}
          </Badge>,
          <Moment key="ends" at={one.expires} />,
          <Moment key="used" at={one.used} />,
          <Deeds key="deeds" one={one} onRotated={onRotated} />,
        ],
      }))}
    />
  );
}

const Moment = ({ at }: { at: string | null }) => (at ? <Time at={at} /> : <>never</>);

function Deeds({ one, onRotated }: { one: Key; onRotated: (key: Schemas["NewKey"]) => void }) {
  const [sure, setSure] = useState(false);
  const params = { params: { path: { name: one.id } } };
  const rotate = useMutation({
    mutationFn: () => told(api.POST("/api/keys/{name}/rotate", params)),
    onSuccess: onRotated,
  });
  const revoke = useMutation({
    mutationFn: () => told(api.DELETE("/api/keys/{name}", params)),
    onSuccess: () => {
      say(`The key of ${one.name} is revoked: it opens nothing any more.`);
      return again();
    },
  });
  if (one.status !== "valid" && one.status !== "replaced") return null;
  return (
    <span className="flex flex-wrap gap-1">
      {one.status === "valid" && (
        <Button
          aria-label={`rotate the key of ${one.name}`}
          busy={rotate.isPending}
          onClick={() => rotate.mutate()}
        >
          Rotate
        </Button>
      )}
      {sure ? (
        <>
          <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
            Really revoke
          </Button>
          <Button look="quiet" onClick={() => setSure(false)}>
            Keep
          </Button>
        </>
      ) : (
        <Button look="quiet" aria-label={`revoke the key of ${one.name}`} onClick={() => setSure(true)}>
          Revoke
        </Button>
      )}
    </span>
  );
}
