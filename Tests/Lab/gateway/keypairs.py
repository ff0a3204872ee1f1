"""Key pairs as EC2 describes them: each kind has a fingerprint of its own form."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def describe_key_pairs(files: dict[str, str]) -> dict[str, dict[str, str]]:
    """By name; an RSA key is there as one EC2 made and, under another name, as an imported one."""
    found = {}
    for name, path in files.items():
        with open(path, "rb") as file:
            text = file.read()
        if b"OPENSSH" in text:
            key = serialization.load_ssh_private_key(text, None)
        else:
            key = serialization.load_pem_private_key(text, None)
        public = key.public_key()
        line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        if not isinstance(key, rsa.RSAPrivateKey):
            digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
            found[name] = {
                "type": "ed25519", "public": line, "fingerprint": base64.b64encode(digest).decode(),
            }
            continue
        private = key.private_bytes(
            Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
        )
        outer = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        found[name] = {
            "type": "rsa", "public": line, "fingerprint": _colons(hashlib.sha1(private).hexdigest()),
        }
        found[f"{name}-imported"] = {
            "type": "rsa", "public": line, "fingerprint": _colons(hashlib.md5(outer).hexdigest()),
        }
    return found


def _colons(digits: str) -> str:
    return ":".join(digits[i:i + 2] for i in range(0, len(digits), 2))
