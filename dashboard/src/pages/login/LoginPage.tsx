// The way in: an account elsewhere, or a key. The key goes to the server once and is kept nowhere on this page.
import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { enter, waysIn } from "~/api/auth";
import { BASE } from "~/api/client";
import { Button, Card, FIELD, Head } from "~/ui/kit";
import { Asked, Trouble } from "~/ui/states";
import { onward } from "./onward";

const waysQuery = queryOptions({ queryKey: ["ways in"], queryFn: ({ signal }) => waysIn(signal) });

const SPOKEN: Record<string, string> = { github: "GitHub", google: "Google" };

export function LoginPage() {
  const next = onward(useSearch({ from: "/login" }).next);
  const ways = useQuery(waysQuery);
  return (
    <div className="mx-auto max-w-md">
      <Head title="Log in" about="This server asks who comes" />
      <Asked query={ways}>
        {({ items, key }) => (
          <div className="space-y-4">
            {items.length > 0 && (
              <Card title="With an account">
                <div className="space-y-2">
                  {items.map((one) => (
                    <a
                      key={one.name}
                      href={`${BASE}/auth/login/${one.name}?next=${encodeURIComponent(next)}`}
                      className="flex min-h-10 items-center justify-center rounded-md border border-line font-medium text-sm hover:bg-raised"
                    >
                      Go on with {SPOKEN[one.name] ?? one.name}
                    </a>
                  ))}
                </div>
              </Card>
            )}
            {key && <WithKey next={next} />}
            {!key && items.length === 0 && <NoNeed next={next} />}
          </div>
        )}
      </Asked>
    </div>
  );
}

function WithKey({ next }: { next: string }) {
  const [key, setKey] = useState("");
  const login = useMutation({
    meta: { quiet: true },
    mutationFn: () => enter(key.trim()),
    onSuccess: () => location.assign(BASE + next),
  });
  return (
    <Card title="With a key">
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim()) login.mutate();
        }}
      >
        <label className="block text-sm">
          Key
          <input
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            placeholder="wt_…"
            maxLength={200}
            className={`${FIELD} font-mono`}
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        <p className="text-muted text-xs">
          An admin makes keys, with{" "}
          <code className="font-mono">windtunnel keys create NAME --role operator</code> or at System. This
          page hands it over once and does not keep it.
        </p>
        {login.error && <Trouble error={login.error} />}
        <Button type="submit" look="primary" busy={login.isPending || login.isSuccess} disabled={!key.trim()}>
          Log in
        </Button>
      </form>
    </Card>
  );
}

function NoNeed({ next }: { next: string }) {
  return (
    <Card>
      <p className="text-sm">On this server nobody is asked who they are.</p>
      <a href={BASE + next} className="mt-2 inline-block text-accent text-sm underline">
        Go on
      </a>
    </Card>
  );
}
