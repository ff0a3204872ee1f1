#!/usr/bin/env python3
"""Makes remote.bin, what is sent to hosts, out of the files beside this one.

It is a loader of two lines, then the parts, without comments, compressed: so all of it fits into
the first packets of a connection, and costs no round trip.
"""

import pathlib
import re
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
# In the order that main.py knows them by; each is compiled when it is needed.
PARTS = "main", "bytes", "link", "files", "process", "session", "login", "forwards", "lists"
# A shell that takes the body for a script stops at the first line; to Python, where the request has
# named a number exit, that is a subtraction. The request's f reads so many bytes.
LOADER = 'exit -97\nimport zlib;PARTS=zlib.decompress(f(%d)).split(b"\\0");exec(PARTS[0])\n'


def stripped(source):
    """The source without comments, docstrings and empty lines, and with one blank per level."""
    source = re.sub(r'^ *"""(.|\n)*?"""\n', "", source, flags=re.MULTILINE)
    lines = []
    for line in source.split("\n"):
        line = re.sub(r"(^|  )# .*", "", line).rstrip()
        body = line.lstrip(" ")
        if body:
            lines.append(" " * ((len(line) - len(body)) // 4) + body)
    return "\n".join(lines) + "\n"


def parts():
    """The parts' sources."""
    return [stripped((HERE / f"{name}.py").read_text()).encode() for name in PARTS]


def body(changes=None):
    """What is sent; with changes, other words in place of some, for tests."""
    source = b"\0".join(parts())
    for old, new in (changes or {}).items():
        source = source.replace(old, new)
    packed = zlib.compress(source, 9)
    return (LOADER % len(packed)).encode() + packed


def parts_of(made):
    """The parts' sources in a body."""
    return zlib.decompress(made.split(b"\n", 2)[2]).split(b"\0")


if __name__ == "__main__":
    target = HERE / "remote.bin"
    # zlib's bytes may differ from one version to the next.
    if "-f" in sys.argv or not target.exists() or parts_of(target.read_bytes()) != parts():
        target.write_bytes(body())
    print(f"remote.bin: {target.stat().st_size} bytes of {sum(map(len, parts()))}")
