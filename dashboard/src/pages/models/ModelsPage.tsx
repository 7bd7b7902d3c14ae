// Which models can be asked, at what price, and what they cost so far. Keys are named here, never shown.
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "~/api/client";
import { modelsQuery } from "~/api/queries";
import { digits, dollars } from "~/lib/format";
import { Badge, Card, cx, Head } from "~/ui/kit";
import { Asked, Empty, Loading } from "~/ui/states";
import { Table } from "~/ui/table";

type Models = Schemas["Models"];

export function ModelsPage() {
  const query = useQuery({ ...modelsQuery, refetchInterval: 10_000 });
  return (
    <>
      <Head title="Models" about="Which can be asked, at what price, and how they do" />
      <Asked query={query} loading={<Loading what="the models" rows={6} />}>
        {(models) => (
          <div className="space-y-4">
            {models.offline && (
              <p className="rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
                This server is offline: only what is built in can be asked.
              </p>
            )}
            <BuiltIn models={models} />
            <Deployments deployments={models.deployments} />
            <Routes routes={models.routes} />
            <Spend models={models} />
          </div>
        )}
      </Asked>
    </>
  );
}

function BuiltIn({ models }: { models: Models }) {
  const named = models.can_be_asked.filter((one) => !models.built_in.includes(one));
  return (
    <Card title="Can be asked now">
      <p className="flex flex-wrap items-center gap-1 text-sm">
        {models.built_in.map((one) => (
          <Badge key={one} tone="good">
            <span aria-hidden>✓</span>
            {one}
          </Badge>
        ))}
        <span className="text-muted">built in, free and without a key</span>
      </p>
      {named.length > 0 && (
        <p className="mt-2 flex flex-wrap gap-1">
          {named.map((one) => (
            <Badge key={one} tone="accent">
              {one}
            </Badge>
          ))}
        </p>
      )}
    </Card>
  );
}

const BREAKERS: Record<string, ["good" | "warn" | "bad", string, string]> = {
  closed: ["good", "✓", "answers"],
  "half-open": ["warn", "◌", "is being tried again"],
  open: ["bad", "✕", "failed too often; it rests"],
};

function Deployments({ deployments }: { deployments: Schemas["Deployment"][] }) {
  if (deployments.length === 0)
    return (
      <Empty title="No model elsewhere is set up">
        Set the variable that holds its key, such as ANTHROPIC_API_KEY or OLLAMA_URL, in the environment or in
        the .env beside windtunnel.toml, and start the server anew.
      </Empty>
    );
  return (
    <Card title="Deployments">
      <Table
        label="deployments"
        columns={["Name", "Model", "Health", "Key", "Price for a million tokens", "At once"]}
        right={[5]}
        rows={deployments.map((one) => ({
          key: one.name,
          cells: [
            <span key="name">
              <span className="font-medium">{one.name}</span>
              <span className="block text-muted text-xs">{one.where || one.address}</span>
            </span>,
            one.model,
            <Health key="health" one={one} />,
            <KeyState key="key" one={one} />,
            price(one),
            String(one.concurrency),
          ],
        }))}
      />
    </Card>
  );
}

function Health({ one }: { one: Schemas["Deployment"] }) {
  if (one.problem)
    return (
      <span className="text-bad">
        <span aria-hidden>✕ </span>
        {one.problem}
      </span>
    );
  const [tone, sign, said] = BREAKERS[one.breaker] ?? ["warn", "?", one.breaker];
  return (
    <Badge tone={tone} title={`its breaker is ${one.breaker}`}>
      <span aria-hidden>{sign}</span>
      {said}
    </Badge>
  );
}

function KeyState({ one }: { one: Schemas["Deployment"] }) {
  if (!one.key) return <span className="text-muted">none needed</span>;
  return (
    <span className={cx(!one.key_set && "text-bad")}>
      <code className="font-mono text-xs">{one.key}</code> {one.key_set ? "is set" : "is not set"}
    </span>
  );
}

function price(one: Schemas["Deployment"]): string {
  if (one.free) return "free";
  const known = Object.entries(one.price ?? {}).filter(([, value]) => typeof value === "number");
  if (known.length === 0) return "not known";
  return known.map(([name, value]) => `${name} ${dollars(value as number)}`).join(", ");
}

function Routes({ routes }: { routes: Schemas["ModelRoute"][] }) {
  if (routes.length === 0) return null;
  return (
    <Card title="Routes">
      <div className="space-y-3 text-sm">
        {routes.map((one) => (
          <section key={one.name}>
            <h3 className="font-medium">{one.name}</h3>
            <p>
              {one.order.length > 0 ? (
                <>asks {one.order.join(", then ")}</>
              ) : (
                <span className="text-muted">nothing of it can be asked now</span>
              )}
            </p>
            {one.left_out.length > 0 && (
              <ul className="mt-1 list-disc pl-5 text-muted text-xs">
                {one.left_out.map((why) => (
                  <li key={why}>{why}</li>
                ))}
              </ul>
            )}
          </section>
        ))}
      </div>
    </Card>
  );
}

function Spend({ models }: { models: Models }) {
  const limits = Object.entries(models.budgets);
  return (
    <Card title="Spent">
      {models.accounts.length === 0 ? (
        <p className="text-muted text-sm">
          Nothing was spent yet. What is asked with a price is counted here.
        </p>
      ) : (
        <Table
          label="spent by account"
          columns={["Account", "Spent", "Reserved", "Tokens", "In doubt"]}
          right={[1, 2, 3, 4]}
          rows={models.accounts.map((one) => ({
            key: one.account,
            cells: [
              one.account,
              dollars(one.spent),
              dollars(one.reserved),
              digits(one.tokens),
              String(one.in_doubt),
            ],
          }))}
        />
      )}
      {limits.length > 0 && (
        <dl className="mt-3 flex flex-wrap gap-x-6 gap-y-1 text-sm">
          {limits.map(([name, value]) => (
            <div key={name} className="flex gap-2">
              <dt className="text-muted">limit: {name.replaceAll("_", " ")}</dt>
              <dd className="figures">{String(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}
