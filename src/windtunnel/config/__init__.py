"""The workspace: the folder whose runs, worlds and settings a command means.

It is the folder of the nearest `windtunnel.toml` upward from where one stands, else that very folder;
`WINDTUNNEL_HOME` names another. Settings are typed; a key that is not known is refused with the nearest one
that is, so that a misspelt setting never passes in silence.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field

from windtunnel.config.environment import FILE as ENV_FILE
from windtunnel.config.environment import read_env
from windtunnel.config.evolution import Evolving
from windtunnel.config.models import Models
from windtunnel.config.notify import Notify
from windtunnel.config.retention import Retention
from windtunnel.config.runs import Runs
from windtunnel.config.schedule import Scheduling
from windtunnel.config.serve import OAuth, Serve
from windtunnel.config.store import StoreAt
from windtunnel.config.streams import Streams
from windtunnel.config.tools import ToolServer
from windtunnel.errors import UsageError
from windtunnel.words import explain, suggest

FILE = "windtunnel.toml"
HOME = "WINDTUNNEL_HOME"
_MAX_BYTES = 1 << 20


class PathWorld(Struct, frozen=True):
    """A world that is not installed: `path` is the folder of its package or project, from the workspace;
    `python_path` are more folders it needs, from `path`."""

    name: Annotated[str, Meta(min_length=1)]
    path: Annotated[str, Meta(min_length=1)]
    python_path: tuple[str, ...] = ()


class Heads(Struct, frozen=True):
    """Keys that sign the heads of runs, and check them."""

    signing_key: str | None = None
    public_key: str | None = None


class Settings(Struct, frozen=True):
    worlds: tuple[PathWorld, ...] = ()
    heads: Heads = field(default_factory=Heads)
    runs: Runs = field(default_factory=Runs)
    models: Models = field(default_factory=Models)
    mcp: dict[str, ToolServer] = {}
    store: StoreAt = field(default_factory=StoreAt)
    serve: Serve = field(default_factory=Serve)
    oauth: dict[str, OAuth] = {}
    retention: Retention = field(default_factory=Retention)
    streams: Streams = field(default_factory=Streams)
    notify: Notify = field(default_factory=Notify)
    schedule: Scheduling = field(default_factory=Scheduling)
    evolution: Evolving = field(default_factory=Evolving)


class Workspace:
    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"

    @property
    def file(self) -> Path:
        return self.root / FILE

    @property
    def runs(self) -> Path:
        return self.root / ".windtunnel" / "runs"

    @cached_property
    def settings(self) -> Settings:
        """What windtunnel.toml says; read when first asked for: a broken one stops only who needs it."""
        return read_settings(self.file)

    @property
    def env_file(self) -> Path:
        return self.root / ENV_FILE

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment, and below it what the `.env` beside windtunnel.toml says. In a folder without a
        windtunnel.toml another program's keys may lie there: it is not read."""
        return {**(read_env(self.env_file) if self.file.is_file() else {}), **os.environ}

    @property
    def store_url(self) -> str:
        """Where runs lie if that is PostgreSQL; empty: in files of `runs`. Not to be shown: a password may
        stand in it."""
        return self.settings.store.resolve(self.environ, str(self.file))

    @property
    def signing_key(self) -> Path | None:
        """The file of the key that signs heads; none by default."""
        key = self.settings.heads.signing_key
        return self.path(key) if key else None

    @property
    def public_key(self) -> str | None:
        """The key that checks signed heads: as it is written there, or the text of the file it names."""
        key = self.settings.heads.public_key
        if key is None or re.fullmatch(r"[0-9a-fA-F]{64}", key):
            return key
        try:
            return self.path(key).read_text().strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "is no text"
            raise UsageError(f"the public key cannot be read: {why}", where=str(self.path(key))) from None

    def path(self, written: str) -> Path:
        """A path of the settings: absolute, from the home folder, or from the workspace."""
        return (self.root / Path(written).expanduser()).resolve()


