"""Actions out of thin air: random ones within their bounds, extreme ones at their bounds, and garbage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from windtunnel.chance import Chance
from windtunnel.codec import INT_MAX, INT_MIN
from windtunnel.world import Action, AgentId, Context, Role

LONG_TEXT = 10_000
LARGEST = 1e308
_LETTERS = "abc XYZ 0189 äß日本 \"'\\<&>\n;{}"


class Maker:
    """Makes values of a type as plain data. `like` is an action a policy took: its arrays show the shapes."""

    def __init__(
        self, luck: Chance, *, extreme: bool, names: tuple[AgentId, ...] = (), like: Any = None
    ) -> None:
        self.luck, self.extreme, self.names, self.like = luck, extreme, names, like

    def action(self, kind: type[Action]) -> dict[str, Any]:
        made: dict[str, Any] = self._struct(inspect.type_info(kind))
        return made

    def _struct(self, info: Any) -> dict[str, Any]:
        made = {} if info.tag_field is None else {info.tag_field: info.tag}
        for item in info.fields:
            if item.required or not self.luck.happens(0.3):
                made[item.encode_name] = self._value(item.type, item.name)
        return made

    def _value(self, info: Any, name: str = "") -> Any:
        method = getattr(self, f"_{type(info).__name__.removesuffix('Type').lower()}", None)
        if method is None:
            return self._custom(info, name)
        return method(info, name) if type(info) is inspect.CustomType else method(info)

    # --- numbers ---

    def _int(self, info: Any) -> Any:
        low = _first(info.ge, None if info.gt is None else info.gt + 1)
        high = _first(info.le, None if info.lt is None else info.lt - 1)
        if self.extreme:
            value = self.luck.choice([_first(low, INT_MIN), _first(high, INT_MAX), *self._inner(low, high)])
        else:
            low = low if low is not None else (high - 1000 if high is not None else -1000)
            high = high if high is not None else low + 2000
            value = low + self.luck.below(min(high - low + 1, 1 << 63))
        step = info.multiple_of
        return value if not step else value - value % step

    @staticmethod
    def _inner(low: int | None, high: int | None) -> list[int]:
        return [
            value for value in (0, 1, -1) if (low is None or value >= low) and (high is None or value <= high)
        ]

    def _float(self, info: Any) -> float:
        low = _first(info.ge, None if info.gt is None else math.nextafter(info.gt, math.inf))
        high = _first(info.le, None if info.lt is None else math.nextafter(info.lt, -math.inf))
        if self.extreme:
            return float(self.luck.choice([_first(low, -LARGEST), _first(high, LARGEST)]))
        low = low if low is not None else (high - 1000 if high is not None else -1000.0)
        high = high if high is not None else low + 2000
        return min(max(self.luck.uniform(float(low), float(high)), low), high)

    # --- text and containers ---

    def _str(self, info: Any) -> str:
        if info.pattern is not None:
            return str(getattr(self.like, "text", "")) or "a"
        if self.names and not self.extreme and self.luck.happens(0.5):
            return self.luck.choice(self.names)[: info.max_length]
        shortest = info.min_length or 0
        longest = _first(info.max_length, LONG_TEXT if self.extreme else shortest + 40)
        size = longest if self.extreme else self.luck.integer(shortest, longest)
        return "".join(self.luck.choice(_LETTERS) for _ in range(min(size, 50))).ljust(size, "x")

    def _bool(self, _: Any) -> bool:
        return self.luck.happens(0.5)

    def _none(self, _: Any) -> None:
        return None

    def _literal(self, info: Any) -> Any:
        return self.luck.choice(list(info.values))

    def _enum(self, info: Any) -> Any:
        return self.luck.choice(list(info.cls)).value

    def _union(self, info: Any) -> Any:
        return self._value(self.luck.choice(list(info.types)))

    def _length(self, info: Any) -> int:
        shortest = info.min_length or 0
        longest = _first(info.max_length, 200 if self.extreme else shortest + 4)
        return min(longest, 1000) if self.extreme else self.luck.integer(shortest, longest)

    def _list(self, info: Any) -> list[Any]:
        return [self._value(info.item_type) for _ in range(self._length(info))]

    _vartuple = _list

    def _tuple(self, info: Any) -> list[Any]:
        return [self._value(item) for item in info.item_types]

    def _dict(self, info: Any) -> dict[Any, Any]:
        pairs = (
            (self._value(info.key_type), self._value(info.value_type)) for _ in range(self._length(info))
        )
        return dict(pairs)

    def _any(self, _: Any) -> Any:
        return self.luck.choice([0, 1.5, "text", True, [], {}])

    def _custom(self, _: Any, name: str = "") -> Any:
        """An array: the shape of what a policy offered, other numbers."""
        known: Any = getattr(self.like, name, None)
        if not hasattr(known, "dtype") or known.dtype.kind not in "bif":
            return known
        drawn = self.luck.randoms(known.size).reshape(known.shape)
        if known.dtype.kind == "b":
            return drawn < 0.5
        scale = LARGEST if self.extreme and known.dtype.itemsize == 8 else 1e6 if self.extreme else 100.0
        scale = min(scale, 2.0**31 - 2) if known.dtype.kind == "i" else scale
        return ((drawn * 2 - 1) * scale).astype(known.dtype)


def _first(value: Any, otherwise: Any) -> Any:
    return value if value is not None else otherwise


class RandomPlayer:
    """Plays any of its role's actions, with whatever values their types allow."""

    def __init__(self, role: Role, names: tuple[AgentId, ...], *, extreme: bool = False) -> None:
        self.role, self.names, self.extreme = role, names, extreme
        self.shapes = any(_has_custom(kind) for kind in role.actions)

    def decide(self, observation: Any, context: Context) -> Any:
        luck = context.chance("the kit's random player", context.attempt)
        kind = luck.choice(self.role.actions)
        like = None
        if self.shapes and self.role.policies:
            like = next(iter(self.role.policies.values()))(observation, context)
            kind = type(like) if luck.happens(0.7) else kind
            if type(like) is not kind and _has_custom(kind):
                return self.role.no_op
        return Maker(luck, extreme=self.extreme, names=self.names, like=like).action(kind)


