"""What exists in the local cloud's account: keys, instances, endpoints, and what was asked of it."""

from __future__ import annotations

import base64
import fnmatch
import itertools
import secrets
import time
from dataclasses import dataclass, field

from policy import Policy
from vpc import Network

REGIONS = ("eu-central-1", "us-east-1", "us-west-2")

# AMI name and owner of each flavour of the lab; both are what users are told by.
IMAGES = {
    "amazon": ("al2023-ami-2023.6.20250115.0-kernel-6.1-x86_64", "137112412989"),
    "ubuntu": ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250115", "099720109477"),
    "debian": ("debian-12-amd64-20250115-1993", "136693071363"),
    "rocky": ("Rocky-9-EC2-Base-9.4-20240509.0.x86_64", "792107900819"),
    "rhel": ("RHEL-10.0.0_HVM-20250506-x86_64-0-Hourly2-GP3", "309956199498"),
    "hidden": ("amzn2-ami-hvm-2.0.20250116.0-x86_64-gp2", "137112412989"),
    "appliance": ("my-appliance-7", "self"),
}

_numbers = itertools.count(1)


def identifier(prefix: str) -> str:
    """A new name of EC2's kind, such as i-0123456789abcdef0."""
    return f"{prefix}-0{secrets.token_hex(8)}"


@dataclass(eq=False)
class Key:
    """An access key."""

    account: Account
    id: str
    secret: str
    token: str | None = None
    expires: float | None = None
    arn: str = ""


@dataclass(eq=False)
class Endpoint:
    """An EC2 Instance Connect endpoint."""

    id: str
    region: str
    vpc: str
    subnet: str
    zone: str
    state: str
    name: str
    reaches: bool = True  # whether the security groups let it through
    refuse_after: int = 20  # concurrent tunnels
    open: int = 0


@dataclass(eq=False)
class Server:
    """An instance."""

    id: str
    account: Account
    region: str
    image: str
    user: str
    machine: str  # whose namespaces it lives in
    private: str
    public: str | None = None
    ipv6: str | None = None
    name: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    state: str = "running"
    key_name: str | None = "my-key"
    subnet: str = "public"
    ssm: str | None = "Online"  # PingStatus; None: it is not managed by Systems Manager
    instance_connect: bool = True
    host_keys: list[str] = field(default_factory=list)
    host_key_directory: str | None = None  # None: where sshd has them, /etc/ssh
    authorized: list[str] = field(default_factory=list)  # the keys that its user lets in
    console: str | None = None  # None: users and host keys in cloud-init's form
    initializing: bool = False
    impaired: str | None = None  # the status check that fails: system or instance
    platform: str | None = None  # windows
    profile: str | None = "ec2sh-lab"  # the instance profile's name
    launched: float = field(default_factory=time.time)

    @property
    def zone(self) -> str:
        return self.region + ("b" if self.subnet == "other" else "a")

    @property
    def vpc_id(self) -> str:
        return self.account.vpc(self.region)

    @property
    def subnet_id(self) -> str:
        return self.account.subnet_id(self.region, self.subnet)

    @property
    def private_name(self) -> str:
        suffix = "ec2.internal" if self.region == "us-east-1" else f"{self.region}.compute.internal"
        return f"ip-{self.private.replace('.', '-')}.{suffix}"

    @property
    def public_name(self) -> str:
        if self.public is None:
            return ""
        middle = "compute-1" if self.region == "us-east-1" else f"{self.region}.compute"
        return f"ec2-{self.public.replace('.', '-')}.{middle}.amazonaws.com"

    @property
    def is_managed(self) -> bool:
        """A machine of Systems Manager's that EC2 does not know."""
        return self.id.startswith("mi-")

    @property
    def is_up(self) -> bool:
        return self.state == "running"


@dataclass
class Failure:
    """An answer somebody ordered in place of the right one."""

    pattern: str
    code: str
    message: str
    status: int
    left: int


class Bucket:
    """Requests that are taken before the others are refused (EC2, "Request throttling")."""

    def __init__(self, size: float, refill: float) -> None:
        self.size = self.left = size
        self.refill = refill  # a second
        self.then = time.monotonic()

    def take(self) -> bool:
        """Whether one more is taken."""
        now = time.monotonic()
        self.left = min(self.size, self.left + (now - self.then) * self.refill)
        self.then = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass
