"""A version as a folder that people edit and git keeps, and back.

`export` writes `strategy.yaml`, `instructions.md` where there are any, and `lineage.yaml`, which says what
the registry knows of the version. Read back as it is, the content has the same hash, and what the folder says
of its past is kept as its origin; where somebody changed it, the exported version is its parent.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.scenario.checking import check
from windtunnel.strategies.model import Strategy, content_hash
from windtunnel.strategies.reading import FILE, INSTRUCTIONS, plain_of, read_document
from windtunnel.strategies.versions import Version, strategy_of

LINEAGE = "lineage.yaml"
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
ABOUT = "# What the registry knew of this version when it was exported. Edit strategy.yaml, not this."


class Past(Struct, frozen=True, forbid_unknown_fields=True):
    """What `lineage.yaml` holds. `hashes` are those of the parents, by which another registry knows them."""

    lineage: str
    version: str
    hash: str
    operator: str
    parents: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    why: str = ""
    by: str = ""
    at: float = 0.0


class Origin(Struct, frozen=True):
    """What a folder says of where its strategy came from: the parents to register it under, and the rest.
    `edited`: the content is not what was exported."""

    parents: tuple[str, ...]
    said: dict[str, Any]
    edited: bool


def export(given: Version | Strategy, to: Path, hashes: Mapping[str, str] | None = None) -> list[Path]:
    """Write a version to a folder that is new or empty; its files. `hashes`: those of its parents."""
    strategy = strategy_of(given)
    plain = plain_of(strategy)
    files = {}
    if text := plain.pop("instructions", ""):
        files[INSTRUCTIONS] = f"{text}\n"
    files = {FILE: yaml_of(plain), **files}
    if isinstance(given, Version):
        files[LINEAGE] = f"{ABOUT}\n{yaml_of(_past(given, hashes or {}))}"
    try:
        to.mkdir(parents=True, exist_ok=True)
        if any(to.iterdir()):
            raise UsageError("the folder is not empty", where=str(to), remedy="name a new one, or clear it")
    except (FileExistsError, NotADirectoryError):
        raise UsageError("this is no folder", where=str(to), remedy="name a new one") from None
    except ValueError:
        raise UsageError("this is no path", where=repr(str(to)), remedy="name a new folder") from None
    for name, text in files.items():
        _write(to / name, text)
    return [to / name for name in files]


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never through a link that somebody laid there meanwhile."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".windtunnel-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    Path(fresh).chmod(0o644)
    Path(fresh).replace(path)


def _past(version: Version, hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "lineage": version.name,
        "version": version.number,
        "hash": version.hash,
        "operator": version.operator,
        "parents": list(version.parents),
        "hashes": [hashes.get(label, label.removeprefix("sha256:")) for label in version.parents],
        "why": version.why,
        "by": version.by,
        "at": version.at,
    }


def read_origin(path: Path, strategy: Strategy) -> Origin | None:
    """What lies beside a strategy about its past; None where nothing does."""
    folder = path if path.is_dir() else path.parent
    if not (folder / LINEAGE).exists():
        return None
    root = read_document(folder / LINEAGE, "lineage")
    check(root, Past, "lineage")
    past = msgspec.convert(root.plain(), Past)
    if past.lineage != strategy.name:
        return None  # renamed, or the lineage of another file of this folder
    edited = past.hash != content_hash(strategy)
    said = {key: value for key, value in msgspec.to_builtins(past).items() if key != "lineage"}
    parents = (past.hash,) if edited else past.hashes
    return Origin(
        tuple(f"sha256:{one}" for one in parents if _is_hash(one)), said | {"edited": edited}, edited
    )


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)


# --- YAML that reads back the same -----------------------------------------------------------------------


def yaml_of(plain: Mapping[str, Any]) -> str:
    """Plain values as YAML. Keys keep their order; texts that could be read as something else are quoted; a
    text of several lines is a block where that reads back the same."""
    return "".join(f"{line}\n" for key, value in plain.items() for line in _lines(_scalar(key), value, ""))


def _lines(key: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping) and value and not _short(value):
        inner = [line for name, item in value.items() for line in _lines(_scalar(name), item, indent + "  ")]
        return [f"{indent}{key}:", *inner]
    if isinstance(value, (list, tuple)) and value and not _short(value):
        return [f"{indent}{key}:", *(f"{indent}  - {_flow(item)}" for item in value)]
    return [f"{indent}{key}: {_flow(value)}"]


def _short(value: Any) -> bool:
    """Whether it fits on a line of its own and is easily read there."""
    items = value.values() if isinstance(value, Mapping) else value
    plain = not any(isinstance(item, (Mapping, list, tuple)) for item in items)
    return plain and len(_flow(value)) <= 90


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Text is written bare where that cannot be misread, and else as JSON, which YAML reads alike."""
    if isinstance(value, str):
        bare = value.isascii() and value.replace("_", "a").replace("-", "a").isalnum() and value[0].isalpha()
        misread = value.lower() in {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
        if bare and not misread:
            return value
        return _quoted(value)
    return msgspec.json.encode(value).decode()


def _quoted(value: str) -> str:
    """As JSON, with escapes for what YAML takes for the end of a line or of the text."""
    text = msgspec.json.encode(value).decode()
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
