#!/usr/bin/env python3
"""Makes remote.bin, what is sent to hosts, out of the files beside this one.

It is a loader of two lines, then the parts, without comments, compressed: so all of it fits into
the first packets of a connection, and costs no round trip.
"""

import io
import pathlib
import sys
import tokenize
import zlib

HERE = pathlib.Path(__file__).resolve().parent
# In the order that main.py knows them by; each is compiled when it is needed.
PARTS = "main", "bytes", "link", "files", "process", "session", "login", "forwards", "lists"
# A shell that takes the body for a script stops at the first line; to Python, where the request has
# named a number exit, that is a subtraction. The request's f reads so many bytes.
LOADER = 'exit -97\nimport zlib;PARTS=zlib.decompress(f(%d)).split(b"\\0");exec(PARTS[0])\n'


def stripped(source):
    """The source as Python sees it: no comments, docstrings, or blanks that part nothing."""
    out, depth, last = [], 0, "\n"
    for kind, text, _, _, _ in tokenize.generate_tokens(io.StringIO(source).readline):
        if kind in (tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER):
            continue
        if kind in (tokenize.INDENT, tokenize.DEDENT):
            depth += 1 if kind == tokenize.INDENT else -1
            continue
        if kind == tokenize.NEWLINE:
            if last is None:
                last = "\n"
                continue
            text = "\n"
        elif last == "\n" and text.startswith('"""'):
            last = None
            continue
        elif last == "\n":
            out.append(" " * depth)
        elif _is_word(last[-1]) and (_is_word(text[0]) or text[0] in "\"'"):
            out.append(" ")
        elif last[-1] in "\"'" and _is_word(text[0]):
            out.append(" ")
        out.append(text)
        last = text
    return "".join(out)


def _is_word(letter):
    return letter.isalnum() or letter == "_"


def parts():
    """The parts' sources."""
    return [stripped((HERE / f"{name}.py").read_text()).encode() for name in PARTS]


def body(changes=None):
    """What is sent; with changes, other words in place of some, for tests."""
    source = b"\0".join(parts())
    for old, new in (changes or {}).items():
        source = source.replace(old, new)
    for part in source.split(b"\0"):
        compile(part, "a part", "exec")
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
