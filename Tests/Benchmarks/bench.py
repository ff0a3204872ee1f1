#!/usr/bin/env python3
"""bench.py - ec2sh against ssh, in turn, on the lab.

usage: lab.py run --root --cloud -- python3 bench.py [--quick] [--only TEXT] [--json FILE]

Every row runs ssh and ec2sh one after the other, several times over, and takes the ratio within
each pair, so that a machine that slows down or speeds up meanwhile slows or speeds both. Printed
are the medians, the median ratio with the least and the greatest, and the row's limit. Ends with
status 1 when a row misses its limit.

What ssh cannot do, as it knows nothing of AWS, is held against figures: of several runs the median,
the least and the greatest.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_HERE = os.path.dirname(os.path.abspath(__file__))
_PROXY = os.path.join(_HERE, "..", "Lab", "faultproxy.py")
_PEER = "debian"
_KEX = "curve25519-sha256"
_CIPHERS = {
    "aes128-gcm": "aes128-gcm@openssh.com",
    "aes256-gcm": "aes256-gcm@openssh.com",
    "chacha20": "chacha20-poly1305@openssh.com",
}
_MB = 1_000_000


@dataclass(frozen=True)
class Limit:
    """What a ratio may be at most or has to be at least."""

    value: float
    at_least: bool

    def holds(self, ratio: float) -> bool:
        # What is printed is what counts: two places.
        ratio = round(ratio, 2)
        return ratio >= self.value if self.at_least else ratio <= self.value

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"


def at_most(value: float) -> Limit:
    return Limit(value, at_least=False)


def at_least(value: float) -> Limit:
    return Limit(value, at_least=True)


@dataclass
class Finished:
    """One run of a client."""

    seconds: float
    peak_kilobytes: int
    received: int


class Bench:
    """The two clients, the server and the account they run under."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.lab = json.loads(os.environ["LAB_JSON"])
        self.programs = {"ssh": "/usr/bin/ssh", "ec2sh": self.lab["binary"]}
        user = self.lab["user"]
        self.number = user["number"]
        self.home = user["home"]
        peer = next(i for i in self.lab["instances"] if i["name"] == _PEER)
        self.peer = f"{peer['user']}@{_PEER}.lab"
        self.address = peer["public_address"]
        self.account = peer["user"]
        key = f"{self.home}/my-key.pem"
        os.chmod(key, 0o600)
        known = f"{self.home}/known_hosts"
        with open(f"{peer['host_keys']}/ssh_host_ed25519_key.pub", encoding="ascii") as file:
            kind, blob, _ = file.read().split()
        with open(known, "w", encoding="ascii") as file:
            file.write(f"{_PEER}.lab,{self.address} {kind} {blob}\n")
        os.chown(known, self.number, self.number)
        self.options = [
            "-F", "none", "-i", key, "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
            "-o", "HostKeyAlgorithms=ssh-ed25519", "-o", f"HostKeyAlias={_PEER}.lab",
            "-o", f"KexAlgorithms={_KEX}", "-o", "BatchMode=yes",
        ]

    def run(
        self, client: str, arguments: list[str], *, upload: int = 0, expect: int | None = None,
    ) -> Finished:
        """Runs a client to its end; `upload` bytes are fed to it, `expect` have to come back."""
        feeder = None
        if upload:
            feeder = subprocess.Popen(
                ["head", "-c", str(upload), "/dev/zero"], stdout=subprocess.PIPE,
            )
        began = time.perf_counter()
        # As a user's shell makes them: a pipe belongs to who made it.
        reading, writing = os.pipe()
        os.fchown(writing, self.number, self.number)
        if feeder:
            os.fchown(feeder.stdout.fileno(), self.number, self.number)
        process = subprocess.Popen(
            [self.programs[client], *arguments],
            stdin=feeder.stdout if feeder else subprocess.DEVNULL,
            stdout=writing, stderr=subprocess.PIPE,
            user=self.number, group=self.number, extra_groups=[],
            env={"PATH": os.environ["PATH"], "HOME": self.home, "LANG": "C.UTF-8"},
            cwd=self.home,
        )
        os.close(writing)
        if feeder:
            feeder.stdout.close()
        peak = _PeakMemory(process.pid)
        received = 0
        buffer = bytearray(1 << 20)
        while count := os.readv(reading, [buffer]):
            received += count
        os.close(reading)
        errors = process.stderr.read()
        status = process.wait()
        seconds = time.perf_counter() - began
        peak.stop()
        if feeder:
            feeder.wait()
        if status != 0 or (expect is not None and received != expect):
            raise RuntimeError(
                f"{client} {' '.join(arguments)}: status {status}, {received} bytes, "
                f"{errors.decode(errors='replace').strip()}"
            )
        return Finished(seconds, peak.kilobytes, received)

    def pairs(
        self, count: int, measure: Callable[[str], float], warm: bool = True,
    ) -> dict[str, list[float]]:
        """Measures both clients in turn, `count` times; who begins alternates."""
        found: dict[str, list[float]] = {"ssh": [], "ec2sh": []}
        if warm:
            for client in found:
                measure(client)
        for turn in range(count):
            for client in ("ssh", "ec2sh") if turn % 2 == 0 else ("ec2sh", "ssh"):
                found[client].append(measure(client))
        return found


