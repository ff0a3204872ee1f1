"""One instance: its files, its namespaces and its sshd."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from . import client, etc, keys, namespaces, network
from .flavours import PUBLIC
from .network import Place
from .sshd import Servers

_SFTP = "/usr/lib/openssh/sftp-server"
# The account Systems Manager's shells run under.
SSM_USER = etc.Account("ssm-user", 1010, "/home/ssm-user", "/bin/sh")

# Only what a login needs; the machine's own service file may ask for modules that want systemd.
_PAM = """\
auth required pam_unix.so
account required pam_unix.so
password required pam_unix.so
session required pam_unix.so
"""


class Instance:
    """An instance and the process that holds its namespaces."""

    def __init__(
        self, place: Place, directory: str, servers: Servers, with_machine: bool = False,
    ) -> None:
        self.place = place
        # Whether the gateway's machine.py works in there.
        self.with_machine = with_machine
        self.directory = directory
        self.servers = servers
        self.server = servers.server(place.flavour.release)
        self.process = 0
        self._go: int | None = None
        for name in ("etc/ssh", "home", "root"):
            os.makedirs(f"{directory}/{name}")

    def start_host_keys(self, maker: keys.KeyMaker) -> None:
        """Begins to make the host keys, named by the instance."""
        host = self.place.private_name.split(".")[0]
        for kind in keys.HOST_KEY_TYPES:
            path = f"{self.directory}/etc/ssh/ssh_host_{kind}_key"
            maker.make(path, kind, f"root@{host}")

    def write_files(self, public: list[str], hosts: str, machine: str) -> None:
        """Everything the instance finds on its disk."""
        flavour = self.place.flavour
        users = [etc.Account("root", 0, "/root")]
        if flavour.user != "root":
            users.append(etc.Account(
                flavour.user, 1000, f"/home/{flavour.user}", password=flavour.password or "*",
            ))
        if self.with_machine:
            users.append(SSM_USER)
        etc.write(f"{self.directory}/etc", {
            **etc.account_files(users, {flavour.group: [flavour.user]}),
            "hosts": hosts,
            "hostname": self.place.private_name.split(".")[0] + "\n",
            "nsswitch.conf": etc.NAME_SERVICES,
            "os-release": f'PRETTY_NAME="{flavour.title}"\nNAME="{flavour.title}"\n',
            "pam.d/sshd": _PAM,
            "profile": f"PS1='{flavour.shell_prompt}'\nPATH=/usr/local/bin:/usr/bin:/bin\n",
            "bash.bashrc": f"PS1='{flavour.shell_prompt}'\n",
            "ssh/sshd_config": self._configuration(),
            "ssh/user_ca.pub": keys.authority(client.KEYS),
        }, machine)
        for user in users:
            allowed = [] if user is SSM_USER else public
            if user.name == "root" and flavour.user != "root":
                if flavour.root is None:
                    continue
                options = flavour.root.format(user=flavour.user)
                allowed = [f"{options} {line}" for line in public]
            self._write_home(user, allowed)

    def _write_home(self, user: etc.Account, allowed: list[str]) -> None:
        home = f"{self.directory}{user.home}"
        os.makedirs(f"{home}/.ssh", exist_ok=True)
        with open(f"{home}/.ssh/authorized_keys", "w", encoding="ascii") as file:
            file.write("\n".join(allowed) + "\n")
        for path, mode in ((home, 0o700), (f"{home}/.ssh", 0o700)):
            os.chmod(path, mode)
            os.chown(path, user.number, user.number)
        os.chmod(f"{home}/.ssh/authorized_keys", 0o600)
        os.chown(f"{home}/.ssh/authorized_keys", user.number, user.number)

    def _configuration(self) -> str:
        flavour = self.place.flavour
        lines = [
            # The first value of a setting counts.
            *flavour.settings,
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "UsePAM yes",
            "UseDNS no",
            "PrintMotd no",
            "X11Forwarding yes",
            "AcceptEnv LANG LC_* GIT_PROTOCOL",
            f"Subsystem sftp {_SFTP}",
            # Tests come in parallel and all from one address.
            "MaxStartups 500",
            # And many sessions share one connection.
            "MaxSessions 250",
            "LogLevel VERBOSE",
            "PidFile none",
            "DebianBanner no",
            f"VersionAddendum {flavour.addendum or 'none'}",
            *self.servers.settings(flavour.release),
        ]
        if self.with_machine:
            directory = os.path.dirname(self.machine_socket)
            place = f"{directory}/{self.place.instance_id}"
            lines += [
                f"AuthorizedKeysCommand {directory}/pushed-keys {place} %u",
                "AuthorizedKeysCommandUser root",
            ]
        if self.servers.has_penalties:
            lines.append("PerSourcePenalties no")
        lines += [f"HostKey /etc/ssh/ssh_host_{kind}_key" for kind in keys.HOST_KEY_TYPES]
        return "\n".join(lines) + "\n"

    @property
    def machine_socket(self) -> str:
        """Where machine.py of this instance takes orders."""
        return f"{client.ROOT}/cloud/{self.place.flavour.name}.socket"

    def has_server(self) -> bool:
        """Whether an sshd runs in there from the start."""
        return True

    def hold(self) -> None:
        """Makes the namespaces; the instance waits there for its interfaces."""
        ready, is_ready = os.pipe()
        go, self._go = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            try:
                os.close(ready)
                os.close(self._go)
                namespaces.die_with_parent()
                namespaces.unshare(
                    namespaces.NEW_NETWORK | namespaces.NEW_MOUNTS
                    | namespaces.NEW_HOSTNAME | namespaces.NEW_IPC | namespaces.NEW_PIDS
                )
                os.write(is_ready, b"1")
                os.read(go, 1)
                os._exit(_run(self))
            except BaseException as error:  # noqa: BLE001: a forked child reports and ends here
                print(f"lab: {self.place.flavour.name}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
        os.close(is_ready)
        os.close(go)
        if os.read(ready, 1) != b"1":
            raise namespaces.NotPossible("the namespaces of an instance could not be made")
        os.close(ready)

    def boot(self) -> None:
        """Lets it run, now that it has its interfaces."""
        if self._go is not None:
            os.write(self._go, b"1")
            os.close(self._go)
            self._go = None

    def await_banner(self, deadline: float) -> None:
        """Returns when its sshd answers with the banner of the flavour."""
        if PUBLIC not in self.place.flavour.networks:
            return
        expected = self.place.flavour.banner.encode() + b"\r\n"
        while True:
            try:
                with socket.create_connection((self.place.public_address, 22), 5) as connection:
                    banner = connection.makefile("rb").readline()
                break
            except OSError as error:
                if os.waitpid(self.process, os.WNOHANG)[0] != 0:
                    with open(f"{self.directory}/sshd.log", encoding="utf-8") as log:
                        said = log.read().strip()
                    raise OSError(f"{self.place.flavour.name} has ended: {said}") from error
                if time.monotonic() > deadline:
                    raise OSError(f"{self.place.flavour.name} does not answer: {error}") from error
                time.sleep(0.005)
        if banner != expected:
            raise OSError(f"{self.place.flavour.name} says {banner!r}, not {expected!r}")

    def describe(self) -> dict[str, object]:
        """What tests want to know of it."""
        place = self.place
        return {
            "name": place.flavour.name,
            "title": place.flavour.title,
            "user": place.flavour.user,
            "banner": place.flavour.banner,
            "id": place.instance_id if place.flavour.in_cloud else None,
            "port": 22,
            "public_name": place.public_name,
            "private_name": place.private_name,
            "resource_name": place.resource_name,
            "public_address": place.public_address,
            "private_address": place.private_address,
            "ipv6_address": place.ipv6_address,
            "host_keys": f"{self.directory}/etc/ssh",
            "log": f"{self.directory}/sshd.log",
        }


def _run(instance: Instance) -> int:
    """Inside the namespaces: becomes the init of the instance, and ends when its sshd does."""
    init = os.fork()
    if init != 0:
        _, status = os.waitpid(init, 0)
        return os.waitstatus_to_exitcode(status) & 0xFF
    namespaces.die_with_parent()
    _mount(instance)
    namespaces.set_host_name(instance.place.private_name.split(".")[0])
    network.set_up_instance(instance.place)
    if instance.with_machine:
        _start_machine(instance)
    if not instance.has_server():
        while True:
            os.wait()
    server = os.fork()
    if server == 0:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        log = os.open("/var/log/sshd.log", os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        path = instance.server
        os.execve(
            path, [path, "-D", "-f", "/etc/ssh/sshd_config", "-E", "/var/log/sshd.log"],
            {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ended, status = os.wait()
        if ended == server:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _start_machine(instance: Instance) -> None:
    if os.fork() == 0:
        # Not the Python that runs this, which may be covered by now.
        path = "/usr/bin/python3"
        program = f"{client.TOOLS}/gateway/machine.py"
        os.execve(
            path, [path, "-B", program, instance.machine_socket],
            {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )


def _mount(instance: Instance) -> None:
    # Python itself may live below a directory that is covered here: nothing new is imported.
    directory = instance.directory
    namespaces.make_mounts_private()
    namespaces.mount("proc", "/proc", "proc")
    namespaces.mount_pseudo_terminals()
    etc.put_in_place(f"{directory}/etc")
    namespaces.bind(f"{directory}/home", "/home")
    namespaces.bind(f"{directory}/root", "/root")
    namespaces.mount("tmpfs", "/tmp", "tmpfs", options="mode=1777")
    namespaces.mount("tmpfs", "/var/log", "tmpfs", options="mode=0755")
    log = f"{directory}/sshd.log"
    for path in (log, "/var/log/sshd.log"):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    namespaces.bind(log, "/var/log/sshd.log")
    # The user's own files are on another machine.
    for place in client.PLACES:
        namespaces.mount("tmpfs", place, "tmpfs", options="mode=0755")
    namespaces.make_root_read_only()
