// Who is to come, and what they may do.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { enter } from "~/api/auth";
import { api, type Schemas, told } from "~/api/client";
import { whileEntering } from "~/app/asking";
import { Button, FIELD } from "~/ui/kit";
import { Trouble } from "~/ui/states";

const ROLES = [
  ["viewer", "looks"],
  ["operator", "looks; starts, steers and forks runs"],
  ["approver", "looks; votes on what waits for people"],
  ["admin", "all of it, and keys"],
] as const;
type Role = (typeof ROLES)[number][0];

export function MakeKey({ first, onMade }: { first: boolean; onMade: (key: Schemas["NewKey"]) => void }) {
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<Role[]>([first ? "admin" : "viewer"]);
  const [days, setDays] = useState("");
  const make = useMakeKey(first, onMade);
  const flip = (role: Role) =>
    setRoles(roles.includes(role) ? roles.filter((one) => one !== role) : [...roles, role]);
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate({ name: name.trim(), roles, ...(days && { days: Number(days) }) });
      }}
    >
      {first && (
        <p className="rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
          This is the first key: from now on this server asks everybody for one. So it is an admin's, and you
          are logged in with it. Keep it well.
        </p>
      )}
      <label className="block text-sm">
        Name <span className="text-muted text-xs">who it is in votes and in the audit log</span>
        <input required className={FIELD} value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      <fieldset className="space-y-1 text-sm">
        <legend>May</legend>
        {ROLES.map(([role, about]) => (
          <label key={role} className="flex items-baseline gap-2">
            <input
              type="checkbox"
              className="accent-accent"
              checked={roles.includes(role)}
              disabled={first && role === "admin"}
              onChange={() => flip(role)}
            />
            {role} <span className="text-muted text-xs">{about}</span>
          </label>
        ))}
      </fieldset>
      <label className="block text-sm">
        Days until it ends <span className="text-muted text-xs">never, if empty</span>
        <input
          type="number"
          min={1}
          className={FIELD}
          value={days}
          onChange={(event) => setDays(event.target.value)}
        />
      </label>
      {make.error && <Trouble error={make.error} />}
      <Button type="submit" look="primary" busy={make.isPending} disabled={roles.length === 0}>
        Make it
      </Button>
    </form>
  );
}

function useMakeKey(first: boolean, onMade: (key: Schemas["NewKey"]) => void) {
  return useMutation({
    meta: { quiet: true },
    mutationFn: async (body: Schemas["KeyRequest"]) => {
      const make = () => told(api.POST("/api/keys", { body }));
      if (!first) return make();
      // The server closes within a second: whoever made the first key would be asked to log in before they
      // had copied it.
      return whileEntering(async () => {
        const made = await make();
        await enter(made.secret).catch(() => undefined);
        return made;
      });
    },
    onSuccess: onMade,
  });
}