class Holder:
    """A client that stays: a master, or one that only forwards. Ended when it is left."""

    def __init__(self, bench: Bench, client: str, arguments: list[str]) -> None:
        self._process = subprocess.Popen(
            [bench.programs[client], *bench.options, "-c", _CIPHERS["aes128-gcm"], "-N",
             *arguments, bench.peer],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            user=bench.number, group=bench.number, extra_groups=[],
            env={"PATH": os.environ["PATH"], "HOME": bench.home, "LANG": "C.UTF-8"},
            cwd=bench.home,
        )
        # It gives its output away when it is connected, and its forwards are up.
        if self._process.stdout.read() or self._process.poll() is not None:
            raise RuntimeError(
                f"{client} {' '.join(arguments)}: "
                f"{self._process.stderr.read().decode(errors='replace').strip()}"
            )

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()


class _PeakMemory:
    """Watches a process's greatest resident size.

    What wait4 reports is no use here: it begins with the size of the process that forked.
    """

    def __init__(self, process: int) -> None:
        self.kilobytes = 0
        self._path = f"/proc/{process}/status"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            try:
                with open(self._path, encoding="ascii", errors="replace") as file:
                    text = file.read()
            except OSError:
                return
            at = text.find("VmHWM:")
            if at >= 0 and "\nUid:\t0" not in text:
                self.kilobytes = max(self.kilobytes, int(text[at + 6:].split()[0]))
            if self._done.wait(0.01):
                return

    def stop(self) -> None:
        self._done.set()
        self._thread.join()


class Link:
    """A fault proxy with a delay, in front of the server."""

    def __init__(self, bench: Bench, round_trip: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, _PROXY, "--control"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )
        order = {"listen": "link", "to": [bench.address, 22],
                 "plan": {"delay": round_trip * 1000 / 2}}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self.port = self.wait_for("listening")["port"]
        self.peer = ["-p", str(self.port), f"{bench.account}@127.0.0.1"]

    def wait_for(self, event: str) -> dict[str, object]:
        for line in self._process.stdout:
            fields = json.loads(line)
            if fields["event"] == event:
                return fields
        raise RuntimeError("the fault proxy has ended")

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()


@dataclass
class Row:
    """One line of the result."""

    name: str
    unit: str
    found: dict[str, list[float]]
    limit: Limit

    @property
    def ratios(self) -> list[float]:
        return [b / a for a, b in zip(self.found["ssh"], self.found["ec2sh"])]

    @property
    def passes(self) -> bool:
        return self.limit.holds(statistics.median(self.ratios))

    def text(self) -> str:
        ratios = self.ratios
        values = "".join(
            f"{statistics.median(self.found[client]):>10.3g}" for client in ("ssh", "ec2sh")
        )
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        return (
            f"{self.name:<34}{values} {self.unit:<6}{statistics.median(ratios):>7.2f}"
            f"  {spread:<12}{str(self.limit):<9}{'PASS' if self.passes else 'FAIL'}"
        )


@dataclass
class Figure:
    """One line of the result that has nothing to be compared with."""

    name: str
    unit: str
    values: list[float]
    limit: Limit

    @property
    def found(self) -> dict[str, list[float]]:
        return {"ec2sh": self.values}

    @property
    def passes(self) -> bool:
        return self.limit.holds(statistics.median(self.values))

    def text(self) -> str:
        spread = f"{min(self.values):.3g}-{max(self.values):.3g}"
        return (
            f"{self.name:<34}{'':>10}{statistics.median(self.values):>10.3g} {self.unit:<6}{'':>7}"
            f"  {spread:<12}{str(self.limit):<9}{'PASS' if self.passes else 'FAIL'}"
        )


