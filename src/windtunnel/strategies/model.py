"""What a strategy is, and the hash by which two are the same.

A strategy is a way to play a role: everything that a seat of a run needs, without the seat's name. Its hash
is made of what plays and of the bounds within which that may change; its name and words for people are not
in it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct, field, structs

from windtunnel.errors import ScenarioError
from windtunnel.scenario.modelled import THINKING

KINDS = ("rule", "llm", "team", "python")
PARAMETER_NAME = r"^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"

Choosable: TypeAlias = str | int | float | bool


class Number(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="number"):
    """Any number from the minimum to the maximum."""

    minimum: float
    maximum: float
    description: str = ""


class Integer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="integer"):
    """A whole number from the minimum to the maximum."""

    minimum: int
    maximum: int
    description: str = ""


class Choice(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="choice"):
    """One of the options."""

    options: Annotated[list[Choosable], Meta(min_length=1, max_length=1000)]
    description: str = ""


class Boolean(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="boolean"):
    """True or false."""

    description: str = ""


Bounds: TypeAlias = Number | Integer | Choice | Boolean


class Strategy(Struct, frozen=True, forbid_unknown_fields=True):
    """A way to play a role. `policy` is a rule's (and what the model `house` answers by), `entry` is code of
    one's own as `package.module:name`, `schema` has the bounds of each of the `parameters`, `settings` is
    what the kind needs more, such as the members of a team."""

    name: str
    world: str
    role: str
    kind: str = "rule"
    policy: str = ""
    model: str = ""
    instructions: str = ""
    entry: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    schema: dict[str, Bounds] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    description: str = ""

    @property
    def speaks(self) -> bool:
        """Whether it asks a model, by instructions that can be rewritten."""
        return self.kind in THINKING

    @property
    def changeable(self) -> bool:
        """Whether there is something of it that evolution can change."""
        return bool(self.schema) or self.speaks


def content_of(strategy: Strategy) -> dict[str, Any]:
    """What the hash is made of: what plays, and its bounds. What is empty is left out, so that a field which
    a later version brings changes no hash."""
    plain: dict[str, Any] = msgspec.to_builtins(tidy(strategy))
    kept = {key: value for key, value in plain.items() if value and key not in ("name", "description")}
    if "schema" in kept:
        kept["schema"] = {name: _undescribed(bounds) for name, bounds in kept["schema"].items()}
    return kept


def content_hash(strategy: Strategy) -> str:
    """SHA-256, in hex, over the content as JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(content_of(strategy), order="deterministic")).hexdigest()


def _undescribed(bounds: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in bounds.items() if key != "description"}


def tidy(strategy: Strategy) -> Strategy:
    """The strategy with what means the same written the same: line ends of its instructions, 1 where 1.0 is
    meant."""
    values = {
        name: _as_number(value) if isinstance(strategy.schema.get(name), Number) else value
        for name, value in strategy.parameters.items()
    }
    schema = {
        name: structs.replace(bounds, minimum=_as_number(bounds.minimum), maximum=_as_number(bounds.maximum))
        if isinstance(bounds, Number)
        else bounds
        for name, bounds in strategy.schema.items()
    }
    return structs.replace(
        strategy, instructions=tidy_text(strategy.instructions), parameters=values, schema=schema
    )


def tidy_text(text: str) -> str:
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip()


def _as_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return float(value) + 0.0  # -0.0 becomes 0.0


def misfit(value: Any, bounds: Bounds) -> str | None:
    """Why a value is not within its bounds, in words; None if it is."""
    if isinstance(bounds, Boolean):
        return None if isinstance(value, bool) else "must be true or false"
    if isinstance(bounds, Choice):
        known = [option for option in bounds.options if _same(option, value)]
        return None if known else f"must be one of {', '.join(map(str, bounds.options[:12]))}"
    whole = isinstance(bounds, Integer)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return "must be a whole number" if whole else "must be a number"
    if not math.isfinite(value):
        return "must be a finite number"
    if not bounds.minimum <= value <= bounds.maximum:
        return f"must be from {bounds.minimum:g} to {bounds.maximum:g}"
    return None


def _same(option: Any, value: Any) -> bool:
    """True is not 1 here."""
    return type(option) is type(value) and bool(option == value)


def with_parameters(strategy: Strategy, values: Mapping[str, Any]) -> Strategy:
    """The strategy with some of its parameters changed, refused by name where one is outside its bounds."""
    for name, value in values.items():
        where = f"strategy {strategy.name}"
        if name not in strategy.schema:
            raise ScenarioError(
                f"parameters.{name}: it has no such parameter", where=where,
                remedy=f"its parameters: {', '.join(strategy.schema) or 'none'}", field=f"parameters.{name}",
            )  # fmt: skip
        if why := misfit(value, strategy.schema[name]):
            raise ScenarioError(
                f"parameters.{name}: {why}, not {value!r}", where=where, field=f"parameters.{name}"
            )
    return tidy(structs.replace(strategy, parameters={**strategy.parameters, **values}))


BOUNDS_TYPES: tuple[type[Struct], ...] = get_args(Bounds)
