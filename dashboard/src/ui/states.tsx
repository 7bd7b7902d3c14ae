// What a page shows when it has nothing to show yet, nothing at all, or something went wrong.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "~/api/client";
import { Button, Copy } from "./kit";

export function Loading({ what = "loading", rows = 3 }: { what?: string; rows?: number }) {
  return (
    <div role="status" className="space-y-2 py-2">
      <span className="sr-only">{what}</span>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className="h-5 animate-pulse rounded bg-raised" style={{ width: `${92 - at * 14}%` }} />
      ))}
    </div>
  );
}

/** Nothing here: what it would be, and the next step. */
export function Empty({
  title,
  children,
  command,
}: {
  title: string;
  children?: ReactNode;
  command?: string;
}) {
  return (
    <div className="rounded-lg border border-line border-dashed bg-surface px-4 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children && <div className="mx-auto mt-1 max-w-prose text-muted text-sm">{children}</div>}
      {command && (
        <p className="mt-3 inline-block max-w-full rounded-md bg-raised px-2 py-1">
          <Copy text={command} label="copy the command" />
        </p>
      )}
    </div>
  );
}

export function Trouble({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof Problem ? error : null;
  return (
    <div role="alert" className="rounded-lg border border-bad/40 bg-bad-soft px-4 py-3 text-sm">
      <p className="font-medium text-bad">{error instanceof Error ? error.message : String(error)}</p>
      {problem?.errors.map((one) => (
        <p key={one.field} className="mt-1">
          <code className="font-mono text-xs">{one.field.replace(/^body\./, "")}</code>: {one.message}
        </p>
      ))}
      {problem?.remedy && <p className="mt-1">{problem.remedy}</p>}
      {problem?.requestId && <p className="mt-1 text-muted text-xs">request {problem.requestId}</p>}
      {retry && (
        <Button className="mt-2" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** A query's data, or the state that it is in. Data once there stay while they are asked for again. */
export function Asked<T>({
  query,
  children,
  loading,
}: {
  query: UseQueryResult<T>;
  children: (data: NonNullable<T>) => ReactNode;
  loading?: ReactNode;
}) {
  if (query.data !== undefined && query.data !== null) return <>{children(query.data)}</>;
  if (query.error) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  return <>{loading ?? <Loading />}</>;
}
