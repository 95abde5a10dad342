"""The exchange's own signature on its releases: Ed25519, the key in the data directory."""

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exchange.settings import settings

FILE = "insight-signing-key.pem"


def sign(content: bytes, key: Ed25519PrivateKey) -> str:
    """The signature, base64."""
    return base64.b64encode(key.sign(content)).decode()


def public_key(key: Ed25519PrivateKey) -> str:
    """The raw public key, base64: what the manifest tells."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def verify(content: bytes, signature: str, public: str) -> bool:
    """Whether ``signature`` over ``content`` was made with the key behind ``public``."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public)).verify(base64.b64decode(signature), content)
    except InvalidSignature:
        return False
    return True


def signing_key(folder: Path | None = None) -> Ed25519PrivateKey:
    """The key of this installation; made on first use, readable by the exchange's own user only."""
    file = (folder or settings().data_dir) / FILE
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        fresh = file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(pem)
        try:
            os.link(fresh, file)  # another process may have been first: its key stays
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{file} holds another kind of key")
    return key
