"""The model `house`: what is known here already, said as a model would say it, with no key and no network.

Whoever asks says what the house answers (an agent: its role's policy); the answer goes out in words and comes
back through the same parsing as anybody's. Where nothing was said it answers as `test` does.
"""

from __future__ import annotations

import json
from typing import Any

from windtunnel.codec import encode_body
from windtunnel.models import sample
from windtunnel.models.talk import Ask, Reply, Usage

NAME = "house"
CHARACTERS = 4  # of a token, about


async def answer(ask: Ask, known: Any = None) -> Reply:
    if known is None and ask.schema is not None:
        known = sample.instance(ask.schema)
    text = known if isinstance(known, str) else "" if known is None else f"I decide so:\n\n{_written(known)}"
    text = text or "I have nothing to add."
    said = sum(len(message.text) for message in ask.messages)
    usage = Usage(input=said // CHARACTERS + 1, output=len(text) // CHARACTERS + 1)
    return Reply(text=text, model=NAME, usage=usage)


def _written(known: Any) -> str:
    return json.dumps(json.loads(encode_body(known)), indent=1, ensure_ascii=False)
