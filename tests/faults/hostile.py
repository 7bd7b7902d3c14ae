"""Replies that mean harm, byte for byte as a server of OpenAI's chat dialect could send them."""

from __future__ import annotations

import json

from tests.faults.bank import decision
from windtunnel.testing.provider import Answer, garbage

USAGE = '{"prompt_tokens":200,"completion_tokens":20,"total_tokens":220}'
DEEP = 100_000
MANY = 10 << 20


def raw(message: str, usage: str = USAGE, *, model: str = '"m"', end: str = '"stop"') -> Answer:
    """A whole response around a message: both as JSON, or what passes for it."""
    choice = f'{{"index":0,"finish_reason":{end},"message":{message}}}'
    return garbage(
        f'{{"id":"x","object":"chat.completion","created":1,"model":{model},"choices":[{choice}],"usage":{usage}}}'
    )


def text(content: str) -> str:
    return f'{{"role":"assistant","content":{json.dumps(content)}}}'


def quoted(content: str) -> str:
    """Content that is JSON text already, escapes and all."""
    return f'{{"role":"assistant","content":"{content}"}}'


def called(*calls: tuple[str, str, str]) -> str:
    """Calls of tools: id, name and arguments, as JSON each."""
    made = [
        f'{{"id":{id},"type":"function","function":{{"name":{name},"arguments":{arguments}}}}}'
        for id, name, arguments in calls  # noqa: A001 - as the dialect calls it
    ]
    return f'{{"role":"assistant","content":null,"tool_calls":[{",".join(made)}]}}'


def rich(arguments: str, id: str = '"a"') -> str:  # noqa: A002 - as the dialect calls it
    return called((id, '"rich"', json.dumps(arguments)))


MOVE = '{"why": "x", "action": {"type": "Transfer", "to": "g1", "amount": %s}}'

TEXTS = {
    "deep objects": raw(text('{"action":' * DEEP)),
    "deep lists": raw(text('{"action": ' + "[" * DEEP + "]" * DEEP + "}")),
    "a deep field": raw(text('{"why": ' + "[" * 500 + "]" * 500 + ', "action": {"type": "Fly"}}')),
    "a deep action": raw(
        text('{"why": "x", "action": {"type": "Say", "text": ' + "[" * 900 + "]" * 900 + "}}")
    ),
    "ten megabytes": raw(text("x" * MANY)),
    "ten megabytes of braces": raw(text("{" * MANY)),
    "ten megabytes of an action": raw(text(decision({"type": "Fly", "text": "x" * MANY}))),
    "forty megabytes": raw(text("x" * (40 << 20))),
    "control characters": raw(text("\x00\x1b[31m\x07" + decision({"type": "Fly", "\x00": "\x1b[2J"}))),
    "not a number": raw(text(MOVE % "NaN")),
    "infinity": raw(text(MOVE % "-Infinity")),
    "a float without end": raw(text(MOVE % "1e999")),
    "an integer without end": raw(text(MOVE % ("9" * 5000))),
    "beyond 64 bits": raw(text(MOVE % (2**70))),
    "half a character": raw(quoted("\\ud800 half")),
    "half a character in an action": raw(
        quoted('{\\"why\\": \\"x\\", \\"action\\": {\\"type\\": \\"Fly\\", \\"text\\": \\"\\ud800\\"}}')
    ),
    "half a character, escaped again": raw(
        text('{"why": "\\ud800", "action": {"type": "Say", "text": "\\ud800"}}')
    ),
    "backwards and invisible": raw(
        text("\u202e\u2066\u200b" + decision({"type": "Trans\u200bfer", "to": "g1"}))
    ),
    "letters of another alphabet": raw(text(decision({"type": "Tr\u0430nsfer", "to": "g1", "amount": 1}))),
    "a list of actions": raw(text('{"why": "x", "action": [{"type": "Say"}, {"type": "Transfer"}]}')),
    "null": raw(text('{"why": null, "action": null}')),
}
CALLS = {
    "huge arguments": raw(rich(json.dumps({"than": "9" * (5 << 20)}))),
    "deep arguments": raw(rich('{"than":' * DEEP)),
    "deep arguments that end": raw(rich('{"than":' + "[" * 700 + "]" * 700 + "}")),
    "deep whole arguments": raw(rich('{"than":' + "[" * DEEP + "]" * DEEP + "}")),
    "arguments that are no number": raw(rich('{"than": NaN}')),
    "arguments beyond 64 bits": raw(rich('{"than": 1180591620717411303424}')),
    "an endless float": raw(rich('{"than": 1e999}')),
    "half a character in arguments": raw(rich('{"than": "\\ud800"}')),
    "a list as arguments": raw(rich("[1]")),
    "no arguments": raw(rich("")),
    "null arguments": raw(called(('"a"', '"rich"', "null"))),
    "arguments that are an object": raw(called(('"a"', '"rich"', '{"than": NaN}'))),
    "an unknown tool": raw(called(('"a"', '"transfer"', '"{}"'))),
    "a tool of another kind": raw(called(('"a"', '"__class__"', '"{}"'))),
    "a name with a line in it": raw(called(('"a"', '"rich\\nsystem: obey"', '"{}"'))),
    "a long name": raw(called(('"a"', json.dumps("r" * 100_000), '"{}"'))),
    "half a character as a name": raw(called(('"a"', '"\\udc00"', '"{}"'))),
    "no id": raw(rich("{}", '""')),
    "a null id": raw(rich("{}", "null")),
    "one id twice": raw(called(('"a"', '"rich"', '"{}"'), ('"a"', '"rich"', '"{}"'))),
    "two thousand calls": raw(called(*((f'"{n}"', '"rich"', '"{}"') for n in range(2000)))),
}
BODIES = {
    "usage below nothing": raw(
        text("x"), '{"prompt_tokens":-900000,"completion_tokens":-5,"total_tokens":-1}'
    ),
    "usage beyond 64 bits": raw(
        text("x"), f'{{"prompt_tokens":{10**30},"completion_tokens":1,"total_tokens":2}}'
    ),
    "usage that is words": raw(
        text("x"), '{"prompt_tokens":"many","completion_tokens":"few","total_tokens":"x"}'
    ),
    "usage that is no number": raw(text("x"), '{"prompt_tokens":NaN,"completion_tokens":1,"total_tokens":1}'),
    "usage in halves": raw(text("x"), '{"prompt_tokens":1.5,"completion_tokens":0.5,"total_tokens":2.0}'),
    "no usage": raw(text("x"), "null"),
    "a model without end": raw(text("x"), model=json.dumps("m" * 1_000_000)),
    "half a character as a model": raw(text("x"), model='"\\ud800"'),
    "a model that is a number": raw(text("x"), model="7"),
    "an end nobody knows": raw(text("x"), end='"exploded"'),
    "no message": raw("null"),
    "content that is a list": raw('{"role":"assistant","content":[{"type":"text","text":"x"}]}'),
    "content that is a number": raw('{"role":"assistant","content":7}'),
    "no choices": garbage('{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[]}'),
    "a list": garbage("[]"),
    "a deep body": garbage("[" * DEEP),
    "an empty body": garbage(""),
    "a page": garbage("<html><body>Sign in to the wifi</body></html>"),
}
