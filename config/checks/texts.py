#!/usr/bin/env python3
"""Checks the tracked files that swift-format does not know: syntax, line ends, stray paths."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Paths of the machine somebody worked on say nothing to anybody else.
_STRAY = re.compile(r"(?<![\w./-])/(?:work|Users|tmp/src)/\w|\.\./shared/")
_CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)


def faults_of(name: str) -> list[str]:
    """What is wrong with one file."""
    path = ROOT / name
    raw = path.read_bytes()
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return []
    found = []
    first = text.split("\n", 1)[0]
    if name != "config/checks/texts.py":
        for number, line in enumerate(text.splitlines(), 1):
            if _STRAY.search(line):
                found.append(f"{name}:{number}: a path of one machine: {line.strip()[:80]}")
    if _CONFLICT.search(text):
        found.append(f"{name}: a merge conflict's marks")
    if name.endswith(".py") or "python3" in first:
        try:
            compile(text, name, "exec")
        except SyntaxError as error:
            found.append(f"{name}:{error.lineno}: {error.msg}")
    elif first.startswith("#!") and re.search(r"\b(ba)?sh$", first):
        shell = "bash" if first.endswith("bash") else "sh"
        checked = subprocess.run(
            [shell, "-n", str(path)], capture_output=True, text=True, check=False,
        )
        found += checked.stderr.splitlines()
    elif name.endswith(".json"):
        try:
            json.loads(text)
        except ValueError as error:
            found.append(f"{name}: {error}")
    if text and not text.endswith("\n") and not name.startswith("Tests/Vectors/"):
        found.append(f"{name}: no newline at the end")
    return found


def main() -> int:
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    ).stdout.split("\0")
    files = [name for name in names if name and (ROOT / name).is_file()]
    faults = [fault for name in files for fault in faults_of(name)]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"texts: {len(files)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
