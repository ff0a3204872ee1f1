"""A private /etc: files of our own, everything else as links to the machine's."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .namespaces import bind

NAME_SERVICES = "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\n"


@dataclass(frozen=True)
class Account:
    """A line of passwd, shadow and group."""

    name: str
    number: int
    home: str
    shell: str = "/bin/bash"
    # A hash, or "*": no password fits, and sshd does not take the account for locked.
    password: str = "*"


SYSTEM_ACCOUNTS = (
    Account("nobody", 65534, "/nonexistent", "/usr/sbin/nologin"),
    # The account sshd gives the part of itself that talks to strangers.
    Account("sshd", 105, "/run/sshd", "/usr/sbin/nologin"),
)


def account_files(accounts: list[Account], groups: dict[str, list[str]]) -> dict[str, str]:
    """passwd, shadow and group."""
    everybody = [*accounts, *SYSTEM_ACCOUNTS]
    next_group = 900
    lines = ["tty:x:5:", "utmp:x:43:"]
    for account in everybody:
        lines.append(f"{account.name}:x:{account.number}:")
    for name, members in groups.items():
        lines.append(f"{name}:x:{next_group}:{','.join(members)}")
        next_group += 1
    return {
        "passwd": "".join(
            f"{a.name}:x:{a.number}:{a.number}:{a.name}:{a.home}:{a.shell}\n" for a in everybody
        ),
        "shadow": "".join(f"{a.name}:{a.password}:19000:0:99999:7:::\n" for a in everybody),
        "group": "\n".join(lines) + "\n",
    }


def write(directory: str, files: dict[str, str], machine: str) -> None:
    """Fills `directory` with `files` and links to what else `machine`, the real /etc, holds."""
    for name, text in files.items():
        path = f"{directory}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600 if name == "shadow" else 0o644)
    for name in os.listdir(machine):
        path = f"{directory}/{name}"
        if os.path.lexists(path):
            continue
        original = f"{machine}/{name}"
        # A relative link has to stay one: it is read from /etc, not from where we keep /etc.
        os.symlink(os.readlink(original) if os.path.islink(original) else original, path)


def put_in_place(directory: str) -> None:
    """Makes `directory` the /etc of this mount namespace."""
    bind(directory, "/etc")
