"""Where a store or database is: a file, or a PostgreSQL database by its URL.

A URL may hold a password; what is shown, logged or stored of it never does. Nothing here connects.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

SCHEMES = ("postgresql", "postgres")
_SECRET = frozenset({"password", "sslpassword", "passfile", "oauth_client_secret"})
_TELLING = frozenset({"host", "hostaddr", "port", "sslmode", "options", "service"})  # what else says where
HIDDEN = "***"


def is_address(text: str) -> bool:
    """Whether this names a PostgreSQL database, and not a file."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def shown(url: str) -> str:
    """The URL without what is secret in it: how the place is called everywhere."""
    try:
        parts = urlsplit(url)
        user, at, host = parts.netloc.rpartition("@")
        kept = urlencode([(k, value) for k, value in parse_qsl(parts.query) if k in _TELLING], safe="/")
        return f"postgresql://{user.partition(':')[0]}{at}{host}{parts.path}{'?' if kept else ''}{kept}"
    except ValueError:
        return "postgresql://…"


def scrub(text: str, url: str) -> str:
    """An error's words without the password, however the library that made them quotes it."""
    user = urlsplit(url).netloc.rpartition("@")[0] if "@" in url else ""
    secrets = {user.partition(":")[2]}
    secrets |= {value for key, value in parse_qsl(urlsplit(url).query) if key.lower() in _SECRET}
    text = text.replace(url, shown(url))
    for secret in sorted({word for one in secrets for word in (one, unquote(one)) if word}, key=len):
        text = text.replace(secret, HIDDEN)
    return text
