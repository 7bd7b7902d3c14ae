"""A person at the terminal, asked one thing at a time. What does not fit is said, and asked again.

Ctrl-D and Ctrl-C leave without an answer: nothing is ever posted by halves.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
import typer

from windtunnel.agents.forms import type_in_words
from windtunnel.cli import say
from windtunnel.errors import ScenarioError
from windtunnel.models.signature import schema_of
from windtunnel.scenario.reading import read_yaml
from windtunnel.words import explain, suggest
from windtunnel.world import Action

T = TypeVar("T")
TRIES = 50
YES, NO = ("y", "yes", "true"), ("n", "no", "false")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def on_terminal() -> bool:
    return not say.door.json and sys.stdin.isatty() and sys.stdout.isatty()


def clean(text: str) -> str:
    """Text that somebody else wrote, unable to move the cursor or to hide what it says."""
    return UNSEEN.sub("�", text)


class Misread(ValueError):
    """What was typed cannot be used; the words say why."""


def ask(prompt: str, read: Callable[[str], T]) -> T:
    """What a person types, once `read` takes it."""
    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - lets the line be edited; not everywhere, and only for people
    for _ in range(TRIES):
        try:
            typed = input(prompt)
        except EOFError:
            say.line()
            raise typer.Abort from None
        try:
            return read(typed.strip())
        except Misread as why:
            say.line(f"  {why}")
    raise typer.Abort


def yes(prompt: str, default: bool | None = None) -> bool:
    shown = {True: "[Y/n]", False: "[y/N]", None: "[y/n]"}[default]

    def read(typed: str) -> bool:
        if not typed and default is not None:
            return default
        if typed.lower() in (*YES, *NO):
            return typed.lower() in YES
        raise Misread("yes or no?")

    return ask(f"{prompt} {shown} ", read)


def choose(prompt: str, options: Sequence[str], default: str | None = None) -> str:
    """One of several, by its number, its name, or the beginning of it. Enter is the default."""

    def read(typed: str) -> str:
        if not typed and default is not None:
            return default
        if typed.isdigit() and 1 <= int(typed) <= len(options):
            return options[int(typed) - 1]
        begun = [one for one in options if one.casefold().startswith(typed.casefold())]
        exact = [one for one in begun if one.casefold() == typed.casefold()]
        if typed and len(exact or begun) == 1:
            return (exact or begun)[0]
        raise Misread(f"{typed!r} is none of them: {suggest(typed, options)}" if typed else "one is needed")

    return ask(prompt, read)


def words(prompt: str, *, needed: bool = True) -> str:
    """Text. A line that ends in a backslash goes on in the next."""
    lines: list[str] = []

    def read(typed: str) -> str:
        lines.append(typed)
        if needed and not any(lines):
            lines.clear()
            raise Misread("a word is needed")
        return typed

    shown = prompt
    for _ in range(TRIES):
        if not ask(shown, read).endswith("\\"):
            break
        lines[-1] = lines[-1][:-1]
        shown = "… "
    return "\n".join(lines).strip()


def action(kind: type[Action], like: Action | None = None) -> Action:
    """An action by its fields. Enter takes a field's default, or what the no-op `like` has there."""
    about = schema_of(kind).get("properties", {})
    given: dict[str, Any] = {}
    width = max((len(field.encode_name) for field in msgspec.structs.fields(kind)), default=0)
    for field in msgspec.structs.fields(kind):
        has, otherwise = _otherwise(field, like if type(like) is kind else None)
        told = clean(type_in_words(about.get(field.encode_name, {})))
        enter = f" [{_shown(otherwise)}]" if has else ""

        def read(typed: str, field: Any = field, has: bool = has, otherwise: Any = otherwise) -> Any:
            return otherwise if not typed and has else typed_as(field.type, typed)

        given[field.name] = ask(f"  {field.encode_name:<{width}}  {told}{enter}: ", read)
    return kind(**given)


def _otherwise(field: Any, like: Action | None) -> tuple[bool, Any]:
    if field.default is not msgspec.NODEFAULT:
        return True, field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return True, field.default_factory()
    return (True, getattr(like, field.name)) if like is not None else (False, None)


def _shown(value: Any) -> str:
    plain = msgspec.to_builtins(value)
    return plain if isinstance(plain, str) and plain else msgspec.json.encode(plain).decode()


def typed_as(wanted: Any, typed: str) -> Any:
    """What was typed, as the type that is wanted. Text is taken as it is, all else as in a scenario."""
    if not typed and not _takes_text(wanted):
        raise Misread("a value is needed")
    value: Any = typed
    if not _takes_text(wanted):
        try:
            node = read_yaml(typed, "here")
        except ScenarioError as error:
            raise Misread(error.message) from None
        value = node.plain() if node is not None else None
        if _is_bool(wanted) and typed.lower() in (*YES, *NO):
            value = typed.lower() in YES
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise Misread(explain(str(error), value)) from None


def _members(wanted: Any) -> Sequence[Any]:
    """The types of a union, bare of what is annotated."""
    args = get_args(wanted)
    if hasattr(wanted, "__metadata__"):
        return _members(args[0])
    return [one for arg in args for one in _members(arg)] if _is_union(wanted) else [wanted]


def _is_union(wanted: Any) -> bool:
    return get_origin(wanted) in {Union, UnionType}


def _takes_text(wanted: Any) -> bool:
    return any(one is str or _is_words(one) for one in _members(wanted))


def _is_words(wanted: Any) -> bool:
    return get_origin(wanted) is Literal and all(isinstance(one, str) for one in get_args(wanted))


def _is_bool(wanted: Any) -> bool:
    return bool in _members(wanted)


def json_or_words(typed: str) -> Any:
    """JSON where it is some, else the text itself."""
    try:
        return msgspec.json.decode(typed)
    except msgspec.DecodeError:
        return typed


def listed(options: Mapping[str, str]) -> None:
    """Things to choose from, numbered."""
    width = max(map(len, options), default=0)
    for number, (name, about) in enumerate(options.items(), 1):
        say.line(f"  {number}  {name:<{width}}  {clean(about)}".rstrip())