def start_rows(bench: Bench):
    """How long it takes to come up and answer."""
    count = 10 if bench.quick else 40
    for name, arguments in (
        ("start, -V", ["-V"]), ("start, -G host", ["-G", "-F", "none", "-T", "example.com"]),
    ):
        found = bench.pairs(count, lambda client, a=arguments: bench.run(client, a).seconds * 1000)
        yield Row(name, "ms", found, at_most(1.5))


def login_rows(bench: Bench):
    """A fresh connection, a login and `true`."""
    count = 10 if bench.quick else 30
    arguments = [*bench.options, "-c", _CIPHERS["aes128-gcm"], bench.peer, "true"]
    found = bench.pairs(count, lambda client: bench.run(client, arguments).seconds * 1000)
    yield Row("login and true", "ms", found, at_most(0.95))


def round_trip_rows(bench: Bench):
    """The same over a link of 200 ms: counted, and as time."""
    count = 3 if bench.quick else 7
    trips: dict[str, list[float]] = {"ssh": [], "ec2sh": []}
    with Link(bench, 0.2) as link:
        arguments = [*bench.options, "-c", _CIPHERS["aes128-gcm"], *link.peer, "true"]

        def measure(client: str) -> float:
            seconds = bench.run(client, arguments).seconds
            trips[client].append(link.wait_for("closed")["round_trips"])
            return seconds

        found = bench.pairs(count, measure, warm=False)
    yield Row("login and true, 200 ms link", "s", found, at_most(1.0))
    yield Row("  round trips on it", "trips", trips, at_most(1.0))


def transfer_rows(bench: Bench):
    """Bulk data with nothing between, both ways."""
    size = 200 * _MB if bench.quick else 1000 * _MB
    count = 2 if bench.quick else 5
    for name, cipher in _CIPHERS.items():
        login = [*bench.options, "-c", cipher, bench.peer]
        found = bench.pairs(count, lambda client: size / _MB / bench.run(
            client, [*login, f"head -c {size} /dev/zero"], expect=size,
        ).seconds)
        yield Row(f"{size // _MB} MB down, {name}", "MB/s", found, at_least(1.0))
        found = bench.pairs(count, lambda client: size / _MB / bench.run(
            client, [*login, "cat >/dev/null"], upload=size,
        ).seconds)
        yield Row(f"{size // _MB} MB up, {name}", "MB/s", found, at_least(1.0))


def latency_rows(bench: Bench):
    """Bulk data over a link of 100 ms."""
    size = 60 * _MB if bench.quick else 200 * _MB
    count = 1 if bench.quick else 3
    with Link(bench, 0.1) as link:
        login = [*bench.options, "-c", _CIPHERS["aes128-gcm"], *link.peer]
        found = bench.pairs(count, lambda client: size / _MB / bench.run(
            client, [*login, f"head -c {size} /dev/zero"], expect=size,
        ).seconds, warm=False)
        yield Row(f"{size // _MB} MB down, 100 ms link", "MB/s", found, at_least(3.0))
        found = bench.pairs(count, lambda client: size / _MB / bench.run(
            client, [*login, "cat >/dev/null"], upload=size,
        ).seconds, warm=False)
        yield Row(f"{size // _MB} MB up, 100 ms link", "MB/s", found, at_least(1.0))


def memory_rows(bench: Bench):
    """The greatest resident size, and that it does not grow with the transfer."""
    size = 200 * _MB if bench.quick else 1000 * _MB
    count = 1 if bench.quick else 2
    login = [*bench.options, "-c", _CIPHERS["aes128-gcm"], bench.peer]
    ways: dict[str, Callable[[str, int], Finished]] = {
        "down": lambda client, n: bench.run(client, [*login, f"head -c {n} /dev/zero"], expect=n),
        "up": lambda client, n: bench.run(client, [*login, "cat >/dev/null"], upload=n),
    }
    for way, transfer in ways.items():
        found = bench.pairs(
            count, lambda client: transfer(client, size).peak_kilobytes / 1024, warm=False,
        )
        yield Row(f"memory, {size // _MB} MB {way}", "MiB", found, at_most(3.0))
        twice = [transfer("ec2sh", 2 * size).peak_kilobytes / 1024 for _ in range(count)]
        grown = {"ssh": found["ec2sh"], "ec2sh": twice}
        yield Row(f"  ec2sh, twice as much {way}", "MiB", grown, at_most(1.1))


