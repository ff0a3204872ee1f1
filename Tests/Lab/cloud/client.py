"""The machine the user sits at: the lab's outermost namespace."""

from __future__ import annotations

import os
import shutil

from . import etc, namespaces

ROOT = "/run/lab"
HOMES = f"{ROOT}/home"
KEYS = f"{ROOT}/keys"
TOOLS = f"{ROOT}/tools"
# What instances cannot see of it.
PLACES = (HOMES, KEYS)

# The account commands run under, and further ones for tests that want a home of their own:
# OpenSSH takes the home from passwd, so a fresh home is a fresh account.
USER = etc.Account("you", 20000, f"{HOMES}/you")
SPARE_COUNT = 900
_FIRST_SPARE = 20001
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def spare(index: int) -> etc.Account:
    """The account number `index` of those for tests; whoever uses one makes its home."""
    return etc.Account(f"user{index:03d}", _FIRST_SPARE + index, f"{HOMES}/user{index:03d}")


def mount_root() -> None:
    """/run becomes empty and ours: all of the lab lives there, and vanishes with it."""
    namespaces.mount("tmpfs", "/run", "tmpfs", flags=namespaces.NO_DEVICES, options="mode=0755")
    for place in ("/run/sshd", "/run/lock", "/run/user", HOMES, KEYS, f"{ROOT}/bin"):
        os.makedirs(place)
    os.makedirs(f"{ROOT}/tmp")
    os.chmod(f"{ROOT}/tmp", 0o1777)


def set_up(hosts: str, machine: str) -> None:
    """Accounts, names and terminals."""
    directory = f"{ROOT}/etc"
    accounts = [
        etc.Account("root", 0, "/root"), USER, *(spare(index) for index in range(SPARE_COUNT)),
    ]
    etc.write(directory, {
        **etc.account_files(accounts, {}),
        "hosts": hosts,
        "hostname": "laptop\n",
        "nsswitch.conf": etc.NAME_SERVICES,
        "resolv.conf": "",
    }, machine)
    etc.put_in_place(directory)
    namespaces.mount_pseudo_terminals()
    namespaces.set_host_name("laptop")
    os.mkdir(USER.home, 0o700)
    os.chown(USER.home, USER.number, USER.number)


def put_binary(path: str) -> str:
    """Shows the binary under test where every account can run it."""
    place = f"{ROOT}/bin/ec2sh"
    with open(place, "wb"):
        pass
    namespaces.bind(os.path.realpath(path), place)
    return place


def put_tools(directory: str) -> None:
    """Shows the lab's own programs where every account can read them."""
    os.mkdir(TOOLS)
    namespaces.bind(directory, TOOLS)


def give_key(path: str) -> None:
    """Puts the key pair where a user has it: as the browser saved it, readable by all."""
    place = f"{USER.home}/{os.path.basename(path)}"
    shutil.copyfile(path, place)
    os.chmod(place, 0o644)
    os.chown(place, USER.number, USER.number)


def environment(lab: str, binary: str | None, as_root: bool) -> dict[str, str]:
    """What a command in the lab is started with."""
    kept = {
        name: value for name, value in os.environ.items()
        if name in ("TERM", "LANG", "PATH", "CI") or name.startswith(("LC_", "SWIFT", "EC2SH_"))
    }
    kept["PATH"] = f"{ROOT}/bin:" + kept.get("PATH", _PATH)
    kept["LAB_JSON"] = lab
    kept["TMPDIR"] = f"{ROOT}/tmp"
    if binary:
        kept["EC2SH_BINARY"] = binary
    account = etc.Account("root", 0, os.environ.get("HOME", "/root")) if as_root else USER
    kept.update(HOME=account.home, USER=account.name, LOGNAME=account.name, SHELL="/bin/bash")
    return kept


def become_user() -> None:
    """From root to the account of the user, for good."""
    os.setgroups([])
    os.setgid(USER.number)
    os.setuid(USER.number)
    os.chdir(USER.home)
