"""Addresses, names and links. Everything is inside namespaces; nothing leads out of them."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass

from .flavours import PRIVATE, PUBLIC, Flavour

REGION = "eu-central-1"
CLIENT_HOST = 2
_FIRST_HOST = 11
# Nobody answers at these, not even with an error: frames go to a hardware address nobody has.
SILENT_HOST = 250
_NOBODY = "02:00:00:00:00:99"

_BRIDGES = {PUBLIC: "public", PRIVATE: "private"}


@dataclass(frozen=True)
class Place:
    """Where an instance is and what it is called."""

    flavour: Flavour
    number: int

    @property
    def _host(self) -> int:
        return _FIRST_HOST + self.number

    @property
    def instance_id(self) -> str:
        """EC2's name for it; the same in every lab."""
        return "i-0" + hashlib.sha256(self.flavour.name.encode()).hexdigest()[:16]

    @property
    def public_address(self) -> str | None:
        """The address a client outside the cloud uses."""
        return f"203.0.113.{self._host}" if PUBLIC in self.flavour.networks else None

    @property
    def private_address(self) -> str:
        """The address inside its subnet."""
        return f"10.13.{0 if PUBLIC in self.flavour.networks else 1}.{self._host}"

    @property
    def inner_address(self) -> str | None:
        """A second address, in the subnet only instances can reach."""
        both = PUBLIC in self.flavour.networks and PRIVATE in self.flavour.networks
        return f"10.13.1.{self._host}" if both else None

    @property
    def ipv6_address(self) -> str | None:
        """Its global IPv6 address."""
        return f"2001:db8:13::{self._host}" if PUBLIC in self.flavour.networks else None

    @property
    def public_name(self) -> str | None:
        """The public DNS name."""
        if not self.flavour.in_cloud or self.public_address is None:
            return None
        dashed = self.public_address.replace(".", "-")
        return f"ec2-{dashed}.{REGION}.compute.amazonaws.com"

    @property
    def private_name(self) -> str:
        """The private DNS name; the host's own name is its first label."""
        if not self.flavour.in_cloud:
            return "server.example.com"
        return f"ip-{self.private_address.replace('.', '-')}.{REGION}.compute.internal"

    @property
    def resource_name(self) -> str | None:
        """The DNS name made of the instance id."""
        return f"{self.instance_id}.{REGION}.compute.internal" if self.flavour.in_cloud else None

    def addresses(self, network: str) -> list[str]:
        """What its interface in a network is given."""
        if network == PRIVATE:
            return [f"{self.inner_address or self.private_address}/24"]
        return [
            f"{self.public_address}/24", f"{self.private_address}/24", f"{self.ipv6_address}/64",
        ]


def hosts_file(places: list[Place]) -> str:
    """/etc/hosts for the client and the instances."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    for place in places:
        name = place.flavour.name
        outer = place.public_address or place.private_address
        if place.flavour.in_cloud:
            # A bare instance id resolves nowhere but here, where there is no AWS to ask.
            lines.append(f"{outer} {place.public_name or ''} {place.instance_id} {name}.lab")
            lines.append(f"{place.private_address} {place.private_name} {place.resource_name}")
        else:
            lines.append(f"{outer} {place.private_name} {name}.lab")
        if place.ipv6_address:
            lines.append(f"{place.ipv6_address} {name}6.lab {name}-dual.lab")
            lines.append(f"{outer} {name}-dual.lab")
            # The first address is dead, the second answers.
            lines.append(f"203.0.113.{SILENT_HOST} {name}-late.lab")
            lines.append(f"{outer} {name}-late.lab")
            lines.append(f"2001:db8:13::{SILENT_HOST} {name}-late6.lab")
            lines.append(f"{outer} {name}-late6.lab")
    lines.append(f"203.0.113.{SILENT_HOST} silent.lab")
    # No route leads there.
    lines.append("198.51.100.1 unreachable.lab")
    lines.append(f"203.0.113.{CLIENT_HOST} client.lab")
    return "\n".join(lines) + "\n"


def set_up_client(more: list[str]) -> None:
    """The bridges, the client's own addresses on the public one, and `more` of ip's commands."""
    commands = ["link set lo up"]
    for bridge in _BRIDGES.values():
        # A bridge without a hardware address of its own takes those of its ports in turn.
        commands.append(f"link add {bridge} address 02:00:00:00:00:{len(bridge):02x} type bridge")
        commands.append(f"link set {bridge} up")
    public = _BRIDGES[PUBLIC]
    commands += [
        f"address add 203.0.113.{CLIENT_HOST}/24 dev {public}",
        f"address add 10.13.0.{CLIENT_HOST}/24 dev {public}",
        f"address add 2001:db8:13::{CLIENT_HOST}/64 dev {public} nodad",
        f"neighbor add 203.0.113.{SILENT_HOST} lladdr {_NOBODY} dev {public} nud permanent",
        f"neighbor add 2001:db8:13::{SILENT_HOST} lladdr {_NOBODY} dev {public} nud permanent",
        # As outside a VPC: packets for its inner subnet vanish.
        f"neighbor add 10.13.0.{SILENT_HOST} lladdr {_NOBODY} dev {public} nud permanent",
        f"route add 10.13.1.0/24 via 10.13.0.{SILENT_HOST}",
    ]
    _ip(commands + more)


def link(places: list[tuple[Place, int]]) -> None:
    """Gives each instance (by the process that holds its namespace) its interfaces."""
    commands = []
    for place, process in places:
        for index, network in enumerate(place.flavour.networks):
            near = f"i{place.number}-{index}"
            commands.append(
                f"link add {near} master {_BRIDGES[network]} type veth "
                f"peer name eth{index} netns {process}"
            )
            commands.append(f"link set {near} up")
    _ip(commands)


def set_up_instance(place: Place) -> None:
    """Inside an instance's namespace: its addresses."""
    commands = ["link set lo up"]
    for index, network in enumerate(place.flavour.networks):
        commands.append(f"link set eth{index} up")
        for address in place.addresses(network):
            nodad = " nodad" if ":" in address else ""
            commands.append(f"address add {address} dev eth{index}{nodad}")
    _ip(commands)


def _ip(commands: list[str]) -> None:
    subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(commands).encode() + b"\n", check=True,
        stdout=subprocess.DEVNULL,
    )