def master_rows(bench: Bench):
    """Commands one after the other, as scripts run them: each with its own login, or sharing one."""
    login = [*bench.options, "-c", _CIPHERS["aes128-gcm"], bench.peer, "true"]

    def sharing(client: str) -> list[str]:
        return ["-S", f"{bench.home}/master-{client}", *login]

    def ten(arguments: Callable[[str], list[str]]) -> Callable[[str], float]:
        return lambda client: sum(bench.run(client, arguments(client)).seconds for _ in range(10))

    # Ten by one, ten by the other: a machine that slows down meanwhile slows both.
    tens = 5 if bench.quick else 20
    with (
        Holder(bench, "ssh", ["-M", "-S", f"{bench.home}/master-ssh"]),
        Holder(bench, "ec2sh", ["-M", "-S", f"{bench.home}/master-ec2sh"]),
    ):
        found = bench.pairs(
            20 if bench.quick else 60,
            lambda client: bench.run(client, sharing(client)).seconds * 1000,
        )
        yield Row("a second command over a master", "ms", found, at_most(1.2))
        found = bench.pairs(tens, ten(sharing))
        yield Row(f"{10 * tens} commands over it, by tens", "s", found, at_most(1.2))
    found = bench.pairs(tens, ten(lambda _: login))
    yield Row(f"{10 * tens} commands, each its login", "s", found, at_most(0.95))


