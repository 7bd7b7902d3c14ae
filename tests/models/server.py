"""A small provider on loopback: it answers in the dialect of the path that is asked, or as a script says."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Answer(NamedTuple):
    """What goes back; `text` is put into the dialect of the path unless `raw` is given."""

    text: str = "ready"
    status: int = 200
    raw: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    call: tuple[str, dict[str, Any]] | None = None
    finish: str = "stop"
    refusal: str | None = None
    tokens: tuple[int, int] | None = (20, 5)
    hang: bool = False
    cut: bool = False


Script = Callable[[Request], Answer]


class Server:
    def __init__(self, script: Script) -> None:
        self.script, self.log = script, list[Request]()
        self.port = self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:]) if k}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(head[0].split(" ")[1], headers, json.loads(raw or b"{}"))
        self.log.append(request)
        answer = self.script(request)
        if answer.hang:
            await asyncio.sleep(30)
        body = answer.raw if answer.raw is not None else json.dumps(dialect(request, answer)).encode()
        lines = [f"HTTP/1.1 {answer.status} X", f"content-length: {len(body)}"]
        lines += ["content-type: application/json", *(f"{k}: {v}" for k, v in answer.headers)]
        sent = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        if answer.cut:
            writer.write(sent[: -len(body) // 2])
            return False
        writer.write(sent)
        await writer.drain()
        return True


def dialect(request: Request, answer: Answer) -> dict[str, Any]:
    for part, speak in DIALECTS:
        if part in request.path:
            return speak(request, answer)
    return {"error": {"message": f"no such path: {request.path}"}}


def openai_chat(request: Request, answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": answer.refusal}
    if answer.call is not None:
        name, arguments = answer.call
        function = {"name": name, "arguments": json.dumps(arguments)}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    found = {
        "id": "chat_1", "object": "chat.completion", "created": 1, "model": request.body.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish}],
    }  # fmt: skip
    if answer.tokens is not None:
        used, made = answer.tokens
        found["usage"] = {"prompt_tokens": used, "completion_tokens": made, "total_tokens": used + made}
    return found


def openai_responses(request: Request, answer: Answer) -> dict[str, Any]:
    used, made = answer.tokens or (0, 0)
    content = [{"type": "output_text", "text": answer.text, "annotations": []}]
    output: list[dict[str, Any]] = [
        {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": content}
    ]
    if answer.call is not None:
        name, arguments = answer.call
        output = [
            {"id": "f1", "type": "function_call", "call_id": "call_1", "name": name,
             "arguments": json.dumps(arguments), "status": "completed"}
        ]  # fmt: skip
    return {
        "id": "r1", "object": "response", "created_at": 1, "model": request.body["model"], "output": output,
        "status": "completed", "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None,
        "usage": {
            "input_tokens": used, "output_tokens": made, "total_tokens": used + made,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }  # fmt: skip


def anthropic(request: Request, answer: Answer) -> dict[str, Any]:
    used, made = answer.tokens or (0, 0)
    content: list[dict[str, Any]] = [{"type": "text", "text": answer.text}]
    if answer.call is not None:
        content = [{"type": "tool_use", "id": "call_1", "name": answer.call[0], "input": answer.call[1]}]
    ends = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
    return {
        "id": "m1", "type": "message", "role": "assistant", "model": request.body["model"],
        "content": content, "stop_reason": ends[answer.finish], "stop_sequence": None,
        "usage": {"input_tokens": used, "output_tokens": made},
    }  # fmt: skip


def gemini(_request: Request, answer: Answer) -> dict[str, Any]:
    used, made = answer.tokens or (0, 0)
    part: dict[str, Any] = {"text": answer.text}
    if answer.call is not None:
        part = {"functionCall": {"name": answer.call[0], "args": answer.call[1]}}
    ends = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
    return {
        "candidates": [
            {"content": {"role": "model", "parts": [part]}, "finishReason": ends[answer.finish], "index": 0}
        ],
        "modelVersion": "gemini-as-answered",
        "usageMetadata": {
            "promptTokenCount": used, "candidatesTokenCount": made, "totalTokenCount": used + made,
        },
    }  # fmt: skip


DIALECTS = (
    ("/chat/completions", openai_chat),
    ("/responses", openai_responses),
    ("/messages", anthropic),
    (":generateContent", gemini),
)


@contextmanager
def serving(script: Script | None = None) -> Iterator[Server]:
    """The server, on a thread of its own."""
    server = Server(script or (lambda _: Answer()))
    up, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def main() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 22)
        server.port = listening.sockets[0].getsockname()[1]
        up.set()
        await stop.wait()
        listening.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def run() -> None:
        loop.run_until_complete(main())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert up.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
