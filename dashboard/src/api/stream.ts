// One WebSocket for the whole page. Channels are shared by whoever listens; after a broken line each goes on
// from its cursor, so that nothing is missed or heard twice.
import { useEffect, useRef, useSyncExternalStore } from "react";
import { BASE } from "./client";

export interface Message {
  type: "start" | "progress" | "complete";
  kind: "run" | "entry" | "operation" | "effect" | "state" | "approval" | "task";
  channel: string;
  cursor?: string;
  run_id?: string;
  turn?: number;
  max_turns?: number;
  status?: string;
  body?: Record<string, unknown>;
}

export interface Options {
  /** A cursor, or "start" for all there is; from now on by default. */
  after?: string;
  entries?: boolean;
  words?: boolean;
  state?: boolean;
  every?: number;
}

type Listener = (message: Message) => void;
/** "denied": the line is not for this person, and is not asked for again until something changes. */
export type LineState = "idle" | "connecting" | "live" | "broken" | "denied";

interface Channel {
  listeners: Map<Listener, Options>;
  cursor: string | undefined;
  said: string;
}

const TOLD = new Set(["start", "progress", "complete"]);
const LONGEST_WAIT = 8_000;
const SILENCE = 40_000; // the server beats every 15 s

export class Stream {
  private socket: WebSocket | null = null;
  private readonly channels = new Map<string, Channel>();
  private readonly watchers = new Set<() => void>();
  private again: ReturnType<typeof setTimeout> | undefined;
  private quiet: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  state: LineState = "idle";

  constructor(private readonly url: string) {}

  subscribe(channel: string, options: Options, listener: Listener): () => void {
    const known = this.channels.get(channel);
    const one = known ?? { listeners: new Map(), cursor: options.after, said: "" };
    this.channels.set(channel, one);
    one.listeners.set(listener, options);
    this.tell(channel, one);
    this.connect();
    return () => {
      one.listeners.delete(listener);
      if (one.listeners.size > 0) return this.tell(channel, one);
      if (this.channels.get(channel) !== one) return;
      this.channels.delete(channel);
      if (one.said) this.send({ unsubscribe: channel });
      if (this.channels.size === 0) this.close();
    };
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Try now: the person came back to the page, or has just logged in. */
  retry = (): void => {
    if (this.channels.size === 0 || this.state === "live" || this.state === "connecting") return;
    clearTimeout(this.again);
    this.socket = null;
    this.connect();
  };

  private connect(): void {
    if (this.socket || this.channels.size === 0) return;
    this.become("connecting");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      if (socket !== this.socket) return socket.close();
      this.become("live");
      this.heard();
      for (const [name, channel] of this.channels) {
        channel.said = "";
        this.tell(name, channel);
      }
    };
    socket.onmessage = (event) => {
      if (socket === this.socket) this.receive(String(event.data));
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      this.socket = null;
      clearTimeout(this.quiet);
      if (this.channels.size === 0) return this.become("idle");
      if (event.code === 1008) return this.become("denied");
      this.become("broken");
      const wait = Math.min(LONGEST_WAIT, 250 * 2 ** this.failures++);
      this.again = setTimeout(() => this.connect(), wait * (0.7 + Math.random() * 0.6));
    };
  }

  private receive(text: string): void {
    this.heard();
    const said = JSON.parse(text) as { type: string; channel?: string; cursor?: string };
    const channel = said.channel === undefined ? undefined : this.channels.get(said.channel);
    if (said.channel === undefined || !channel) return;
    if (said.type === "error") {
      // A cursor of a store that was put back holds no more: begin with what there is.
      if (channel.cursor === undefined) return;
      channel.cursor = undefined;
      channel.said = "";
      return this.tell(said.channel, channel);
    }
    this.failures = 0;
    if (said.cursor) channel.cursor = said.cursor;
    if (!TOLD.has(said.type)) return;
    for (const listener of [...channel.listeners.keys()]) listener(said as Message);
  }

  private tell(name: string, channel: Channel): void {
    const all = [...channel.listeners.values()];
    const slowest = all.map((one) => one.every).filter((one) => one !== undefined);
    const how = {
      ...(all.some((one) => one.entries) && { entries: true }),
      ...(all.some((one) => one.words) && { words: true }),
      ...(all.some((one) => one.state) && { state: true }),
      ...(slowest.length > 0 && { every: Math.min(...slowest) }),
    };
    const said = JSON.stringify(how);
    if (said === channel.said || this.socket?.readyState !== WebSocket.OPEN) return;
    channel.said = said;
    this.send({ subscribe: name, ...how, ...(channel.cursor && { after: channel.cursor }) });
  }

  private send(what: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(what));
  }

  private heard(): void {
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.socket?.close(), SILENCE);
  }

  private close(): void {
    clearTimeout(this.again);
    clearTimeout(this.quiet);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.become("idle");
  }

  private become(state: LineState): void {
    if (state === this.state) return;
    this.state = state;
    for (const watcher of this.watchers) watcher();
  }
}

export const stream = new Stream(`${BASE.replace(/^http/, "ws")}/api/stream`);
window.addEventListener("online", stream.retry);
document.addEventListener("visibilitychange", () => document.hidden || stream.retry());

export const useLine = (): LineState => useSyncExternalStore(stream.watch, () => stream.state);

/** Listen to a channel while the component is there; `null` listens to nothing. */
export function useChannel(channel: string | null, listener: Listener, options: Options = {}): void {
  const latest = useRef(listener);
  latest.current = listener;
  const said = JSON.stringify(options);
  useEffect(() => {
    if (channel === null) return;
    return stream.subscribe(channel, JSON.parse(said) as Options, (message) => latest.current(message));
  }, [channel, said]);
}