# Sends back what it gets, on a port of its own choosing, which it says first.
_ECHO = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.close()
"""


def forward_rows(bench: Bench):
    """Small packets there and back over -L, as somebody types or a database is asked."""
    count = 2000 if bench.quick else 5000
    turns = 3 if bench.quick else 7
    echo = subprocess.Popen(
        [bench.programs["ssh"], *bench.options, bench.peer, f"exec python3 -uc '{_ECHO}'"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        user=bench.number, group=bench.number, extra_groups=[],
    )
    ends: dict[str, dict[str, list[float]]] = {
        name: {"ssh": [], "ec2sh": []} for name in ("p50", "p99")
    }
    try:
        target = f"127.0.0.1:{int(echo.stdout.readline())}"
        ports = {"ssh": _free_port(), "ec2sh": _free_port()}
        with (
            Holder(bench, "ssh", ["-L", f"{ports['ssh']}:{target}"]),
            Holder(bench, "ec2sh", ["-L", f"{ports['ec2sh']}:{target}"]),
        ):

            def measure(client: str) -> float:
                times = _echo_times(ports[client], count)
                for name, part in (("p50", 0.50), ("p99", 0.99)):
                    ends[name][client].append(times[math.ceil(part * count) - 1])
                return times[0]

            bench.pairs(turns, measure, warm=False)
    finally:
        echo.terminate()
        echo.wait()
    yield Row("64 bytes there and back, -L, p50", "us", ends["p50"], at_most(1.1))
    yield Row("  p99", "us", ends["p99"], at_most(1.25))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _echo_times(port: int, count: int) -> list[float]:
    """Microseconds each, in order of size; the first hundred are left out."""
    message = bytes(range(64))
    times = []
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count + 100):
            began = time.perf_counter()
            connection.sendall(message)
            answer = b""
            while len(answer) < len(message):
                part = connection.recv(4096)
                if not part:
                    raise RuntimeError(f"the forward on port {port} ended")
                answer += part
            times.append((time.perf_counter() - began) * 1e6)
            if answer != message:
                raise RuntimeError(f"port {port} brought back other bytes")
    return sorted(times[100:])


class Cloud:
    """An account of the lab's AWS with an instance in it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._aws = bench.lab["aws"]
        made = self.ask("account")
        self._account = made["account"]
        key = made["key"]
        self.instance = self.ask("launch", name="web")["instances"][0]["id"]
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": bench.home, "LANG": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": key["id"], "AWS_SECRET_ACCESS_KEY": key["secret"],
            "AWS_REGION": "eu-central-1", "AWS_CA_BUNDLE": self._aws["ca"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def ask(self, what: str, **fields: object) -> dict:
        """Gives an order to the gateway (gateway/control.py)."""
        order = {"do": what, **fields}
        if what != "account":
            order["account"] = self._account
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._aws["control"])
            connection.sendall(json.dumps(order).encode() + b"\n")
            answer = json.loads(connection.makefile("rb").readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def run(self, ways: str, command: str, upload: int = 0) -> tuple[float, float, int]:
        """Runs a command on the instance: seconds, seconds of processor time, frames."""
        feeder = None
        if upload:
            feeder = subprocess.Popen(
                ["head", "-c", str(upload), "/dev/zero"], stdout=subprocess.PIPE,
            )
        before = len(self.ask("sessions")["sessions"])
        began = time.perf_counter()
        process = subprocess.Popen(
            [self._bench.programs["ec2sh"], "-F", "none", "-i", f"{self._bench.home}/my-key.pem",
             "-o", "BatchMode=yes", "-o", f"EC2Ways={ways}", self.instance, command],
            stdin=feeder.stdout if feeder else subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, user=self._bench.number, group=self._bench.number,
            extra_groups=[], env=self._environment, cwd=self._bench.home,
        )
        if feeder:
            feeder.stdout.close()
        errors = process.stderr.read().decode(errors="replace")
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if feeder:
            feeder.wait()
        if status:
            raise RuntimeError(f"ec2sh by {ways}: {errors}")
        sessions = self.ask("sessions")["sessions"][before:]
        return seconds, used.ru_utime + used.ru_stime, sum(s["up"] + s["down"] for s in sessions)


def tunnel_rows(bench: Bench):
    """Sessions of Systems Manager, and what leads to them when port 22 is closed."""
    if not bench.lab.get("aws"):
        print("tunnel: the lab has no cloud (--cloud)")
        return
    cloud = Cloud(bench)
    count = 3 if bench.quick else 7
    size = 64 << 20
    cloud.run("direct", "true")
    found = [size / _MB / cloud.run("ssm", "cat >/dev/null", size)[0] for _ in range(count)]
    yield Figure("64 MB up, Systems Manager", "MB/s", found, at_least(5))
    cloud.ask("plan", payload=32768, pause=0)
    found = [
        size / _MB / cloud.run("ssm", f"head -c {size} /dev/zero")[0] for _ in range(count)
    ]
    yield Figure("64 MB down, no pauses", "MB/s", found, at_least(20))

    def per_frame(command: str, upload: int = 0) -> float:
        # What ssh costs, however its bytes travel, is no cost of the tunnel's.
        own = cloud.run("direct", command, upload)[1]
        processor, frames = cloud.run("ssm", command, upload)[1:]
        # Each has its acknowledgement: what comes up is counted with those, what goes down without.
        return (processor - own) * 1e6 / (frames / 2 if upload else frames)

    cloud.ask("plan", payload=1024, pause=0)
    found = [per_frame(f"head -c {size // 4} /dev/zero") for _ in range(count)]
    yield Figure("  processor, 1 KB frame down", "us", found, at_most(40))
    found = [per_frame("cat >/dev/null", size) for _ in range(count)]
    yield Figure("  frame of up to 8 KB up", "us", found, at_most(40))
    cloud.ask("plan", payload=1024, pause=0.001)
    found = [per_frame(f"head -c {2 << 20} /dev/zero") for _ in range(count)]
    # Each wakes two threads; it is a tenth of a processor.
    yield Figure("  1 KB frames down, 1 ms apart", "us", found, at_most(200))

    def first() -> float:
        """A login by whatever way there is, with nothing remembered."""
        shutil.rmtree(f"{bench.home}/.cache", ignore_errors=True)
        return cloud.run("direct,endpoint,ssm", "true")[0]

    cloud.ask("set", instance=cloud.instance, port="drop")
    yield Figure(
        "port 22 closed: Systems Manager", "s", [first() for _ in range(count)], at_most(4),
    )
    cloud.ask("endpoint")
    yield Figure("port 22 closed: an endpoint", "s", [first() for _ in range(count)], at_most(3))


GROUPS = {
    "start": start_rows,
    "login": login_rows,
    "round-trips": round_trip_rows,
    "transfer": transfer_rows,
    "latency": latency_rows,
    "memory": memory_rows,
    "master": master_rows,
    "forward": forward_rows,
    "tunnel": tunnel_rows,
}


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller runs")
    parser.add_argument("--only", choices=GROUPS, action="append", help="these groups alone")
    parser.add_argument("--json", help="write all measurements to this file")
    options = parser.parse_args()
    bench = Bench(options.quick)
    print(f"{'':<34}{'ssh':>10}{'ec2sh':>10} {'':<6}{'ratio':>7}  {'from-to':<12}{'limit':<9}")
    rows: list[Row | Figure] = []
    for name, group in GROUPS.items():
        if options.only and name not in options.only:
            continue
        for row in group(bench):
            print(row.text(), flush=True)
            rows.append(row)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({row.name: row.found for row in rows}, file, indent=1)
    failed = sum(not row.passes for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