class SessionPlan:
    """How Systems Manager sessions of an account behave."""

    payload: int = 1024  # bytes in a frame to the client
    pause: float = 0.001  # seconds between two frames, as the real agent sleeps
    window: int = 512  # frames that may be unacknowledged
    dial: float = 0.02  # seconds until the agent's connection to sshd takes data
    hour: float = 3600  # seconds until the service closes a websocket with "Bye"
    lose: float = 0  # share of data frames that vanish between service and agent
    disorder: float = 0  # share of data frames to the client that come twice, and as many late
    spoil: str = ""  # what a service gone mad sends after the handshake (spoilt.py)
    cuts: int = 0  # how often a websocket is cut at a random moment
    cut_between: tuple[int, int] = (65536, 1048576)  # bytes
    seed: int = 1
    kms: bool = False  # shells are encrypted
    agent: str = "3.3.1611.0"  # the agents' version; one before 3.0.197 knows nothing of smux
    keys: float = 60  # seconds a pushed key lives
    tunnel: float = 3600  # seconds a tunnel through an endpoint lives


class Account:
    """Everything one test has to itself."""

    def __init__(self, world: World) -> None:
        number = next(_numbers)
        self.world = world
        self.id = f"{100000000000 + number}"
        self.shared = False  # sees the lab's own instances too
        self.servers: dict[str, Server] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.calls: list[dict[str, object]] = []
        self.violations: list[str] = []
        self.denied: set[str] = set()
        self.failures: list[Failure] = []
        self.limits: dict[str, tuple[float, float]] = {}  # by pattern: a bucket's size and refill
        self.buckets: dict[str, Bucket] = {}  # one for each action that has a limit
        self.throttled = 0  # requests that were refused for that
        self.device: tuple[str, str] | None = None  # roles want its serial number and this code
        self.secrets: list[str] = []  # what nobody but the client and AWS should ever see
        self.delays: dict[str, float] = {}
        self.clock = 0.0
        self.page = 1000  # instances in one page of an answer at most
        self.has_public_keys = True  # whether key pairs are told with their public keys
        self.policy: Policy | None = None  # what alone is allowed
        self.plan = SessionPlan()
        self.network = Network()
        self.sessions: dict[str, object] = {}
        self.tunnels: set[object] = set()

    def add_key(self, kind: str = "AKIA", lifetime: float | None = None, arn: str = "") -> Key:
        """A new access key; one with a lifetime has a session token."""
        key = Key(
            self, kind + base64.b32encode(secrets.token_bytes(10)).decode(),
            base64.b64encode(secrets.token_bytes(30)).decode(),
        )
        key.arn = arn or f"arn:aws:iam::{self.id}:user/jane"
        if lifetime is not None or kind == "ASIA":
            key.token = "IQoJ" + base64.b64encode(secrets.token_bytes(300)).decode()
            key.expires = self.world.now(self) + (3600 if lifetime is None else lifetime)
        self.world.keys[key.id] = key
        self.secrets += [secret for secret in (key.secret, key.token) if secret]
        return key

    def vpc(self, region: str) -> str:
        return f"vpc-0{self.id}{REGIONS.index(region):04x}"

    def subnet_id(self, region: str, name: str) -> str:
        return f"subnet-0{self.id}{REGIONS.index(region):02x}{sum(name.encode()) % 256:02x}"

    def machines(self, region: str | None = None) -> list[Server]:
        """All that Systems Manager knows."""
        shared = self.world.lab_servers if self.shared else []
        return [
            server for server in [*self.servers.values(), *shared]
            if region in (None, server.region)
        ]

    def visible(self, region: str) -> list[Server]:
        """The instances an answer of EC2's is made of."""
        return [server for server in self.machines(region) if not server.is_managed]

    def find(self, instance: str, region: str | None = None) -> Server | None:
        return next((s for s in self.machines(region) if s.id == instance), None)

    def is_denied(self, action: str, document: str | None = None) -> bool:
        is_action = not action.startswith("document:")
        if self.policy is not None and is_action and not self.policy.allows(action, document):
            return True
        return any(fnmatch.fnmatchcase(action, pattern) for pattern in self.denied)

    def ordered_failure(self, action: str) -> Failure | None:
        for failure in self.failures:
            if failure.left > 0 and fnmatch.fnmatchcase(action, failure.pattern):
                failure.left -= 1
                return failure
        return None

    def is_throttled(self, action: str) -> bool:
        """Whether an action has been asked for too often; each has a bucket of its own."""
        limit = next((l for p, l in self.limits.items() if fnmatch.fnmatchcase(action, p)), None)
        if limit is None:
            return False
        if action not in self.buckets:
            self.buckets[action] = Bucket(*limit)
        return not self.buckets[action].take()

    def violate(self, what: str) -> None:
        """Notes what a client must not do."""
        if len(self.violations) < 100:
            self.violations.append(what)


class World:
    """The whole local cloud."""

    def __init__(self) -> None:
        self.regions = REGIONS
        self.keys: dict[str, Key] = {}
        self.accounts: dict[str, Account] = {}
        self.lab_servers: list[Server] = []
        self.anonymous: list[str] = []  # requests that no account could be found for

    def new_account(self) -> Account:
        account = Account(self)
        self.accounts[account.id] = account
        return account

    def now(self, account: Account) -> float:
        """What the services take the time to be."""
        return time.time() + account.clock
