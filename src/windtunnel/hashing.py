"""SHA-256 of small things, of which a turn hashes a dozen: a copy of a hash that was begun once is had as
soon as a new one, and sooner where OpenSSL looks for its algorithms each time.
"""

from __future__ import annotations

from hashlib import sha256

_fresh = sha256().copy


def digest(data: bytes) -> bytes:
    one = _fresh()
    one.update(data)
    return one.digest()


def hexdigest(data: bytes) -> str:
    one = _fresh()
    one.update(data)
    return one.hexdigest()
