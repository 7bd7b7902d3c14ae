"""The clients of `fanout`, in a process of their own: many WebSockets on one selector, with the least work a
client can do. Told what to do on stdin: `PORT COUNT PATH SAY`; after that, each line is a number of events to
hear on every line, answered with the latencies when all have.

A message holds the moment of its event as `"sent":NANOSECONDS`, of the clock that all processes of a machine
share.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import socket
import struct
import sys
import time

SENT = b'"sent":'
SECONDS = 120
READY = b'"subscribed"'


class Listener:
    def __init__(self, port: int, path: str, say: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.pending = b""
        while b"\r\n\r\n" not in self.pending:
            self.pending += self.socket.recv(4096)
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise SystemExit(head.decode())
        if say:
            payload = say.encode()
            self.socket.sendall(b"\x81" + bytes([0x80 | len(payload)]) + b"\0\0\0\0" + payload)
        messages = self.parse(b"")  # it may have come with the handshake
        while not any(READY in message for message in messages):
            messages = self.take()
        self.socket.setblocking(False)

    def take(self) -> list[bytes]:
        """The text messages that came."""
        fresh = self.socket.recv(1 << 18)
        if not fresh:
            raise SystemExit("the server closed a line")
        return self.parse(fresh)

    def parse(self, fresh: bytes) -> list[bytes]:
        data = self.pending + fresh
        messages, at, size = [], 0, len(data)
        while at + 2 <= size:
            length, begin = data[at + 1], at + 2
            if length == 126:
                if begin + 2 > size:
                    break
                (length,) = struct.unpack_from("!H", data, begin)
                begin += 2
            elif length == 127:
                raise SystemExit("a message larger than this bench sends")
            if begin + length > size:
                break
            if data[at] == 0x81:
                messages.append(data[begin : begin + length])
            at = begin + length
        self.pending = data[at:]
        return messages


def hear(selector: selectors.BaseSelector, want: int) -> list[int]:
    """The latencies, in nanoseconds, of so many messages."""
    found: list[int] = []
    deadline = time.monotonic() + SECONDS
    while len(found) < want and time.monotonic() < deadline:
        for key, _ in selector.select(1.0):
            for message in key.data.take():
                at = message.find(SENT)
                if at >= 0:
                    sent = message[at + len(SENT) :]
                    found.append(time.monotonic_ns() - int(sent[: sent.find(b"}")].split(b",")[0]))
    return found


def main() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    port, count, path, say = json.loads(sys.stdin.readline())
    selector = selectors.DefaultSelector()
    for _ in range(count):
        listener = Listener(port, path, say)
        selector.register(listener.socket, selectors.EVENT_READ, listener)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(hear(selector, int(line) * count)), flush=True)
    os._exit(0)  # a thousand lines are not closed one after another


if __name__ == "__main__":
    main()
