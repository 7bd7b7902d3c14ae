"""What `[store]` of windtunnel.toml may say: that runs, and what is known of them, lie in PostgreSQL.

A password is better not written there: `url_env` names a variable of the environment (or of `.env`) that
holds the whole URL, and PostgreSQL's own ways (PGPASSWORD, ~/.pgpass) work too.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from windtunnel.config.tools import Variable
from windtunnel.errors import UsageError

SCHEMES = ("postgresql://", "postgres://")


class StoreAt(Struct, frozen=True):
    """None of both: each run is a file of its own."""

    url: str = ""
    url_env: Variable | None = None

    def resolve(self, environ: Mapping[str, str], where: str) -> str:
        """The URL, or nothing. An error never shows it, as a password may stand in it."""
        if self.url and self.url_env:
            raise UsageError(
                "store: url and url_env say the same thing twice", where=where, remedy="keep one"
            )
        url = environ.get(self.url_env, "") if self.url_env else self.url
        if self.url_env and not url:
            raise UsageError(
                f"store.url_env: the variable {self.url_env} is not set",
                where=where,
                remedy=f"export {self.url_env}=postgresql://USER:PASSWORD@HOST/DATABASE, or write it to .env",
            )
        if url and not url.startswith(SCHEMES):
            raise UsageError(
                "store: this is no address of a PostgreSQL database",
                where=where,
                remedy="postgresql://USER@HOST:5432/DATABASE",
            )
        return url
