"""A provider's script and manners as one file (JSON or TOML), for a process of its own.

    text = "ready"                       # or answers = [...], or rules = { "plan" = "...", "" = "ready" }
    storm = { rate_limited = 0.1 }
    latency = { median = 0.5 }

What only Python can say (a function of the request) needs a provider in the test's own process.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from windtunnel.errors import UsageError
from windtunnel.testing.provider.chance import LongTail
from windtunnel.testing.provider.faults import storm
from windtunnel.testing.provider.scripts import Script
from windtunnel.testing.provider.server import Provider
from windtunnel.testing.provider.words import Answer


class Plot(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    text: str = "ready"
    answers: tuple[str | Answer, ...] = ()
    rules: dict[str, str | Answer] = msgspec.field(default_factory=dict)
    storm: dict[str, float] = msgspec.field(default_factory=dict)
    seed: int = 1
    latency: LongTail | float | None = None
    key: str = ""
    most_at_once: int | None = None
    strict: bool = True
    keep: int = 100_000

    def provider(self, port: int = 0) -> Provider:
        script: Script = self.rules or self.answers or self.text
        return Provider(
            storm(script, self.storm, seed=self.seed) if self.storm else script,
            latency=self.latency,
            key=self.key,
            most_at_once=self.most_at_once,
            strict=self.strict,
            keep=self.keep,
            port=port,
        )


def read_plot(path: Path) -> Plot:
    decode = msgspec.toml.decode if path.suffix == ".toml" else msgspec.json.decode
    try:
        return decode(path.read_bytes(), type=Plot)
    except OSError as why:
        raise UsageError(f"cannot be read: {why.strerror}", where=str(path)) from None
    except msgspec.DecodeError as why:
        raise UsageError(
            str(why), where=str(path), remedy="fields: " + ", ".join(Plot.__struct_fields__)
        ) from None
