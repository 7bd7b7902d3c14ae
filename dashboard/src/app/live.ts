// Pages that are asked for anew when the stream says that something of them has changed.
import type { QueryKey } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useChannel } from "~/api/stream";
import { queryClient } from "./asking";

const BREATH = 1_000; // ms between two questions for what the stream says has changed

/** The stream says that something changed; what that is, the server is asked, once in a while. */
export function useLive(channel: string | null, ...keys: QueryKey[]): void {
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(later.current), []);
  useChannel(channel, () => {
    later.current ??= setTimeout(() => {
      later.current = undefined;
      for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
    }, BREATH);
  });
}
