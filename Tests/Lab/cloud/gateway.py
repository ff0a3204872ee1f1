"""Starts the lab's gateway: AWS's services for the lab's instances (Tests/Lab/gateway).

It is Python with packages of its own, in a virtual environment that `config/dev setup` makes. Its
modules load while the rest of the lab is built.
"""

from __future__ import annotations

import json
import os
import subprocess

from . import client, keys, network
from .flavours import FLAVOURS
from .instance import Instance
from .namespaces import NotPossible
from .sshd import Servers

DIRECTORY = f"{client.ROOT}/cloud"
ADDRESS = "192.0.2.10"
PORT = 8080
_CONTROL = f"{DIRECTORY}/control"
_PUSHED_KEYS = """\
#!/bin/sh
# The public keys pushed for a user that are still good: what AuthorizedKeysCommand asks for.
[ -f "$1/pushed/$2" ] || exit 0
now=$(date +%s)
while read -r until key; do
    [ "$until" -le "$now" ] || printf '%s\\n' "$key"
done <"$1/pushed/$2"
exit 0
"""


class Gateway:
    """The gateway's process."""

    def __init__(self) -> None:
        tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        python = os.path.join(tests, "..", "..", ".build", "lab-python", "bin", "python3")
        if not os.access(python, os.X_OK):
            raise NotPossible("the gateway's packages are not here (config/dev setup)")
        self._process = subprocess.Popen(
            [os.path.abspath(python), "-B", os.path.join(tests, "gateway")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )

    def start(self, instances: list[Instance], machines: dict[str, str], servers: Servers) -> None:
        """Tells it of the lab. It answers when it listens: await_ready()."""
        described = [instance.describe() for instance in instances]
        given = {
            "address": ADDRESS,
            "port": PORT,
            "client_address": f"203.0.113.{network.CLIENT_HOST}",
            "directory": DIRECTORY,
            "control": _CONTROL,
            "hosts": f"{client.ROOT}/etc/hosts",
            "region": network.REGION,
            "public_keys": keys.public_keys(client.KEYS),
            "key_pairs": keys.key_pair_files(client.KEYS),
            "machines": machines,
            "instances": [d for d in described if d["id"]],
            "flavours": {
                flavour.name: {
                    "user": flavour.user, "root": flavour.root, "addendum": flavour.addendum,
                    "server": servers.server(flavour.release),
                    "settings": servers.settings(flavour.release)
                    + (["PerSourcePenalties no"] if servers.has_penalties else []),
                } for flavour in FLAVOURS if flavour.in_cloud
            },
        }
        self._process.stdin.write(json.dumps(given).encode() + b"\n")
        self._process.stdin.flush()

    def await_ready(self) -> dict[str, object]:
        """What tests want to know of it."""
        line = self._process.stdout.readline()
        if not line:
            raise OSError("the gateway has ended")
        return {
            **json.loads(line), "endpoint": f"http://{ADDRESS}:{PORT}", "control": _CONTROL,
        }


def make_directory() -> None:
    """Where the gateway and the instances meet."""
    os.mkdir(DIRECTORY, 0o755)
    script = f"{DIRECTORY}/pushed-keys"
    with open(script, "w", encoding="ascii") as file:
        file.write(_PUSHED_KEYS)
    os.chmod(script, 0o755)


def hosts() -> str:
    """The names of AWS's services."""
    names = ["sts.amazonaws.com", "checkip.amazonaws.com"]
    for region in ("eu-central-1", "us-east-1", "us-west-2"):
        for service in ("ec2", "ssm", "ssmmessages", "ec2-instance-connect", "sts", "kms"):
            names.append(f"{service}.{region}.amazonaws.com")
    return "".join(f"{ADDRESS} {name}\n" for name in names)
