"""Find ambient chance, clocks and ids where the same inputs must give the same bytes.

That is in the rooms of the house, and in the worlds of `examples`. Chance and time reach a world, an agent or
a run through `context` only. This reads the syntax tree of each file and names every use of a clock, of the
machine's chance, of ids made from either, and of `hash()` and `id()`, which differ from process to process.
Imports are followed through `as` and `from`; values are not: a clock handed on in a variable is seen where it
is first named, not where it is called.

A line that needs one says so, and why:

    started = time.monotonic()  # ambient: shown on the screen, never recorded

A marker that excuses nothing is a finding too, so that the exceptions only grow fewer. Standard library only.
Exit 0 clean, 1 something found, 2 nothing to read.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "src" / "windtunnel"
ROOMS = ("agents", "chance", "codec", "memory", "models", "run", "teams", "world", "worlds")
MARKER = re.compile(r"#\s*ambient:\s*\S")


class Ban(NamedTuple):
    """Why a name is banned, and what to use instead."""

    why: str
    remedy: str


CHANCE = Ban("differs at every execution", "draw from a stream of context.chance")
CLOCK = Ban("reads the machine's clock", "take the time from context")
SLEEP = Ban("waits by the machine's clock", "let the engine's wake() name the moment")
IDENT = Ban("differs in every process", "derive ids from the seed, the turn and the actor")
HASH = Ban("is salted anew in every process", "use hashlib on encoded bytes")

# A module bans all that is in it. What is not named is allowed: uuid.uuid5, time.struct_time, timedelta.
BANNED = {
    name: ban
    for ban, names in {
        CHANCE: "random secrets numpy.random os.urandom os.getrandom",
        CLOCK: """
            time.time time.monotonic time.perf_counter time.process_time time.thread_time time.clock_gettime
            time.time_ns time.monotonic_ns time.perf_counter_ns time.process_time_ns time.thread_time_ns
            time.clock_gettime_ns time.localtime time.gmtime time.ctime time.asctime time.strftime
            datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today
        """,
        SLEEP: "time.sleep",
        IDENT: """
            uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7 uuid.getnode
            os.getpid os.getppid threading.get_ident threading.get_native_id id
        """,
        HASH: "hash",
    }.items()
    for name in names.split()
}
BUILTINS = {"hash": "hash", "id": "id"}


class Finding(NamedTuple):
    """One line that must change."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Use(NamedTuple):
    """A banned name, written somewhere between two lines."""

    first: int
    last: int
    name: str
    ban: Ban


Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class _Uses(ast.NodeVisitor):
    """Collect the banned names of one file, resolved through its imports and the names its functions bind."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[Use] = []
        self._scopes = [BUILTINS | dict.fromkeys(_bound(tree.body), "") | _imported(tree)]
        self.visit(tree)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._judge(alias, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if node.level:
                continue
            if alias.name == "*":
                self._judge_all_of(alias, f"{node.module}")
            else:
                self._judge(alias, f"{node.module}.{alias.name}")

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._judge(node, self._resolve(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._judge(node, self._resolve(node)):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: Function) -> None:
        arguments = [argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
        body = node.body if isinstance(node.body, list) else []
        own = dict.fromkeys([*arguments, *_bound(body)], "")
        self._scopes.append(self._scopes[-1] | own | _imported(node))
        self.generic_visit(node)
        self._scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815
    visit_Lambda = visit_FunctionDef  # noqa: N815

    def _resolve(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self._scopes[-1].get(node.id, "")
        if isinstance(node, ast.Attribute) and (owner := self._resolve(node.value)):
            return f"{owner}.{node.attr}"
        return ""

    def _judge(self, node: ast.expr | ast.alias, name: str) -> bool:
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            if ban := BANNED.get(".".join(parts[:length])):
                self.found.append(Use(node.lineno, node.end_lineno or node.lineno, name, ban))
                return True
        return False

    def _judge_all_of(self, node: ast.alias, module: str) -> None:
        if not self._judge(node, module):
            inside = [name for name in BANNED if name.startswith(f"{module}.")]
            if inside:
                self.found.append(Use(node.lineno, node.lineno, f"{module}.*", BANNED[inside[0]]))


def _imported(tree: ast.AST) -> dict[str, str]:
    """What each imported name of a tree stands for, in full."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = "" if node.level else f"{node.module}.{alias.name}"
    return names


def _bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that a body binds by itself: its own `hash` or `id` is not the built-in one."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        pending.extend(ast.iter_child_nodes(node))


def _marked(source: str) -> set[int]:
    """The lines whose comment gives a reason; a string that looks like one does not count."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = (token for token in tokens if token.type == tokenize.COMMENT)
    return {comment.start[0] for comment in comments if MARKER.match(comment.string)}


def check(path: Path) -> list[Finding]:
    """Everything wrong with one file, in the order of its lines."""
    source = path.read_text(encoding="utf-8")
    try:
        tree = ast.parse(source, filename=str(path))
    except SyntaxError as error:
        return [Finding(path, error.lineno or 1, f"cannot be read as Python: {error.msg}")]
    marked = _marked(source)
    used: set[int] = set()
    findings = []
    for use in _Uses(tree).found:
        markers = marked.intersection(range(use.first, use.last + 1))
        used |= markers
        if not markers:
            remedy = f"{use.ban.remedy}, or end the line with `# ambient: <reason>`"
            findings.append(Finding(path, use.first, f"{use.name} {use.ban.why}: {remedy}"))
    stale = "this `# ambient:` marker excuses nothing: remove it"
    findings += [Finding(path, line, stale) for line in marked - used]
    return sorted(set(findings))


def files(paths: Sequence[Path]) -> list[Path]:
    """The Python files under the paths, each once."""
    found = {file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])}
    return sorted(found)


def rooms(house: Path) -> list[Path]:
    """The rooms that exist already, whether written as a module or as a package."""
    return [path for room in ROOMS for path in (house / room, house / f"{room}.py") if path.exists()]


def examples(root: Path) -> list[Path]:
    """The worlds that stand beside the house, for which the same holds; their tests may do as they like."""
    folders = [path for path in sorted(root.glob("examples/*/*")) if path.is_dir() and path.name != "tests"]
    return [path for path in folders if (path / "__init__.py").exists()]


def main(arguments: Sequence[str]) -> int:
    """Check the named paths, or every room of the house and the worlds among the examples."""
    paths = [Path(argument) for argument in arguments] or [*rooms(HOUSE), *examples(ROOT)]
    missing = [str(path) for path in paths if not path.exists()]
    todo = files(paths) if not missing else []
    if not todo:
        what = f"no such file or folder: {', '.join(missing)}" if missing else f"no Python file in {HOUSE}"
        print(f"lint_ambient: {what}", file=sys.stderr)
        return 2
    findings = [finding for file in todo for finding in check(file)]
    for finding in findings:
        print(finding)
    print(f"lint_ambient: {len(todo)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