def find_workspace(start: Path | None = None, environ: Mapping[str, str] | None = None) -> Workspace:
    home = (os.environ if environ is None else environ).get(HOME, "")
    if home:
        root = Path(home).expanduser().absolute()
        if not root.is_dir():
            raise UsageError(
                f"{HOME} names no folder", where=str(root), remedy="make the folder, or unset it"
            )
        return Workspace(root)
    here = (start or Path.cwd()).absolute()
    return Workspace(next((folder for folder in (here, *here.parents) if (folder / FILE).is_file()), here))


def read_settings(file: Path) -> Settings:
    """The settings of a file, or the defaults where there is none."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(file)) from None
    if len(raw) > _MAX_BYTES:
        raise UsageError("is larger than 1 MiB", where=str(file), remedy="settings are smaller than that")
    try:
        text = raw.decode()
        plain = tomllib.loads(text)
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8", where=str(file), remedy="save the file as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = re.search(r"line (\d+), column (\d+)", str(error))
        where = f"{file}:{at[1]}:{at[2]}" if at else str(file)
        said = str(error).partition(" (at ")[0]
        raise UsageError(f"this is not TOML: {said}", where=where, remedy="mend the line") from None
    _refuse_unknown(plain, Settings, (), text, file)
    try:
        return msgspec.convert(plain, Settings)
    except msgspec.ValidationError as error:
        raise _misfit(str(error), plain, text, file) from None


def _refuse_unknown(plain: Any, wanted: Any, path: tuple[str | int, ...], text: str, file: Path) -> None:
    if isinstance(plain, dict) and isinstance(wanted, type) and issubclass(wanted, Struct):
        known = {item.encode_name: item.type for item in msgspec.structs.fields(wanted)}
        for key, value in plain.items():
            if key not in known:
                name = _dotted((*path, key))
                raise UsageError(
                    f"there is no setting {name!r}",
                    where=_where((*path, key), text, file),
                    remedy=suggest(key, known),
                )
            _refuse_unknown(value, known[key], (*path, key), text, file)
    elif isinstance(plain, (list, dict)):
        steps = enumerate(plain) if isinstance(plain, list) else plain.items()
        for step, item in steps:
            _refuse_unknown(item, _held(wanted), (*path, step), text, file)


def _held(wanted: Any) -> Any:
    """What a list or a table of this type holds: `PathWorld` for `tuple[PathWorld, ...]`."""
    held = get_args(wanted)
    return {tuple: held[:1], dict: held[1:]}.get(get_origin(wanted), (None,))[0]


def _misfit(problem: str, plain: Any, text: str, file: Path) -> UsageError:
    path: tuple[str | int, ...] = ()
    value, wanted = plain, Settings
    for name, index in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", problem.rpartition(" - at `$")[2]):
        step: str | int = name
        if index == "...":  # one of a table's entries: which of them is not said
            step = next(key for key, item in value.items() if not _fits(item, _held(wanted)))
        elif index:
            step = int(index)
        path, value = (*path, step), value[step]
        wanted = _field(wanted, name) if name else _held(wanted)
    return UsageError(f"{_dotted(path)}: {explain(problem, value)}", where=_where(path, text, file))


def _field(wanted: Any, name: str) -> Any:
    if not (isinstance(wanted, type) and issubclass(wanted, Struct)):
        return None
    return next((item.type for item in msgspec.structs.fields(wanted) if item.encode_name == name), None)


def _fits(value: Any, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return False
    return True


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)


def _where(path: tuple[str | int, ...], text: str, file: Path) -> str:
    """File and line of a setting. The parser keeps no lines: headers and keys are looked for, as people
    write them; where that finds nothing, the file alone is named."""
    wanted = [str(step) for step in path]
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)((?:[\w.\s-]|\"[^\"]*\")+)\]", line):
            table = [quoted or bare for quoted, bare in re.findall(r"\"([^\"]*)\"|([\w-]+)", header[2])]
            if header[1] == "[[":
                name = ".".join(table)
                counts[name] = counts.get(name, -1) + 1
                table = [*table, str(counts[name])]
            here = table
        elif key := re.match(r"\s*([\w.\"-]+)\s*=", line):
            here = [*table, *key[1].replace('"', "").split(".")]
        else:
            continue
        if here == wanted:
            return f"{file}:{number}"
    return f"{file}"
