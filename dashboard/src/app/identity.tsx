// Who one is here: under which name one acts, with which roles, and how to leave.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { actingAs, BASE } from "~/api/client";
import { meQuery } from "~/api/queries";
import { stream } from "~/api/stream";
import { Dialog } from "~/ui/dialog";
import { Badge, Button, FIELD } from "~/ui/kit";
import { queryClient } from "./asking";

export function Identity({ onClose }: { onClose: () => void }) {
  const { data: me } = useQuery(meQuery);
  const [name, setName] = useState(actingAs.get());
  const local = me?.via !== "session" && me?.via !== "key";
  const leave = async () => {
    await fetch(`${BASE}/auth/logout`, { method: "POST" });
    location.assign(`${BASE}/login`);
  };
  return (
    <Dialog title="Who you are" open onClose={onClose}>
      <p className="text-sm">
        {me?.name}{" "}
        {me?.roles.map((role) => (
          <Badge key={role}>{role}</Badge>
        ))}
      </p>
      {local ? (
        <form
          className="mt-3 space-y-2 text-sm"
          onSubmit={(event) => {
            event.preventDefault();
            actingAs.set(name.trim());
            stream.retry();
            void queryClient.invalidateQueries();
            onClose();
          }}
        >
          <label className="block">
            Act under the name
            <input
              className={FIELD}
              value={name}
              onChange={(event) => setName(event.target.value)}
              maxLength={64}
              pattern="[A-Za-z0-9][A-Za-z0-9._@\-]*"
              title="letters, digits and . _ @ -"
              autoComplete="nickname"
            />
          </label>
          <p className="text-muted text-xs">
            On this machine nobody is asked to log in. Votes still count by name: where two people must
            approve, two names must.
          </p>
          <Button type="submit" look="primary">
            Use this name
          </Button>
        </form>
      ) : (
        <Button className="mt-3" onClick={leave}>
          Log out
        </Button>
      )}
    </Dialog>
  );
}
