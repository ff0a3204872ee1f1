"""A private sshd that announces another version than this machine's.

The identification string is part of what the key exchange signs, so that nothing between client
and server can change it; the server itself has to send it. VersionAddendum sets what follows the
version, and the version is a constant in the program: a private copy gets another one, written
over it in place.
"""

from __future__ import annotations

import os
import re
import shutil

from .namespaces import NotPossible

_SERVER = "/usr/sbin/sshd"
# Since OpenSSH 9.8 these do the work for one connection, and are found by a setting.
_HELPERS = {
    "SshdSessionPath": "/usr/lib/openssh/sshd-session",
    "SshdAuthPath": "/usr/lib/openssh/sshd-auth",
}
_VERSION = re.compile(rb"\0(OpenSSH_\d+\.\d+p\d+)\0")


class Servers:
    """Patched copies of this machine's sshd, one set per version."""

    def __init__(self, directory: str) -> None:
        if not os.access(_SERVER, os.X_OK):
            raise NotPossible(f"there is no {_SERVER} (apt-get install openssh-server)")
        self._directory = directory
        self._made: dict[str, list[str]] = {}
        self._helpers = {
            setting: path for setting, path in _HELPERS.items() if os.path.exists(path)
        }

    @property
    def has_penalties(self) -> bool:
        """Whether this sshd refuses clients that failed before (since 9.8)."""
        return bool(self._helpers)

    def server(self, release: str) -> str:
        """The path of an sshd that announces `release`."""
        self._make(release)
        return f"{self._directory}/{release}/sshd"

    def settings(self, release: str) -> list[str]:
        """The sshd_config lines that make it use its own helpers."""
        self._make(release)
        return [
            f"{setting} {self._directory}/{release}/{os.path.basename(path)}"
            for setting, path in self._helpers.items()
        ]

    def _make(self, release: str) -> None:
        place = f"{self._directory}/{release}"
        if os.path.isdir(place):
            return
        os.makedirs(place)
        patched = 0
        for path in [_SERVER, *self._helpers.values()]:
            with open(path, "rb") as file:
                program = file.read()
            program, count = _replace_version(program, release.encode())
            patched += count
            copy = f"{place}/{os.path.basename(path)}"
            with open(copy, "wb") as file:
                file.write(program)
            shutil.copymode(path, copy)
        if patched == 0:
            raise NotPossible(f"{_SERVER} has no version to replace by {release}")


def _replace_version(program: bytes, release: bytes) -> tuple[bytes, int]:
    def replacement(found: re.Match[bytes]) -> bytes:
        room = len(found.group(1))
        if len(release) > room:
            raise NotPossible(f"{release.decode()} is longer than {found.group(1).decode()}")
        return b"\0" + release.ljust(room, b"\0") + b"\0"

    return _VERSION.subn(replacement, program)
