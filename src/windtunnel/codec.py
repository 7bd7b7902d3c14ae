"""How values become bytes, and which values are refused.

Two encodings. *Bodies* (actions, events, metrics, requests) are JSON that a person can read; *states* and
memories are MessagePack with arrays beside it, compact and exact. What is hashed is the stored bytes; they
are never encoded again. Refused by name, never written as something else: NaN and infinities (JSON would
make them null), integers beyond 64 bits, sets (they have no order), anything without a type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, get_args, get_origin, overload

import msgspec

from windtunnel.errors import CodecError
from windtunnel.hashing import hexdigest

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
MAX_DEPTH = 200
_EMPTY = b"\0" * 32


class Segment(NamedTuple):
    """A stored increment of a Log, found by the hash of the log after it."""

    hash: bytes
    prev: bytes
    count: int  # type: ignore[assignment]  # of items, as the store's column; no one counts bytes in a row
    items: bytes


SegmentLoader = Callable[[bytes], "Segment | None"]


class Log(Generic[T]):
    """A list that only grows (a transcript, a ledger): hashed and stored by increments, read back late.

    Append and read; items must not be changed once they are in.
    """

    __slots__ = ("_base", "_count", "_fresh", "_hash", "_items", "_load", "_stored_hash", "_tail", "_type")

    def __init__(self, items: Sequence[T] = ()) -> None:
        self._items: list[T] | None = []
        self._fresh: list[bytes] = []
        self._tail: list[bytes] = []  # stored since the log was restored, perhaps not committed yet
        self._hash = self._stored_hash = self._base = _EMPTY
        self._count = 0
        self._load: SegmentLoader | None = None
        self._type: Any = Any
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        raw = encode_body(item)
        self._hash = sha256(self._hash + raw).digest()
        self._fresh.append(raw)
        self._count += 1
        if self._items is not None:
            self._items.append(item)

    def extend(self, items: Sequence[T]) -> None:
        for item in items:
            self.append(item)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Log[T]:
        """Another log that grows on its own. What stands in it is shared: it does not change, and neither
        does the store that the older part is read from."""
        other: Log[T] = Log()
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(other, name, list(value) if isinstance(value, list) else value)
        return other

    def _loaded(self) -> list[T]:
        if self._items is None:
            rows = [*self._older(), *self._tail, *self._fresh]
            self._items = [decode_body(raw, self._type) for raw in rows]
            self._tail = []
        return self._items

    def _older(self) -> list[bytes]:
        segments: list[Segment] = []
        wanted = self._base
        while wanted != _EMPTY:
            segment = self._load(wanted) if self._load else None
            if segment is None:
                raise CodecError(f"a part of a Log is missing from the store: {wanted.hex()[:12]}")
            segments.append(segment)
            wanted = segment.prev
        return [raw for segment in reversed(segments) for raw in segment.items.split(b"\n")]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return iter(self._loaded())

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self._loaded()[index]

    def __repr__(self) -> str:
        return f"Log({self._count} items)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Log) and self._hash == other._hash

    __hash__ = None  # type: ignore[assignment]

    def pending(self) -> Segment | None:
        """What is not stored yet."""
        if not self._fresh:
            return None
        return Segment(self._hash, self._stored_hash, self._count, b"\n".join(self._fresh))

    def stored(self, upto: Segment) -> None:
        """This much is in the store now; what was appended since is still to come."""
        if upto.prev == self._stored_hash:
            kept = len(self._fresh) - (self._count - upto.count)
            if self._items is None:
                self._tail += self._fresh[:kept]
            self._fresh = self._fresh[kept:]
            self._stored_hash = upto.hash

    def _summary(self) -> dict[str, Any]:
        return {"log": self._hash.hex(), "count": self._count}

    @classmethod
    def _restored(cls, summary: Mapping[str, Any], item_type: Any) -> Log[T]:
        log: Log[T] = cls()
        log._hash = log._stored_hash = log._base = bytes.fromhex(summary["log"])
        log._count = summary["count"]
        log._items = None if log._count else []
        log._type = item_type
        return log


# --- bodies: JSON -----------------------------------------------------------------------------------


def _body_hook(value: Any) -> Any:
    if _is_array(value):
        return _array_summary(value, value.tobytes()) if value.ndim else value.item()
    if isinstance(value, Log):
        return list(value)
    raise CodecError(f"a {type(value).__name__} cannot be recorded", remedy="use a msgspec.Struct")


def array_summary(array: Any) -> dict[str, Any]:
    """An array as a body holds it, with its mean beside it for those who want one number."""
    summary = _array_summary(array, array.tobytes())
    small = array.dtype.kind in "biu" and array.dtype.itemsize < 8  # summed as integers: exact, and faster
    total = (array.sum() if small else array.sum(dtype="f8")).item()
    summary["mean"] = total / array.size if array.size else 0.0
    return summary


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "tobytes")


def _array_summary(array: Any, data: Any) -> dict[str, Any]:
    if array.dtype.kind not in "biufU":
        raise CodecError(f"an array of {array.dtype} cannot be recorded", remedy="use numbers or booleans")
    if array.dtype.kind == "f":
        import numpy as np

        if not np.isfinite(array).all():
            raise CodecError("an array holds a NaN or an infinity")
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def _dec_hook(wanted: Any, value: Any) -> Any:
    origin = get_origin(wanted) or wanted
    if origin is Log:
        args = get_args(wanted)
        if isinstance(value, list):  # in a body (a memory) it stands in full
            items: Any = list[args[0]] if args else list  # type: ignore[valid-type]
            return Log(msgspec.convert(value, items, dec_hook=_dec_hook))
        return Log._restored(value, args[0] if args else Any)
    if getattr(origin, "__name__", "") == "ndarray":
        return _array(value)
    raise CodecError(f"{wanted} cannot be read back", remedy="use a msgspec.Struct, a Log or an array")


def _plain_hook(wanted: Any, value: Any) -> Any:
    return value if hasattr(value, "dtype") else _dec_hook(wanted, value)


def _array(value: Mapping[str, Any]) -> Any:
    import numpy as np

    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data"}:
        raise ValueError("an array is written as dtype, shape and data")
    data = value["data"]
    if isinstance(data, str):
        data = msgspec.convert(data, bytes)
    return np.frombuffer(data, value["dtype"]).reshape(value["shape"]).copy()


def _seen_hook(value: Any) -> Any:
    """An array that is only hashed goes in as its own digest, without the detour over base64."""
    if _is_array(value) and value.ndim:
        return _array_summary(value, sha256(value.tobytes()).hexdigest())
    return _body_hook(value)


_json = msgspec.json.Encoder(enc_hook=_body_hook)
_seen = msgspec.json.Encoder(enc_hook=_seen_hook)
_DIGITS = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_LONG_NUMBER = b"0" * 19  # this many digits in a row may be an integer beyond 64 bits
# A NaN or an infinity. In a large state the first two bytes turn up by chance, inside other floats: the third
# makes it rare enough to look closer.
_ODD = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
_ARRAY_DATA, _LARGE = b'"data":"', 4096


def encode_body(value: Any) -> bytes:
    """A value as JSON bytes, or a CodecError that names what may not be recorded."""
    try:
        raw = _json.encode(value)
    except _UNFIT as error:
        raise _refused(value, error) from None
    text = raw if len(raw) < _LARGE else _without_arrays(raw)
    if (b"null" in text or _LONG_NUMBER in text.translate(_DIGITS)) and (problem := find_unfit(value)):
        raise CodecError(problem)
    return raw


def encode_seen(value: Any) -> bytes:
    """A value that is hashed and not stored: arrays by their digests, and no search for what is unfit."""
    try:
        return _seen.encode(value)
    except _UNFIT as error:
        raise _refused(value, error) from None


def seen_digest(observations: Any) -> str:
    """What history keeps of what everybody saw."""
    return hexdigest(encode_seen(observations))


_UNFIT = (TypeError, ValueError, OverflowError, RecursionError, UnicodeEncodeError)


def _refused(value: Any, error: Exception) -> CodecError:
    return CodecError(find_unfit(value) or str(error))


def _without_arrays(raw: bytes) -> bytes:
    """Bodies of crowds are arrays almost whole: text between quotes, where neither null nor number stands."""
    parts, at = [], 0
    while (begin := raw.find(_ARRAY_DATA, at)) >= 0:
        parts.append(raw[at:begin])
        at = raw.find(b'"', begin + len(_ARRAY_DATA))
    return b" ".join((*parts, raw[at:]))


@lru_cache(maxsize=256)  # as describe_type
def body_decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wanted, dec_hook=_dec_hook)


def decode_body(raw: bytes, wanted: Any = Any) -> Any:
    return msgspec.json.decode(raw, type=wanted, dec_hook=_dec_hook)


def find_unfit(value: Any, path: str = "", depth: int = 0) -> str | None:
    """Where in a value something stands that must not be recorded, in words; None if nothing does."""
    here = path or "the value"
    if value is None or isinstance(value, (bool, str, bytes)):
        return _unfit_text(value, here)
    if depth > MAX_DEPTH:
        return f"{here[:60]} is nested more than {MAX_DEPTH} deep"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{here} is {value}"
    if isinstance(value, int):
        return None if INT_MIN <= value <= INT_MAX else f"{here} is an integer beyond 64 bits"
    if isinstance(value, (set, frozenset)):
        return f"{here} is a set, which has no order: use a list or a dict"
    if isinstance(value, msgspec.Struct):
        pairs: Any = (
            (f"{path}.{name}".lstrip("."), getattr(value, name)) for name in value.__struct_fields__
        )
    elif isinstance(value, Mapping):
        pairs = ((f"{path}.{key}".lstrip("."), item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        pairs = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    else:
        return _unfit_other(value, here)
    for name, item in pairs:
        if problem := find_unfit(item, name, depth + 1):
            return problem
    return None


def _unfit_text(value: Any, here: str) -> str | None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return f"{here} holds text that is not Unicode (a lone surrogate)"
    return None


def _unfit_other(value: Any, here: str) -> str | None:
    try:
        if _is_array(value) and value.ndim:
            _array_summary(value, None)
            return None
        plain = value.item() if _is_array(value) else value
        if plain is not value:
            return find_unfit(plain, here)
        msgspec.to_builtins(value, enc_hook=_body_hook)
    except (CodecError, TypeError, ValueError) as error:
        return f"{here}: {error.message if isinstance(error, CodecError) else error}"
    return None


# --- states: MessagePack with arrays beside it ------------------------------------------------------


class StateCodec(Generic[T]):
    """Encodes and decodes one type of state. Layout: length of the MessagePack part (4 bytes, big
    endian), that part, then the arrays' bytes one after another; an array in the first part says its
    dtype, its shape and where its bytes begin."""

    def __init__(self, wanted: type[T]) -> None:
        self.wanted = wanted
        self.logs: list[tuple[Log[Any], Segment]] = []  # those that grew, as the last encode met them
        self._arrays: list[bytes] = []
        self._offset = 0
        self._data: memoryview = memoryview(b"")
        self._load: SegmentLoader | None = None
        self._encoder = msgspec.msgpack.Encoder(enc_hook=self._encode_hook)

    def encode(self, state: T) -> bytes:
        self.logs, self._arrays, self._offset = [], [], 0
        try:
            main = self._encoder.encode(state)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise CodecError(f"the state cannot be recorded: {find_unfit(state) or error}") from None
        if (b"\xcb\x7f" in main or b"\xcb\xff" in main) and _ODD.search(main) and (odd := find_unfit(state)):
            raise CodecError(f"the state cannot be recorded: {odd}")
        size = len(main).to_bytes(4, "big")
        return b"".join((size, main, *self._arrays)) if self._arrays else size + main

    def decode(self, raw: bytes, load: SegmentLoader | None = None) -> T:
        size = int.from_bytes(raw[:4], "big")
        self._data, self._load = memoryview(raw)[4 + size :], load
        try:
            return msgspec.msgpack.decode(raw[4 : 4 + size], type=self.wanted, dec_hook=self._decode_hook)
        except msgspec.ValidationError as error:
            raise CodecError(f"a stored state does not fit {self.wanted.__name__}: {error}") from None

    def from_plain(self, plain: Any) -> T:
        """A state from plain values, as a migration returns them."""
        return msgspec.convert(plain, self.wanted, dec_hook=_plain_hook)

    def _encode_hook(self, value: Any) -> Any:
        if isinstance(value, Log):
            if (pending := value.pending()) is not None:
                self.logs.append((value, pending))
            return value._summary()
        if _is_array(value):
            if not value.ndim:
                return value.item()
            data = value.tobytes()
            summary = _array_summary(value, self._offset)
            self._arrays.append(data)
            self._offset += len(data)
            return summary
        raise CodecError(f"a {type(value).__name__} cannot be recorded", remedy="use a msgspec.Struct")

    def _decode_hook(self, wanted: Any, value: Any) -> Any:
        if getattr(get_origin(wanted) or wanted, "__name__", "") == "ndarray":
            return _array_at(value, self._data)
        made = _dec_hook(wanted, value)
        if isinstance(made, Log):
            made._load = self._load
        return made


def _array_at(summary: Mapping[str, Any], data: memoryview) -> Any:
    import numpy as np

    dtype = np.dtype(summary["dtype"])
    count = math.prod(summary["shape"])
    return np.frombuffer(data, dtype, count, summary["data"]).reshape(summary["shape"]).copy()


def decode_state_plain(raw: bytes) -> Any:
    """A stored state without its types: what a migration or a person looks at."""
    size = int.from_bytes(raw[:4], "big")
    data = memoryview(raw)[4 + size :]

    def lift(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {"dtype", "shape", "data"}:
                return _array_at(value, data)
            return {key: lift(item) for key, item in value.items()}
        return [lift(item) for item in value] if isinstance(value, list) else value

    return lift(msgspec.msgpack.decode(raw[4 : 4 + size], strict=False))


# --- schemas ----------------------------------------------------------------------------------------


@lru_cache(maxsize=256)  # many short runs of one world ask again and again
def describe_type(wanted: Any) -> dict[str, dict[str, str]]:
    """Every Struct reached from a type, by name: its fields and their types, as text."""
    found: dict[str, dict[str, str]] = {}

    def walk(kind: Any) -> None:
        origin = get_origin(kind)
        for argument in get_args(kind):
            walk(argument)
        plain = origin or kind
        if plain in (set, frozenset):
            raise CodecError("a state holds a set, which has no order", remedy="use a list or a dict")
        if not (isinstance(plain, type) and issubclass(plain, msgspec.Struct)) or plain.__name__ in found:
            return
        fields = found[plain.__name__] = {}
        for item in msgspec.structs.fields(plain):
            fields[item.encode_name] = _type_name(item.type)
            walk(item.type)

    walk(wanted)
    return found


def _type_name(kind: Any) -> str:
    return (
        kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")
    )


def schema_hash(description: Mapping[str, Any]) -> str:
    return sha256(msgspec.json.encode(description, order="sorted")).hexdigest()[:16]


def schema_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The first field that changed between two descriptions, in words."""
    for struct in sorted({*old, *new}):
        before, after = old.get(struct), new.get(struct)
        if before is None or after is None:
            return f"{struct} was {'added' if before is None else 'removed'}"
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                return f"{struct}.{name} was {before.get(name, 'absent')}, now is {after.get(name, 'absent')}"
    return "the order of fields changed"
