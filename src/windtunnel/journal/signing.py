"""Signatures over heads (Ed25519), for those who must prove a run to someone who does not trust the disk.

A key is a file with 32 bytes in hex; its public half lies beside it as `.pub`. Needs the extra `sign`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windtunnel.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - late: an extra
    except ImportError:
        raise UsageError(
            "signing heads needs the extra `sign`", remedy="pip install 'windtunnel[sign]'"
        ) from None
    return ed25519


class Signer:
    def __init__(self, key: Path) -> None:
        try:
            secret = bytes.fromhex(key.read_text().strip())
            self._key: Ed25519PrivateKey = _library().Ed25519PrivateKey.from_private_bytes(secret)
        except (OSError, ValueError) as error:
            raise UsageError(f"the signing key cannot be read: {error}", where=str(key)) from None

    def sign(self, line: str) -> str:
        return self._key.sign(line.encode()).hex()


def make_key(path: Path) -> str:
    """Write a new key (readable by its owner only) and its public half; return the public half."""
    if path.suffix == ".pub" or path.exists() or path.with_suffix(".pub").exists():
        raise UsageError(
            "a new key needs a name of its own", where=str(path), remedy="name another file, not .pub"
        )
    key = _library().Ed25519PrivateKey.generate()
    public: str = key.public_key().public_bytes_raw().hex()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(key.private_bytes_raw().hex() + "\n")
    path.with_suffix(".pub").write_text(public + "\n")
    return public


def signature_holds(public: str, line: str, signature: str) -> bool:
    library = _library()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - late: an extra

    try:
        key = library.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.strip()))
    except ValueError as error:
        raise UsageError(
            f"this is no public key: {error}", remedy="give the 64 hex digits of the .pub file"
        ) from None
    try:
        key.verify(bytes.fromhex(signature), line.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
