"""The dialects, and which one a path speaks: by the path's end, so that `/any/prefix/v1/messages` works."""

from __future__ import annotations

from windtunnel.testing.provider.dialects.anthropic_messages import ANTHROPIC
from windtunnel.testing.provider.dialects.base import Dialect
from windtunnel.testing.provider.dialects.gemini import GEMINI
from windtunnel.testing.provider.dialects.ollama import OLLAMA
from windtunnel.testing.provider.dialects.openai_chat import OPENAI_CHAT
from windtunnel.testing.provider.dialects.openai_responses import OPENAI_RESPONSES

DIALECTS = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI, OLLAMA)

_ENDS = (
    ("/chat/completions", OPENAI_CHAT),
    ("/responses", OPENAI_RESPONSES),
    ("/messages", ANTHROPIC),
    ("/messages/count_tokens", ANTHROPIC),
    (":generateContent", GEMINI),
    (":streamGenerateContent", GEMINI),
    (":countTokens", GEMINI),
    ("/api/chat", OLLAMA),
)


def dialect_of(path: str) -> Dialect | None:
    for end, dialect in _ENDS:
        if path.endswith(end):
            return dialect
    return None
