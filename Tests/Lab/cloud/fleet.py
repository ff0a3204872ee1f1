"""One machine that is as many instances as tests launch: addresses are what tells them apart."""

from __future__ import annotations

from . import etc, network
from .flavours import FLAVOURS, Flavour
from .instance import SSM_USER, Instance
from .network import Place
from .sshd import Servers

NAME = "fleet"
_NUMBER = 100
_FIRST_USER = 1000
_PUBLIC, _PRIVATE, _IPV6 = "198.18.0.0/16", "10.14.0.0/16", "2001:db8:14::/64"


class Fleet(Instance):
    """It has no sshd of its own: machine.py starts one for each connection."""

    def __init__(self, directory: str, servers: Servers) -> None:
        flavour = Flavour(NAME, "a fleet", "root", "OpenSSH_9.2p1", in_cloud=False)
        super().__init__(Place(flavour, _NUMBER), directory, servers, with_machine=True)

    def write_files(self, public: list[str], hosts: str, machine: str) -> None:
        users = [etc.Account("root", 0, "/root"), SSM_USER]
        names = sorted({flavour.user for flavour in FLAVOURS} | {"centos", "fedora"} - {"root"})
        # No server takes it but those that are launched with settings that say so.
        password = next(flavour.password for flavour in FLAVOURS if flavour.password)
        for number, name in enumerate(name for name in names if name != "root"):
            users.append(
                etc.Account(name, _FIRST_USER + 100 + number, f"/home/{name}", password=password),
            )
        etc.write(f"{self.directory}/etc", {
            **etc.account_files(users, {}),
            "hosts": hosts,
            "hostname": "fleet\n",
            "nsswitch.conf": etc.NAME_SERVICES,
            "profile": "PATH=/usr/local/bin:/usr/bin:/bin\n",
            "bash.bashrc": "PS1='[\\u@fleet \\W]\\$ '\n",
        }, machine)
        for user in users:
            self._write_home(user, [])

    def has_server(self) -> bool:
        return False

    def await_banner(self, deadline: float) -> None:
        """Nothing answers before something is launched."""

    def describe(self) -> dict[str, object]:
        raise NotImplementedError("it is no instance")

    def routes(self) -> list[str]:
        """How the client reaches what is launched: private addresses not at all."""
        return [
            f"route add {_PUBLIC} via {self.place.public_address}",
            f"route add {_PRIVATE} via 10.13.0.{network.SILENT_HOST}",
            f"route add {_IPV6} via {self.place.ipv6_address}",
        ]
