import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { calmly } from "./calm";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("calmly", () => {
  it("acts at once, and once more for all that came in the pause", () => {
    const act = vi.fn();
    const call = calmly(act, 500);
    for (let n = 0; n < 50; n++) call();
    expect(act).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(500);
    expect(act).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(5_000);
    expect(act).toHaveBeenCalledTimes(2);
  });

  it("keeps the pause after the last call, too", () => {
    const act = vi.fn();
    const call = calmly(act, 500);
    call();
    call();
    vi.advanceTimersByTime(500);
    call();
    expect(act).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(500);
    expect(act).toHaveBeenCalledTimes(3);
  });
});
