// Busy runs say a lot; a page that asks again at each word would ask without end.

/** `act` now, and then at most once in `ms`; the last call is never lost. */
export function calmly(act: () => void, ms: number): () => void {
  let pausing: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const done = (): void => {
    pausing = undefined;
    if (again) call();
  };
  const call = (): void => {
    if (pausing !== undefined) {
      again = true;
      return;
    }
    again = false;
    pausing = setTimeout(done, ms);
    act();
  };
  return call;
}
