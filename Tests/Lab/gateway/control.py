"""How tests steer the cloud: lines of JSON over a socket, one order and one answer each.

Orders ("do"), with what they take beyond that; "account" is what "account" answered:

  account   shared: sees the lab's own instances too       -> account, key
  key       account, lifetime, kind (AKIA, ASIA)           -> key
  launch    account, image, name, count, region, public, ipv6, state, ssm, key_name, tags, user,
            instance_connect, console, subnet, port, accepts_key, settings (lines of
            sshd_config that come first),
            managed: a machine of Systems Manager's that is not EC2's            -> instances
  set       account, instance, and any of: state, name, public (false takes the address away), ssm,
            port (open, refuse, drop, reject), console, instance_connect, key_name, initializing,
            impaired (system or instance: the status check that fails), platform, profile
  endpoint  account, region, subnet, state, reaches, refuse_after           -> endpoint
  forget    account, endpoint                              it is deleted
  deny      account, actions (patterns such as ssm:StartSession, document:AWS-StartSSHSession)
  fail      account, action, code, message, status, times  the next answers are this error
  delay     account, action, seconds                       answers take that long
  throttle  account, action, size, refill                  each such action has a bucket of its own:
                                                           so many at once, so many a second
  device    account, serial, code                          roles want the code of this MFA device
  policy    account                                        config/iam-policy.json is all it may
  allows    account, action, document                      -> allowed, by "policy" and "deny"
  pairs     account, public                                whether key pairs have public keys
  clock     account, seconds                               the service's clock is ahead by that
  plan      account, and any field of SessionPlan
  network   account, and any field of Network (vpc.py): what EC2 says of groups and routes
  cut       account                                        every websocket, without a farewell
  bye       account                                        every data channel is closed with "Bye"
  quiet     account, quiet                                 agents go away, or come back
  end       account, text                                  sessions end, as those that were idle
  sessions  account                                        -> sessions
  calls     account, reset                                 -> counts, calls, throttled, violations
  secrets   account                                        -> secrets: keys, tokens, signatures
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
from collections import Counter

import sessions
from policy import Policy
from world import Account, Endpoint, Failure, Key, Server, World, identifier

FLEET = "fleet"
_PUBLIC = ipaddress.ip_address("198.18.0.1")
_PRIVATE = ipaddress.ip_address("10.14.0.1")
_IPV6 = ipaddress.ip_address("2001:db8:14::1")


class Control:
    """Carries out orders."""

    def __init__(self, world: World, flavours: dict[str, dict], hosts: str) -> None:
        self.world = world
        self.flavours = flavours
        self.hosts = hosts
        self.launched = 0
        self.forks = asyncio.Semaphore(4)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        while line := await reader.readline():
            try:
                order = json.loads(line)
                answer = await getattr(self, "do_" + order.pop("do"))(**order)
            except Exception as error:  # noqa: BLE001: whoever asked is told
                answer = {"error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer or {}).encode() + b"\n")
            await writer.drain()
        writer.close()

    def _account(self, name: str) -> Account:
        return self.world.accounts[name]

    async def do_account(self, shared: bool = False) -> dict:
        account = self.world.new_account()
        account.shared = shared
        return {"account": account.id, "key": _describe_key(account.add_key())}

    async def do_key(self, account: str, lifetime: float | None = None, kind: str = "AKIA") -> dict:
        return {"key": _describe_key(self._account(account).add_key(kind, lifetime))}

    async def do_launch(self, account: str, count: int = 1, name: str | None = None, **more: object) -> dict:
        async def one(index: int) -> dict:
            async with self.forks:
                called = name if name is None or count == 1 else f"{name}-{index + 1}"
                return await self._launch(self._account(account), called, **more)

        return {"instances": await asyncio.gather(*(one(index) for index in range(count)))}

    async def _launch(
        self, account: Account, name: str | None, image: str = "ubuntu",
        region: str = "eu-central-1", public: bool = True, ipv6: bool = False,
        user: str | None = None, port: str = "open", key_name: str | None = "my-key",
        accepts_key: bool = True, settings: list[str] | None = None, managed: bool = False,
        **more: object,
    ) -> dict:
        flavour = self.flavours[image]
        number = self.launched
        self.launched += 1
        server = Server(
            identifier("mi" if managed else "i"), account, region, image,
            user or flavour["user"], FLEET,
            str(_PRIVATE + number), str(_PUBLIC + number) if public else None,
            str(_IPV6 + number) if ipv6 else None, name, key_name=key_name,
        )
        for field, value in more.items():
            if not hasattr(server, field):
                raise TypeError(f"an instance has no {field}")
            setattr(server, field, value)
        machine = self.world.machines[FLEET]
        place = machine.place(server)
        server.authorized = self.world.public_keys if accepts_key else []
        server.host_key_directory = f"{place}/keys"
        allowed = "".join(f"{key}\n" for key in server.authorized)
        authorized = {server.user: allowed}
        if server.user != "root" and flavour["root"]:
            hint = flavour["root"].format(user=server.user)
            authorized["root"] = "".join(f"{hint} {key}\n" for key in allowed.splitlines())
        answer, _ = await machine.ask({
            "do": "launch", "id": server.id, "directory": place, "server": flavour["server"],
            "addresses": _addresses(server), "authorized": authorized,
            "comment": f"root@{server.private_name.split('.')[0]}",
            "port": port if server.is_up else "drop",
            "configuration": _configuration(server, flavour, place, settings or []),
        })
        server.host_keys = answer["host_keys"]
        if server.public:
            self._add_name(server.public, server.public_name)
        account.servers[server.id] = server
        return self._describe(server)

    async def do_set(self, account: str, instance: str, **changes: object) -> dict:
        server = self._account(account).find(instance)
        machine = self.world.machines[server.machine]
        port = changes.pop("port", None)
        if changes.get("public") is False:
            await machine.ask({"do": "address", "addresses": [server.public], "present": False})
            changes["public"] = None
        for field, value in changes.items():
            if not hasattr(server, field):
                raise TypeError(f"an instance has no {field}")
            setattr(server, field, value)
        if port is None and "state" in changes:
            # Nothing answers for an instance that does not run, not even its network.
            port = "open" if server.is_up else "drop"
        if port is not None:
            await machine.ask({"do": "port", "addresses": _addresses(server), "state": port})
        return self._describe(server)

    def _describe(self, server: Server) -> dict:
        return {
            "id": server.id, "name": server.name, "user": server.user, "region": server.region,
            "public_address": server.public, "private_address": server.private,
            "ipv6_address": server.ipv6, "public_name": server.public_name or None,
            "private_name": server.private_name, "host_keys": server.host_keys,
            "log": f"{self.world.machines[server.machine].place(server)}/log",
        }

    async def do_endpoint(
        self, account: str, region: str = "eu-central-1", subnet: str = "public",
        state: str = "create-complete", reaches: bool = True, refuse_after: int = 20,
    ) -> dict:
        owner = self._account(account)
        name = identifier("eice")
        dns = f"{name}.b1c2d3e4.ec2-instance-connect-endpoint.{region}.amazonaws.com"
        zone = region + ("b" if subnet == "other" else "a")
        owner.endpoints[name] = Endpoint(
            name, region, owner.vpc(region), owner.subnet_id(region, subnet), zone, state, dns,
            reaches, refuse_after,
        )
        self._add_name(self.world.address, dns)
        return {"endpoint": name, "name": dns}

    async def do_forget(self, account: str, endpoint: str) -> None:
        del self._account(account).endpoints[endpoint]

    def _add_name(self, address: str, name: str) -> None:
        """In the client's /etc/hosts."""
        with open(self.hosts, "a", encoding="ascii") as file:
            file.write(f"{address} {name}\n")

    async def do_deny(self, account: str, actions: list[str]) -> None:
        self._account(account).denied = set(actions)

    async def do_fail(
        self, account: str, action: str, code: str, message: str = "", status: int = 400,
        times: int = 1,
    ) -> None:
        self._account(account).failures.append(Failure(action, code, message, status, times))

    async def do_delay(self, account: str, action: str, seconds: float) -> None:
        self._account(account).delays[action] = seconds

    async def do_throttle(self, account: str, action: str, size: float, refill: float) -> None:
        self._account(account).limits[action] = (size, refill)

    async def do_device(self, account: str, serial: str, code: str) -> None:
        self._account(account).device = (serial, code)

    async def do_secrets(self, account: str) -> dict:
        return {"secrets": self._account(account).secrets}

    async def do_clock(self, account: str, seconds: float) -> None:
        self._account(account).clock = seconds

    async def do_plan(self, account: str, **changes: object) -> None:
        plan = self._account(account).plan
        for field, value in changes.items():
            if not hasattr(plan, field):
                raise TypeError(f"a plan has no {field}")
            setattr(plan, field, tuple(value) if isinstance(value, list) else value)

    async def do_network(self, account: str, **changes: object) -> None:
        network = self._account(account).network
        for field, value in changes.items():
            if not hasattr(network, field):
                raise TypeError(f"a network has no {field}")
            setattr(network, field, value)

    async def do_policy(self, account: str) -> None:
        self._account(account).policy = Policy()

    async def do_allows(self, account: str, action: str, document: str | None = None) -> dict:
        return {"allowed": not self._account(account).is_denied(action, document)}

    async def do_pairs(self, account: str, public: bool) -> None:
        self._account(account).has_public_keys = public

    async def do_page(self, account: str, size: int) -> None:
        self._account(account).page = size

    async def do_cut(self, account: str) -> None:
        owner = self._account(account)
        sessions.every(owner, lambda session: session.cut())
        for tunnel in owner.tunnels:
            tunnel.wire.abort()

    async def do_bye(self, account: str) -> None:
        for session in self._account(account).sessions.values():
            if session.socket is not None:
                await session.socket.close(code=1000, message=b"Bye")

    async def do_quiet(self, account: str, quiet: bool) -> None:
        for change in sessions.every(self._account(account), lambda s: s.set_quiet(quiet)):
            await change

    async def do_end(self, account: str, text: str = "") -> None:
        for change in sessions.every(self._account(account), lambda s: s.end(text)):
            await change

    async def do_sessions(self, account: str) -> dict:
        return {"sessions": [s.describe() for s in self._account(account).sessions.values()]}

    async def do_calls(self, account: str, reset: bool = False) -> dict:
        owner = self._account(account)
        counts = Counter(f"{call['service']}:{call['action']}" for call in owner.calls)
        answer = {
            "counts": dict(counts), "calls": list(owner.calls),
            "violations": list(owner.violations), "anonymous": list(self.world.anonymous),
            "throttled": owner.throttled,
        }
        if reset:
            owner.throttled = 0
            owner.calls.clear()
            owner.violations.clear()
        return answer


