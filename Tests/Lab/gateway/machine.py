#!/usr/bin/env python3
"""machine.py - the inside of an instance: what the gateway asks of it happens here.

usage: machine.py SOCKET

Runs in the namespaces of an instance and needs nothing but Python. One request a connection, a
line of JSON; the answer is a line of JSON, with a descriptor where one was asked for:

  {"do": "connect", "address": A, "port": N}           a connected socket
  {"do": "shell", "environment": {...}}                the terminal of a new shell of ssm-user's,
   "command": C                                        or of one that runs a command
  {"do": "run", "command": C, "keys": D}                what a root's shell says; D is its /etc/ssh
  {"do": "push", "directory": D, "user": U, "key": K, "until": T}
  {"do": "launch", "id": I, "directory": D, "addresses": [...], "configuration": C, "server": S,
   "authorized": {user: text}}                         host keys, addresses and a server
  {"do": "port", "addresses": [...], "state": open | refuse | drop | reject}
  {"do": "address", "addresses": [...], "present": true | false}

In the fleet one namespace is many instances: each has addresses of its own, and an sshd is started
for each connection, with the configuration of the instance whose address was called.
"""

from __future__ import annotations

import array
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading

_KINDS = ("ed25519", "ecdsa")


class Fleet:
    """The instances of this namespace, by address."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.command: dict[str, list[str]] = {}
        self.log: dict[str, str] = {}
        self.listeners: dict[str, socket.socket] = {}
        self.rules: dict[str, list[str]] = {}

    def launch(self, order: dict) -> dict:
        directory = order["directory"]
        keys = f"{directory}/keys"
        os.makedirs(f"{directory}/authorized", exist_ok=True)
        os.makedirs(keys)
        made = [
            subprocess.Popen(
                ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", order["comment"],
                 "-f", f"{keys}/ssh_host_{kind}_key"], stdin=subprocess.DEVNULL,
            ) for kind in _KINDS
        ]
        for user, text in order["authorized"].items():
            with open(f"{directory}/authorized/{user}", "w", encoding="ascii") as file:
                file.write(text)
        with open(f"{directory}/sshd_config", "w", encoding="ascii") as file:
            file.write(order["configuration"])
            for kind in _KINDS:
                file.write(f"HostKey {keys}/ssh_host_{kind}_key\n")
        for process in made:
            if process.wait() != 0:
                return {"error": "ssh-keygen failed"}
        addresses = order["addresses"]
        self.address(addresses, present=True)
        for address in addresses:
            self.command[address] = [
                order["server"], "-i", "-f", f"{directory}/sshd_config", "-E", f"{directory}/log",
            ]
        self.port(addresses, order.get("port", "open"))
        lines = []
        for kind in _KINDS:
            with open(f"{keys}/ssh_host_{kind}_key.pub", encoding="ascii") as file:
                lines.append(file.read().strip())
        return {"host_keys": lines}

    def address(self, addresses: list[str], present: bool) -> dict:
        """Gives addresses to this machine, or takes them away."""
        for address in addresses:
            what = "replace" if present else "del"
            more = "/128 dev eth0 nodad" if ":" in address else "/32 dev eth0"
            _ip([f"address {what} {address}{more}"], check=present)
            if not present:
                self._close(address)
        return {}

    def port(self, addresses: list[str], state: str) -> dict:
        """What a connection to port 22 from outside finds."""
        with self.lock:
            for address in addresses:
                family = "-6 " if ":" in address else ""
                for rule in self.rules.pop(address, []):
                    _ip([f"rule del {rule}"], family)
                if state in ("drop", "reject"):
                    kind = "blackhole" if state == "drop" else "prohibit"
                    rule = f"pref 1 iif eth0 to {address} ipproto tcp dport 22 {kind}"
                    _ip([f"rule add {rule}"], family)
                    self.rules[address] = [rule]
                if state == "refuse":
                    self._close(address)
                elif address not in self.listeners and address in self.command:
                    self._open(address)
        return {}

    def _close(self, address: str) -> None:
        listener = self.listeners.pop(address, None)
        if listener is not None:
            # A thread that waits in accept() keeps the socket alive until it is shut down.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _open(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, 22))
        listener.listen(512)
        self.listeners[address] = listener
        threading.Thread(target=self._accept, args=(address, listener), daemon=True).start()

    def _accept(self, address: str, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            subprocess.Popen(
                self.command[address], stdin=connection, stdout=connection,
                stderr=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                start_new_session=True,
            )
            connection.close()


def _ip(commands: list[str], family: str = "", check: bool = True) -> None:
    done = subprocess.run(
        ["ip", *family.split(), "-batch", "-"], input="\n".join(commands).encode() + b"\n",
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
    )
    if check and done.returncode != 0:
        raise OSError(f"ip {commands}: {done.stderr.decode()}")


def _connect(order: dict) -> tuple[dict, int | None]:
    try:
        made = socket.create_connection((order["address"], order["port"]), order.get("limit", 5))
    except TimeoutError:
        return {"error": "i/o timeout"}, None
    except OSError as error:
        return {"error": (error.strerror or str(error)).lower()}, None
    made.settimeout(None)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return {}, made.detach()


def _shell(order: dict) -> tuple[dict, int | None]:
    child, terminal = pty.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.setgroups([])
            os.setgid(1010)
            os.setuid(1010)
            os.chdir("/")
            environment = {
                "PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "HOME": "/home/ssm-user",
                "PS1": "$ ", **order.get("environment", {}),
            }
            command = order.get("command")
            os.execve("/bin/sh", ["sh", "-c", command] if command else ["sh"], environment)
        finally:
            os._exit(127)
    threading.Thread(target=os.waitpid, args=(child, 0), daemon=True).start()
    return {"process": child}, terminal


def _run(order: dict) -> dict:
    """A command as root, where the instance that is meant has its host keys."""
    words = ["sh", "-c", order["command"]]
    if order.get("keys"):
        mount = 'mount --bind "$1" /etc/ssh && exec sh -c "$2"'
        words = ["unshare", "--mount", "sh", "-c", mount, "sh", order["keys"], order["command"]]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=20, check=False, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    return {
        "status": done.returncode, "output": done.stdout.decode(errors="replace"),
        "errors": done.stderr.decode(errors="replace"),
    }


def _push(order: dict) -> dict:
    """Puts a key where the instance's AuthorizedKeysCommand looks."""
    os.makedirs(f"{order['directory']}/pushed", exist_ok=True)
    path = f"{order['directory']}/pushed/{order['user']}"
    with open(path, "a", encoding="ascii") as file:
        file.write(f"{order['until']} {order['key']}\n")
    return {}


