#!/usr/bin/env python3
"""Holds every import in Sources against the ranks and dependencies that Package.swift states.

A target may import only targets of lower rank, and only those it names as dependencies (SwiftPM
checks neither). What the system and the packages offer is allowed by the tables below.
"""

from __future__ import annotations

import pathlib
import re
import sys

# (importer, imported): allowed although the rank is not lower.
EXCEPTIONS = {("Diagnosis", "Client")}

# Modules that are not ours, and the targets that may import them; None: every target.
OTHERS: dict[str, set[str] | None] = {
    "Synchronization": None,
    # Only Posix makes system calls.
    "Glibc": {"Posix"},
    "Musl": {"Posix"},
    "Darwin": {"Posix"},
    # The C library is seen by one target.
    "CLibSSH": {"SSH"},
}

_RANK = re.compile(r"//\s*rank (\d+)")
_TARGET = re.compile(r"\.(?:target|executableTarget|systemLibrary)\(\s*name: \"(\w+)\"")
_IMPORT = re.compile(
    r"^\s*(?:@\w+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)"
)


def read_manifest(text: str) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Ranks and dependencies by target: the comments `// rank N` rule what follows them."""
    products = dict(re.findall(r"let (\w+) = Target\.Dependency\.product\(name: \"(\w+)\"", text))
    ranks: dict[str, int] = {}
    dependencies: dict[str, set[str]] = {}
    section = text[text.index("// rank 0"):text.index("// tests")]
    rank = 0
    for part in re.split(r"(?=//\s*rank \d)|(?=\.(?:target|executableTarget|systemLibrary)\()",
                         section):
        if found := _RANK.match(part):
            rank = int(found.group(1))
        if found := _TARGET.match(part):
            name = found.group(1)
            ranks[name] = rank
            listed = re.search(r"dependencies: \[(.*?)\]", part, re.DOTALL)
            words = re.findall(r"\"(\w+)\"|(\w+)", listed.group(1)) if listed else []
            dependencies[name] = {quoted or products.get(word, word) for quoted, word in words}
    return ranks, dependencies


def complaint(
    importer: str, imported: str, ranks: dict[str, int], dependencies: dict[str, set[str]],
) -> str | None:
    """What is wrong with an import, or None."""
    if imported in OTHERS:
        allowed = OTHERS[imported]
        if allowed is not None and importer not in allowed:
            return f"only {', '.join(sorted(allowed))} may import {imported}"
    if imported in ranks:
        if ranks[imported] >= ranks[importer] and (importer, imported) not in EXCEPTIONS:
            return (
                f"{importer} (rank {ranks[importer]}) may not import "
                f"{imported} (rank {ranks[imported]})"
            )
    elif imported in OTHERS:
        return None
    if imported not in dependencies[importer]:
        return f"{imported} is not a dependency of {importer} in Package.swift"
    return None


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    manifest = (root / "Package.swift").read_text(encoding="utf-8")
    ranks, dependencies = read_manifest(manifest)
    faults = []
    for name, names in dependencies.items():
        faults += [
            f"Package.swift: {name} (rank {ranks[name]}) depends on {other} (rank {ranks[other]})"
            for other in sorted(names & ranks.keys())
            if ranks[other] >= ranks[name] and (name, other) not in EXCEPTIONS
        ]
    imports = 0
    for path in sorted((root / "Sources").rglob("*.swift")):
        target = path.relative_to(root / "Sources").parts[0]
        if target not in ranks:
            faults.append(f"{path.relative_to(root)}: {target} has no rank in Package.swift")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := _IMPORT.match(line):
                imports += 1
                if wrong := complaint(target, found.group(1), ranks, dependencies):
                    faults.append(f"{path.relative_to(root)}:{number}: {wrong}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"layers: {imports} imports of {len(ranks)} targets, {len(faults)} wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