def _addresses(server: Server) -> list[str]:
    return [a for a in (server.private, server.public, server.ipv6) if a]


def _configuration(server: Server, flavour: dict, place: str, settings: list[str]) -> str:
    lines = [
        *settings, *flavour["settings"],
        "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password", "UsePAM no", "UseDNS no", "PrintMotd no",
        "X11Forwarding yes", "AcceptEnv LANG LC_* GIT_PROTOCOL", "Subsystem sftp internal-sftp",
        "MaxSessions 250", "LogLevel VERBOSE", "PidFile none", "DebianBanner no",
        f"VersionAddendum {flavour['addendum'] or 'none'}",
        f"AuthorizedKeysFile {place}/authorized/%u",
        # Other accounts of this machine belong to other instances.
        f"AllowUsers {server.user} root",
        f"SetEnv LAB_INSTANCE={server.id}",
    ]
    if server.instance_connect:
        lines += [
            f"AuthorizedKeysCommand {os.path.dirname(place)}/pushed-keys {place} %u",
            "AuthorizedKeysCommandUser root",
        ]
    return "\n".join(lines) + "\n"


def _describe_key(key: Key) -> dict:
    return {
        "id": key.id, "secret": key.secret, "token": key.token, "expires": key.expires,
        "arn": key.arn,
    }
