#!/usr/bin/env python3
"""lab.py - a local cloud for ec2sh, in namespaces of this machine.

usage: lab.py run [--binary FILE] [--root] [--cloud] [--only NAME,...] -- COMMAND [ARGUMENT]...
       lab.py shell [--binary FILE] [--cloud]
       lab.py up [--binary FILE] [--cloud] [--only NAME,...]
       lab.py check

run      starts the cloud, runs the command on the client machine, ends with its status
shell    the same with an interactive shell
up       prints one line of JSON that describes the cloud, and keeps it until its standard input
         ends or a signal comes; "enter" in there is the start of a command line that runs a
         command on the client machine
check    says whether a lab can be had here: status 0, or 75 and the reason

--binary FILE   what $EC2SH_BINARY and `ec2sh` are in there (default: $EC2SH_BINARY, or the
                release or debug build of this repository)
--root          run the command as root, not as the lab's user
--cloud         AWS's services too (also with EC2SH_LAB_CLOUD=1); see README.md
--only          start these instances only

In there LAB_JSON holds the description. Needs root, sshd and ip. Everything lives in namespaces
and dies with this process, however it ends; nothing is written to the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cloud import client, keys, namespaces, network  # noqa: E402
from cloud import gateway as aws  # noqa: E402
from cloud.fleet import NAME as FLEET  # noqa: E402
from cloud.fleet import Fleet  # noqa: E402
from cloud.flavours import FLAVOURS  # noqa: E402
from cloud.instance import Instance  # noqa: E402
from cloud.sshd import Servers  # noqa: E402

NOT_POSSIBLE = 75  # EX_TEMPFAIL
_START_LIMIT = 20.0  # seconds for all sshds to answer, on a machine under load


def main() -> int:
    options = _parse(sys.argv[1:])
    try:
        _require_machine()
        if options.verb == "check":
            return _check()
        return _start(options)
    except namespaces.NotPossible as error:
        print(f"lab: not possible here: {error}", file=sys.stderr)
        return NOT_POSSIBLE


def _parse(arguments: list[str]) -> argparse.Namespace:
    command: list[str] = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, command = arguments[:cut], arguments[cut + 1:]
    parser = argparse.ArgumentParser(prog="lab.py", usage=__doc__, add_help=False)
    parser.add_argument("verb", choices=("run", "shell", "up", "check"))
    parser.add_argument("--binary", default=os.environ.get("EC2SH_BINARY"))
    parser.add_argument("--root", action="store_true")
    parser.add_argument(
        "--cloud", action="store_true", default=os.environ.get("EC2SH_LAB_CLOUD") == "1",
    )
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    if options.verb == "run" and not command:
        parser.error("run needs a command after --")
    options.command = ["/bin/bash"] if options.verb == "shell" else command
    known = {flavour.name for flavour in FLAVOURS}
    options.only = set(filter(None, options.only.split(",")))
    if options.only - known:
        parser.error(f"no such instance: {', '.join(sorted(options.only - known))}")
    if not options.binary:
        options.binary = _built_binary()
    if options.binary and not os.access(options.binary, os.X_OK):
        parser.error(f"{options.binary} cannot be run")
    return options


def _built_binary() -> str | None:
    repository = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    for build in ("release", "debug"):
        path = os.path.realpath(os.path.join(repository, ".build", build, "ec2sh"))
        if os.access(path, os.X_OK):
            return path
    return None


def _require_machine() -> None:
    if os.geteuid() != 0:
        raise namespaces.NotPossible("needs root")
    for path in (os.getcwd(), os.path.abspath(__file__)):
        if path.startswith("/run/"):
            raise namespaces.NotPossible(f"{path} is below /run, which is private in the lab")


def _check() -> int:
    child = os.fork()
    if child == 0:
        try:
            namespaces.unshare(_KINDS)
            os._exit(0)
        except namespaces.NotPossible as error:
            print(f"lab: not possible here: {error}", file=sys.stderr, flush=True)
            os._exit(NOT_POSSIBLE)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


_KINDS = (
    namespaces.NEW_NETWORK | namespaces.NEW_MOUNTS | namespaces.NEW_HOSTNAME
    | namespaces.NEW_IPC | namespaces.NEW_PIDS
)


def _start(options: argparse.Namespace) -> int:
    """The outer process: holds the lab, and takes it along when it dies."""
    holder = os.getpid()
    description, describe = os.pipe()
    namespaces.unshare(_KINDS)
    # From here on children are in the new process namespace, the first one is its init.
    init = os.fork()
    if init == 0:
        os.close(description)
        status = 1
        try:
            namespaces.die_with_parent()
            status = _run_lab(options, describe)
        except namespaces.NotPossible as error:
            print(f"lab: not possible here: {error}", file=sys.stderr, flush=True)
            status = NOT_POSSIBLE
        except Exception as error:  # noqa: BLE001: a forked child reports and ends here
            print(f"lab: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)
    os.close(describe)
    if options.verb == "up":
        with os.fdopen(description, encoding="utf-8") as file:
            text = file.readline()
        if text:
            lab = json.loads(text)
            lab["holder"] = holder
            lab["enter"] = ["nsenter", f"--target={init}", "--mount", "--net", "--uts", "--ipc"]
            print(json.dumps(lab), flush=True)

    def pass_on(number: int, _: object) -> None:
        os.kill(init, number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    signal.signal(signal.SIGINT, pass_on if options.verb == "up" else signal.SIG_IGN)
    status = os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
    return status if status >= 0 else 128 - status


def _run_lab(options: argparse.Namespace, describe: int) -> int:
    """The init of the lab: builds the cloud, runs the command, and ends everything by ending."""
    began = time.monotonic()
    stopping = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    lab, binary = _build_cloud(options)
    lab["started_in"] = round(time.monotonic() - began, 3)
    text = json.dumps(lab)
    os.write(describe, text.encode() + b"\n")
    os.close(describe)
    if options.verb == "up":
        return _wait_for_end(stopping)
    return _run_command(options, text, binary, stopping)


def _build_cloud(options: argparse.Namespace) -> tuple[dict[str, object], str | None]:
    namespaces.make_mounts_private()
    namespaces.mount("proc", "/proc", "proc")
    client.mount_root()
    machine = f"{client.ROOT}/machine-etc"
    os.mkdir(machine)
    namespaces.bind("/etc", machine)

    gateway = aws.Gateway() if options.cloud else None
    places = [network.Place(flavour, number) for number, flavour in enumerate(FLAVOURS)]
    hosts = network.hosts_file(places)
    chosen = [p for p in places if not options.only or p.flavour.name in options.only]
    servers = Servers(f"{client.ROOT}/sshd")
    instances = [
        Instance(
            place, f"{client.ROOT}/instances/{place.flavour.name}", servers,
            with_machine=gateway is not None and place.flavour.in_cloud,
        )
        for place in chosen
    ]
    machines = list(instances)
    more_network = []
    if gateway is not None:
        fleet = Fleet(f"{client.ROOT}/instances/{FLEET}", servers)
        machines.append(fleet)
        hosts += aws.hosts()
        more_network = [f"address add {aws.ADDRESS}/32 dev lo", *fleet.routes()]
        aws.make_directory()
    maker = keys.KeyMaker()
    keys.start_key_pairs(maker, client.KEYS)
    for instance in instances:
        instance.start_host_keys(maker)

    client.set_up(hosts, machine)
    binary = client.put_binary(options.binary) if options.binary else None
    client.put_tools(os.path.dirname(os.path.abspath(__file__)))
    network.set_up_client(more_network)
    for instance in machines:
        instance.hold()
    network.link([(instance.place, instance.process) for instance in machines])
    maker.finish()
    public = keys.public_keys(client.KEYS)
    for instance in machines:
        instance.write_files(public, hosts, machine)
        instance.boot()
    if gateway is not None:
        gateway.start(instances, {
            machine.place.flavour.name: machine.machine_socket
            for machine in machines if machine.with_machine
        }, servers)
    pairs = keys.describe_key_pairs(client.KEYS)
    client.give_key(pairs["rsa"])
    deadline = time.monotonic() + _START_LIMIT
    for instance in instances:
        instance.await_banner(deadline)
    return {
        **({"aws": {**gateway.await_ready(), "fleet": fleet.process}} if gateway else {}),
        "version": 1,
        "root": client.ROOT,
        "user": {"name": client.USER.name, "number": client.USER.number, "home": client.USER.home},
        "spare_users": {
            "count": client.SPARE_COUNT,
            "first_name": client.spare(0).name,
            "first_number": client.spare(0).number,
            "homes": client.HOMES,
        },
        "binary": binary,
        "key_pair": keys.PAIR_NAME,
        "keys": pairs,
        "region": network.REGION,
        "instances": [instance.describe() for instance in instances],
    }, binary


def _wait_for_end(stopping: set[signal.Signals]) -> int:
    for number in stopping:
        signal.signal(number, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping)
    while os.read(0, 4096):
        pass
    return 0


def _run_command(
    options: argparse.Namespace, text: str, binary: str | None, stopping: set[signal.Signals],
) -> int:
    environment = client.environment(text, binary, options.root)
    command = os.fork()
    if command == 0:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if not options.root:
                client.become_user()
            os.execvpe(options.command[0], options.command, environment)
        except OSError as error:
            print(f"lab: {options.command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        finally:
            os._exit(127)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(command, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping)
    while True:
        ended, status = os.wait()
        if ended == command:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
