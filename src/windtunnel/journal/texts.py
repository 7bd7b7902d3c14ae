"""Large texts stand in a store once, however many effects repeat them.

The prompts of an agent say the same instructions, schema and tools in every call. In the request or result of
an effect each long text is replaced by its hash, and its body stands in the table `text`. A form that was
folded in this way begins with a blank, which no encoder of ours writes: so what stands whole, be it from a
store that knew no texts, is never misread, and short requests cost nothing.

A text is only ever handed out after its hash was held against its body: history is sealed over hashes, so
nothing else would notice that a body was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from windtunnel.errors import StorageError
from windtunnel.journal.model import Effect
from windtunnel.journal.store import Store

FOLDED = b" "
LEAST_BYTES = 1024  # of a request or result, below which nobody looks for texts in it
LEAST = 512  # characters of a text, or bytes of a part, that are stored apart
NUL = "\0"  # not every database holds it in a text; in a JSON string it is escaped
DEEPEST = 64  # levels; what lies deeper stays where it is
PARTS = frozenset({"schema", "tools"})  # what repeats from call to call without being a text
TEXT, JSON, PLAIN = "$text", "$json", "$plain"
_NAMES = frozenset({TEXT, JSON, PLAIN})
_PARTS = tuple(f'"{part}":'.encode() for part in sorted(PARTS))
_WALKED = frozenset({str, list, dict})

Texts = dict[bytes, bytes]  # by hash
Find = Callable[[bytes], bytes]

_encode, _decode = msgspec.json.encode, msgspec.json.decode


def fold(raw: bytes) -> tuple[bytes, Texts]:
    """A body with its large texts taken out, and those texts; the very same bytes where it has none."""
    texts: Texts = {}
    if raw.startswith(FOLDED):
        raw = raw.lstrip()  # only ready-made JSON begins so: it must not pass for a folded form
    if len(raw) < LEAST_BYTES or not _may_hold_texts(raw):
        return raw, texts
    try:
        folded = _fold(_decode(raw), texts, 0)
    except RecursionError:
        return raw, {}
    return (FOLDED + _encode(folded), texts) if texts else (raw, texts)


def _may_hold_texts(raw: bytes) -> bool:
    """A look at the bytes alone, as a long list of numbers takes far longer to walk through."""
    if any(part in raw for part in _PARTS):
        return True
    plain = raw.replace(b"\\\\", b"..").replace(b'\\"', b"..") if b"\\" in raw else raw
    return any(len(string) >= LEAST for string in plain.split(b'"')[1::2])


def _fold(value: Any, texts: Texts, depth: int) -> Any:
    if depth > DEEPEST:
        return value
    if isinstance(value, str):
        return value if len(value) < LEAST or NUL in value else {TEXT: _kept(value.encode(), texts)}
    if isinstance(value, list):
        return [_fold(item, texts, depth + 1) if type(item) in _WALKED else item for item in value]
    if isinstance(value, dict):
        folded = {key: _fold_field(key, item, texts, depth + 1) for key, item in value.items()}
        return {PLAIN: folded} if _is_name(value) else folded
    return value


def _fold_field(key: str, value: Any, texts: Texts, depth: int) -> Any:
    if key in PARTS and isinstance(value, (dict, list)) and depth <= DEEPEST:
        body = _encode(value)
        if len(body) >= LEAST:
            return {JSON: _kept(body, texts)}
    return _fold(value, texts, depth)


def _kept(body: bytes, texts: Texts) -> str:
    hash = sha256(body)
    texts[hash.digest()] = body
    return hash.hexdigest()


def _is_name(value: dict[str, Any]) -> bool:
    """Whether an object has the form of a name: one key, and that one of ours."""
    return len(value) == 1 and not _NAMES.isdisjoint(value)


# --- and back ---


def unfold(raw: bytes, find: Find) -> bytes:
    """The body as it was before it was folded."""
    return _encode(_unfold(_parsed(raw), find, 0)) if raw.startswith(FOLDED) else raw


def _unfold(value: Any, find: Find, depth: int) -> Any:
    if depth > DEEPEST:
        return value
    if isinstance(value, list):
        return [_unfold(item, find, depth + 1) for item in value]
    if isinstance(value, dict):
        if _is_name(value):
            ((name, given),) = value.items()
            if name == TEXT:
                return find(_hash(given)).decode()
            if name == JSON:
                return _parsed(find(_hash(given)))
            value = _plain(given)
        return {key: _unfold(item, find, depth + 1) for key, item in value.items()}
    return value


def named(raw: bytes | None) -> Iterator[bytes]:
    """The hashes of the texts that a stored body names."""
    if raw is not None and raw.startswith(FOLDED):
        yield from _named(_parsed(raw), 0)


def _named(value: Any, depth: int) -> Iterator[bytes]:
    if depth > DEEPEST or not isinstance(value, (dict, list)):
        return
    if isinstance(value, dict) and _is_name(value):
        ((name, given),) = value.items()
        if name != PLAIN:
            yield _hash(given)
            return
        value = _plain(given)
    for item in value.values() if isinstance(value, dict) else value:
        yield from _named(item, depth + 1)


def _parsed(raw: bytes) -> Any:
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _broken(f"what was folded cannot be read: {error}") from None


def _hash(given: Any) -> bytes:
    try:
        hash = bytes.fromhex(given)
    except (TypeError, ValueError):
        hash = b""
    if len(hash) != 32:
        raise _broken(f"{str(given)[:80]!r} names no text")
    return hash


def _plain(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _broken(f"{PLAIN} holds no object")
    return given


def _broken(message: str) -> StorageError:
    return StorageError(message, remedy="windtunnel verify tells what else was changed")


# --- with a store ---


def text_of(store: Store, hash: bytes) -> bytes:
    """The body of a text, proved; an error if the store does not have it, or has it changed."""
    body = store.text(hash)
    if body is None:
        raise _broken(f"text {hash.hex()[:12]} is missing from the store")
    if sha256(body).digest() != hash:
        raise _broken(f"text {hash.hex()[:12]} was changed: its hash does not match its body")
    return body


def unfolded(store: Store, raw: bytes) -> bytes:
    """A request or result as it was before it was folded."""
    return unfold(raw, lambda hash: text_of(store, hash))


def whole(store: Store, effect: Effect) -> Effect:
    """An effect for a reader, with its texts in it. What history digests is the stored form, not this one."""
    try:
        request = unfolded(store, effect.request)
        result = None if effect.result is None else unfolded(store, effect.result)
    except StorageError as error:
        error.where = error.where or f"effect {effect.name}"
        raise
    if request is effect.request and result is effect.result:
        return effect
    return msgspec.structs.replace(effect, request=request, result=result)


def texts_named(store: Store, effect: Effect, known: set[bytes]) -> Texts:
    """The texts of an effect that are not `known` yet: what must travel with it."""
    found: Texts = {}
    for raw in (effect.request, effect.result):
        for hash in named(raw):
            if hash not in known and (body := store.text(hash)) is not None:
                found[hash] = body
                known.add(hash)
    return found
