"""The system calls Python has no function for (before 3.12 it had no unshare either)."""

from __future__ import annotations

import ctypes
import os
import signal

_libc = ctypes.CDLL(None, use_errno=True)

# linux/sched.h
NEW_MOUNTS = 0x00020000
NEW_HOSTNAME = 0x04000000
NEW_IPC = 0x08000000
NEW_PIDS = 0x20000000
NEW_NETWORK = 0x40000000

# linux/mount.h
READ_ONLY = 0x1
NO_SUID = 0x2
NO_DEVICES = 0x4
REMOUNT = 0x20
BIND = 0x1000
RECURSIVE = 0x4000
PRIVATE = 0x40000

_PR_SET_PDEATHSIG = 1


class NotPossible(Exception):
    """This machine cannot hold a lab; the text says what is missing."""


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(kinds: int) -> None:
    """Puts this process (or, for NEW_PIDS, its next children) into new namespaces."""
    try:
        _check(_libc.unshare(kinds), "unshare")
    except OSError as error:
        raise NotPossible(f"no namespaces can be made here ({error.strerror})") from error


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    _check(
        _libc.mount(
            source.encode(), target.encode(), kind.encode() or None, flags,
            options.encode() or None,
        ),
        f"mount {source} {target}",
    )


def bind(source: str, target: str) -> None:
    """Shows the file or directory `source` at `target`, which exists."""
    mount(source, target, flags=BIND)


def make_mounts_private() -> None:
    """What is mounted from here on is seen in this namespace only."""
    mount("none", "/", flags=RECURSIVE | PRIVATE)


def make_root_read_only() -> None:
    """The root file system cannot be written to in this mount namespace."""
    mount("none", "/", flags=REMOUNT | BIND | READ_ONLY)


def mount_pseudo_terminals() -> None:
    """A private /dev/pts; /dev/ptmx finds the one beside it."""
    mount("devpts", "/dev/pts", "devpts", options="newinstance,ptmxmode=0666,mode=0620,gid=5")


def die_with_parent() -> None:
    """SIGKILL for this process when its parent ends, however that happens."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def set_host_name(name: str) -> None:
    """The host name in this UTS namespace."""
    raw = name.encode()
    _check(_libc.sethostname(raw, len(raw)), "sethostname")