def _answer(connection: socket.socket, fleet: Fleet) -> None:
    with connection:
        order = json.loads(connection.makefile("rb").readline())
        descriptor = None
        try:
            what = order["do"]
            if what == "connect":
                answer, descriptor = _connect(order)
            elif what == "shell":
                answer, descriptor = _shell(order)
            elif what == "run":
                answer = _run(order)
            elif what == "push":
                answer = _push(order)
            elif what == "launch":
                answer = fleet.launch(order)
            elif what == "port":
                answer = fleet.port(order["addresses"], order["state"])
            elif what == "address":
                answer = fleet.address(order["addresses"], order["present"])
            else:
                answer = {"error": f"no such order: {what}"}
        except Exception as error:  # noqa: BLE001: whoever asked is told
            answer = {"error": repr(error)}
        more = []
        if descriptor is not None:
            more = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
        connection.sendmsg([json.dumps(answer).encode() + b"\n"], more)
        if descriptor is not None:
            os.close(descriptor)


def _use_rules_before_local() -> None:
    """Rules of our own must be asked before the table of this machine's own addresses."""
    for family in ("", "-6 "):
        _ip([
            "rule add pref 5 lookup local", "rule del pref 0",
            # What is not for this machine vanishes.
            "rule add pref 6 iif eth0 blackhole",
        ], family)
    # Only a machine that forwards says that something is prohibited.
    for protocol in ("ipv4", "ipv6"):
        with open(f"/proc/sys/net/{protocol}/conf/eth0/forwarding", "w", encoding="ascii") as file:
            file.write("1")


def main() -> None:
    path = sys.argv[1]
    fleet = Fleet()
    _use_rules_before_local()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path + ".new")
    os.chmod(path + ".new", 0o600)
    listener.listen(256)
    os.rename(path + ".new", path)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection, fleet), daemon=True).start()


if __name__ == "__main__":
    main()
