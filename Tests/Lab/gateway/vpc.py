"""What EC2 says of the network of an account: groups, ACLs, routes, endpoints.

Nothing here stops a packet: what a test wants stopped it orders at the instance (`port: drop`), and
what EC2 is to say about it here. All subnets have one ACL and one route table, the main one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass
class Network:
    """What the console would show; the default lets port 22 in from everywhere."""

    # Of the one security group, each {"ports": [22, 22], "from": [ranges, lists, groups]}.
    rules: list[dict] = field(
        default_factory=lambda: [{"ports": [22, 22], "from": list(EVERYWHERE)}],
    )
    # number, outbound, allow, range, ports (null: all), protocol
    acl: list[list] = field(default_factory=lambda: [
        [100 + v6, outbound, True, EVERYWHERE[v6], None, "-1"]
        for v6 in (0, 1) for outbound in (False, True)
    ])
    # destination, target, blackhole
    routes: list[list] = field(
        default_factory=lambda: [[range_, "igw-0123456789abcdef0", False] for range_ in EVERYWHERE],
    )
    endpoints: list[str] = field(default_factory=list)  # services, such as ssm
    lists: dict[str, list[str]] = field(default_factory=dict)  # prefix lists
