// A request that is sent twice, by a second press or a bad line, is done once.
import { useState } from "react";

/** For the Idempotency-Key of what one form sends: the same for the same body, as long as the form is there. */
export function useOnce(): (body: unknown) => string {
  const [key] = useState(
    () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`,
  );
  return (body) => `${key} ${digest(JSON.stringify(body))}`;
}

/** Short, and another for another text; it guards nothing. */
function digest(text: string): string {
  let sum = 5381;
  for (let at = 0; at < text.length; at++) sum = (sum * 33 + text.charCodeAt(at)) | 0;
  return (sum >>> 0).toString(36);
}