def _has_custom(kind: type[Action]) -> bool:
    info: Any = inspect.type_info(kind)
    return any(type(item.type) is inspect.CustomType for item in info.fields)


# --- garbage ----------------------------------------------------------------------------------------


class Foreign(Action, frozen=True):
    """An action of no world."""


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


MEGABYTE = "x" * (1 << 20)
BAD_VALUES: tuple[Any, ...] = (
    float("nan"), float("inf"), float("-inf"), 10**40, -(10**40), MEGABYTE, nested(5000), "\ud800", None, {},
    [],
    {"dtype": "<f8", "shape": [3], "data": ""}, {"dtype": "O", "shape": [1], "data": "AAAA"}, b"\xff", True,
)  # fmt: skip


def garbage(role: Role, others: tuple[type[Action], ...]) -> Iterator[tuple[str, Any]]:
    """What no agent should ever answer, each with a name."""
    for bad in (*BAD_VALUES, print, object(), Foreign, Foreign(), "Rest", 0):
        yield f"a bare {describe(bad)}", bad
    yield "an action type nobody knows", {"type": "NoSuchAction"}
    for kind in others:
        yield f"{kind.__name__}, another role's action", {"type": kind.__name__}
    for kind in role.actions:
        made = Maker(Chance("garbage", kind.__name__), extreme=False).action(kind)
        yield f"{kind.__name__} with a field too many", {**made, "no_such_field": 1}
        for name in kind.__struct_fields__:
            for bad in BAD_VALUES:
                yield f"{kind.__name__}.{name} as {describe(bad)}", {**made, name: bad}
        needed = [item.encode_name for item in msgspec.structs.fields(kind) if item.required]
        for name in needed:
            yield f"{kind.__name__} without {name}", {key: made[key] for key in made if key != name}


def describe(value: Any) -> str:
    if isinstance(value, str) and len(value) > 100:
        return "a text of 1 MB"
    if isinstance(value, list) and value:
        return "a list nested 5,000 deep"
    if isinstance(value, int) and abs(value) > INT_MAX:
        return f"{'-' * (value < 0)}10**40"
    return ascii(value)[:40]
