import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Message, Stream } from "./stream";

class Wire {
  static all: Wire[] = [];
  static readonly OPEN = 1;
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number }) => void;
  constructor(readonly url: string) {
    Wire.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close(code = 1000) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const last = (): Wire => {
  const wire = Wire.all.at(-1);
  if (!wire) throw new Error("nobody connected");
  return wire;
};
const progress = (turn: number, cursor: string) => ({
  type: "progress",
  kind: "run",
  channel: "run:a",
  run_id: "a",
  turn,
  cursor,
});

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Wire);
  Wire.all = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function followed(): { stream: Stream; heard: number[] } {
  const stream = new Stream("ws://here/api/stream");
  const heard: number[] = [];
  stream.subscribe("run:a", { after: "start" }, (message) => heard.push(message.turn ?? -1));
  last().open();
  return { stream, heard };
}

test("after a broken line it goes on from its cursor", () => {
  const { stream, heard } = followed();
  expect(last().sent).toEqual([{ subscribe: "run:a", after: "start" }]);
  last().says(progress(1, "c1"));
  last().says(progress(2, "c2"));
  last().close(1006);
  expect(stream.state).toBe("broken");
  vi.advanceTimersByTime(1_000);
  last().open();
  expect(Wire.all).toHaveLength(2);
  expect(last().sent).toEqual([{ subscribe: "run:a", after: "c2" }]);
  last().says(progress(3, "c3"));
  expect(heard).toEqual([1, 2, 3]);
  expect(stream.state).toBe("live");
});

test("it waits longer from failure to failure, and never for long", () => {
  followed();
  for (let tries = 0; tries < 12; tries++) {
    last().close(1006);
    vi.advanceTimersByTime(8_000 * 1.3);
  }
  expect(Wire.all).toHaveLength(13);
  const before = Wire.all.length;
  last().close(1006);
  vi.advanceTimersByTime(1_000);
  expect(Wire.all).toHaveLength(before);
});

test("a line that is silent for too long is given up", () => {
  followed();
  last().says({ type: "heartbeat" });
  vi.advanceTimersByTime(39_000);
  expect(last().readyState).toBe(1);
  vi.advanceTimersByTime(2_000);
  expect(Wire.all[0]?.readyState).toBe(3);
});

test("two listeners share one subscription, told as the more curious wants it", () => {
  const { stream } = followed();
  const more = stream.subscribe("run:a", { entries: true, every: 0.5 }, () => {});
  expect(last().sent.at(-1)).toEqual({ subscribe: "run:a", entries: true, every: 0.5, after: "start" });
  more();
  expect(last().sent.at(-1)).toEqual({ subscribe: "run:a", after: "start" });
});

test("the last to leave closes the line", () => {
  const stream = new Stream("ws://here/api/stream");
  const leave = stream.subscribe("runs", {}, () => {});
  last().open();
  leave();
  expect(last().sent.at(-1)).toEqual({ unsubscribe: "runs" });
  expect(last().readyState).toBe(3);
  vi.advanceTimersByTime(60_000);
  expect(Wire.all).toHaveLength(1);
});

test("a cursor that no longer holds is forgotten, and the channel begun anew", () => {
  followed();
  last().says({ type: "error", channel: "run:a", error: { message: "this cursor is ahead of its run" } });
  expect(last().sent.at(-1)).toEqual({ subscribe: "run:a" });
  const said = last().sent.length;
  last().says({ type: "error", channel: "run:a", error: { message: "no such run" } });
  expect(last().sent).toHaveLength(said);
});

test("who is not let in does not knock again until told to", () => {
  const { stream } = followed();
  last().close(1008);
  vi.advanceTimersByTime(60_000);
  expect(stream.state).toBe("denied");
  expect(Wire.all).toHaveLength(1);
  stream.retry();
  expect(Wire.all).toHaveLength(2);
});

test("a listener that leaves while it is told does not stop the others", () => {
  const stream = new Stream("ws://here/api/stream");
  const heard: string[] = [];
  const leave = stream.subscribe("runs", {}, () => {
    heard.push("first");
    leave();
  });
  stream.subscribe("runs", {}, (message: Message) => heard.push(message.type));
  last().open();
  last().says({ type: "start", kind: "run", channel: "runs" });
  last().says({ type: "complete", kind: "run", channel: "runs" });
  expect(heard).toEqual(["first", "start", "complete"]);
});
