"""What the kit found, in words: for each check whether it holds, what is lacking, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

Verdict = Literal["ok", "lacks", "warns", "skipped", "told"]
_ORDER: tuple[Verdict, ...] = ("lacks", "warns", "ok", "told", "skipped")


class Finding(Struct, frozen=True):
    """What one check has to say. Only `lacks` makes a world fail."""

    check: str
    verdict: Verdict
    what: str = ""
    todo: str = ""
    where: str = ""

    def __str__(self) -> str:
        word = "LACKS" if self.verdict == "lacks" else self.verdict
        where = f"{self.where}: " if self.where else ""
        text = f"{word:<8}{self.check:<26}{where}{self.what}".rstrip()
        return f"{text}\n{'':<10}to do: {self.todo}" if self.todo else text


class Report(Struct):
    world: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.lacks

    @property
    def lacks(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict == "lacks"]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict == "warns"]

    def about(self, check: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.check == check]

    def _sorted(self) -> Iterator[Finding]:
        for verdict in _ORDER:
            yield from (finding for finding in self.findings if finding.verdict == verdict)

    def __str__(self) -> str:
        count = len(self.lacks)
        head = f"world {self.world!r} " + (
            f"lacks {count} thing{'s' * (count != 1)}" if count else "keeps the contract"
        )
        return "\n".join([head, *(str(finding) for finding in self._sorted())])
