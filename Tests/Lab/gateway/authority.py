"""A certificate authority of the lab's own, and a certificate for every name it is asked for."""

from __future__ import annotations

import datetime
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates; its own is `file`."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.file = f"{directory}/ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the lab's authority")])
        self._contexts: dict[str, ssl.SSLContext] = {}
        own = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True,
        ).sign(self._key, hashes.SHA256())
        with open(self.file, "wb") as file:
            file.write(own.public_bytes(serialization.Encoding.PEM))

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
        )

    def context(self) -> ssl.SSLContext:
        """A server's context that has a certificate for whatever name a client wants."""
        def choose(connection: ssl.SSLObject, name: str | None, _: object) -> None:
            if name:
                connection.context = self._context(name)

        context = self._context("localhost")
        context.sni_callback = choose
        return context

    def _context(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            key = ec.generate_private_key(ec.SECP256R1())
            # A common name has 64 characters at most; names are looked for in the extension.
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
            made = self._builder(subject, key.public_key()).add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False,
            ).add_extension(
                x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False,
            ).sign(self._key, hashes.SHA256())
            path = f"{self.directory}/{len(self._contexts)}.pem"
            descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ))
                file.write(made.public_bytes(serialization.Encoding.PEM))
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(path)
            os.unlink(path)
            self._contexts[name] = context
        return self._contexts[name]
