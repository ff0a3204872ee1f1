"""The policy that ec2sh ships, as far as the cloud can hold a test to it: actions and documents."""

from __future__ import annotations

import fnmatch
import json
import os

_FILE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "config", "iam-policy.json",
)
# Whoever is signed in may ask who that is (STS API, GetCallerIdentity).
_ALWAYS = ("sts:GetCallerIdentity",)


class Policy:
    """What the statements of config/iam-policy.json allow."""

    def __init__(self) -> None:
        with open(_FILE, encoding="utf-8") as file:
            self.statements = json.load(file)["Statement"]

    def allows(self, action: str, document: str | None) -> bool:
        """Whether some statement has the action and, where one is named, the document."""
        if action in _ALWAYS:
            return True
        return any(
            statement["Effect"] == "Allow" and action in _list(statement["Action"])
            and (document is None or _has_document(statement, document))
            for statement in self.statements
        )


def _has_document(statement: dict, document: str) -> bool:
    return any(
        fnmatch.fnmatchcase(f"document/{document}", resource.split(":", 5)[-1])
        for resource in _list(statement["Resource"]) if resource != "*"
    )


def _list(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
