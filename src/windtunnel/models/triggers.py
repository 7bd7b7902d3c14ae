"""Why a call failed, told apart, and what to do about each.

A provider's status, its code and its words decide, in that order of trust; where they disagree (a 429 that
means an empty purse) the words of a quota win. Keys never get further than this: they are struck out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from windtunnel.config.models import Trigger

SHOWN = 300  # characters of a provider's message that are shown
HIDDEN = "[key]"
_KEY = re.compile(
    r"\b(?:sk|rk|pk|gsk|xai|key)-[A-Za-z0-9_\-]{8,}|\bAIza[A-Za-z0-9_\-]{10,}|(?i:bearer)\s+[^\s\"',}]{8,}"
    r"|(?<=[?&]key=)[^&\s\"']+|(?<=x-api-key: )\S+"
)
_QUOTA = re.compile(
    r"insufficient[_ ]quota|insufficient[_ ](?:credit|balance|fund)|credit balance|billing|payment required"
    r"|(?:spend|usage|quota)[_ ]limit[_ ](?:reached|exceeded)|out of credits|credits? exhausted|hard limit",
    re.IGNORECASE,
)
_QUOTA_OR_RATE = re.compile(r"exceeded your current quota", re.IGNORECASE)  # Gemini says it of both
_CONTEXT = re.compile(
    r"context[_ ](?:length|window)|maximum context|prompt is too long|too many (?:input )?tokens"
    r"|input token count.{0,80}exceeds|reduce the length|exceeds? the (?:model's )?(?:max|token limit)",
    re.IGNORECASE | re.DOTALL,
)
_REFUSAL = re.compile(
    r"content[_ ](?:filter|policy)|content management policy|safety (?:system|filter)|flagged", re.IGNORECASE
)

REMEDIES: dict[Trigger, str] = {
    "connection": "see that the address is right and the server runs; windtunnel models test asks it",
    "busy": "wait, lower the deployment's concurrency, or name another model in the route's chain",
    "server": "the provider is in trouble: wait, or name another model in the route's chain",
    "quota": "the account behind the key is empty or capped: fill it, or name another model",
    "context": "the prompt is too long for this model: shorten what agents see, or route by tokens_from",
    "refusal": "the provider declined the content: change the instructions, or name another model",
    "output": "what came back is no answer of this dialect: see that the address speaks it",
    "denied": "see that the key is valid and the model's name right: windtunnel models test",
}
AGAIN: frozenset[Trigger] = frozenset(
    {"connection", "busy", "server", "output"}
)  # the same one may do better
NOT_BILLED: frozenset[Trigger] = frozenset({"busy", "quota", "context", "denied"})


class Failure(NamedTuple):
    """One attempt that gave no reply. `paid`: None if nobody knows whether it will be billed."""

    trigger: Trigger
    message: str
    status: int | None = None
    retry_after: float | None = None
    paid: bool | None = False


class Unanswered(Exception):
    """Carries a failure out of a provider's adapter."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without any key, on one line, not too long, and without what moves a terminal's cursor."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    text = " ".join(_KEY.sub(HIDDEN, text).split())
    text = "".join([one if one.isprintable() else " " for one in text[: 4 * SHOWN]])
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def of_status(status: int, said: str, retry_after: float | None = None) -> Failure:
    """A provider that answered with an error."""
    trigger: Trigger
    wait = retry_after if retry_after is not None else _delay(said)
    if status == 402 or (_QUOTA.search(said) and status in {400, 403, 429}):
        trigger = "quota"
    elif status == 429:
        trigger = "quota" if _QUOTA_OR_RATE.search(said) and wait is None else "busy"
    elif status == 413 or (status in {400, 404, 422} and _CONTEXT.search(said)):
        trigger = "context"
    elif status in {400, 403, 422} and _REFUSAL.search(said):
        trigger = "refusal"
    elif status in {408, 504} or status >= 500:
        trigger = "server"
    elif 200 <= status < 400:
        trigger = "output"
    else:
        trigger = "denied"
    # A gateway that gave up waiting tells nothing of the server behind it: it may have answered, and billed.
    paid = None if status in {408, 504, 502, 524} or trigger == "output" else False
    return Failure(trigger, said or f"status {status}", status, wait, paid)


def _delay(said: str) -> float | None:
    """How long to wait, where the body says so: Gemini's RetryInfo."""
    found = re.search(r"retry(?:_d|D)elay[\"']?:\s*[\"'](\d+(?:\.\d+)?)s", said)
    return float(found[1]) if found else None


def of_error(error: BaseException) -> Failure | None:
    """What a model class of pydantic-ai raised; None for a bug of ours."""
    from pydantic_ai import exceptions as theirs  # noqa: PLC0415 - loaded: it raised

    if isinstance(error, theirs.ModelHTTPError):
        return of_status(error.status_code, f"{_words(error.body) or error.message}", error.retry_after)
    said = str(error) or type(error).__name__
    if _caused_by(error, {"TooLarge"}):
        return Failure("output", said, None, None, None)
    if isinstance(error, theirs.ModelConnectionError):
        # What failed before the request went out costs nothing; after that nobody knows.
        before = error.phase in {"connect", "pool"} or _never_sent(error)
        return Failure("connection", said, None, None, False if before else None)
    if isinstance(error, theirs.ModelRateLimitError):
        return Failure("busy", said, None, error.retry_after, False)
    if isinstance(error, theirs.ModelAPIError):
        named: tuple[tuple[type[Exception], Trigger], ...] = (
            (theirs.ModelQuotaExceededError, "quota"),
            (theirs.ModelContextWindowExceededError, "context"),
            (theirs.ModelRequestRejectedError, "denied"),
            (theirs.ModelUnavailableError, "server"),
            (theirs.ModelServerError, "server"),
        )
        undecoded = "JSON" in said  # as pydantic-ai words a body that its SDK could not read
        trigger: Trigger = "output" if undecoded else "connection"
        trigger = next((name for kind, name in named if isinstance(error, kind)), trigger)
        return Failure(trigger, said, None, error.retry_after, False if _never_sent(error) else None)
    if isinstance(error, theirs.ContentFilterError):
        return Failure("refusal", said, None, None, None)
    if isinstance(error, theirs.UnexpectedModelBehavior):
        return Failure("output", said, None, None, None)
    return None


def _words(body: Any) -> str:
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict):
            parts = [inner.get("message"), inner.get("code"), inner.get("type"), inner.get("status")]
            said = "; ".join(str(part) for part in parts if part)
            details = inner.get("details")
            return f"{said} {details}" if details else said or str(body)
        return str(inner)
    return str(body) if body else ""


def _never_sent(error: BaseException) -> bool:
    """Whether at the root of it is a connection that never was."""
    return _caused_by(error, {"ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError"})


def _caused_by(error: BaseException, names: set[str]) -> bool:
    root: BaseException | None = error
    for _ in range(10):
        if root is None:
            return False
        if type(root).__name__ in names:
            return True
        root = root.__cause__ or root.__context__
    return False
