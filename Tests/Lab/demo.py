#!/usr/bin/env python3
"""demo.py - what ec2sh does, shown on the lab's instances.

usage: lab.py run -- /usr/bin/python3 /run/lab/tools/demo.py

Runs as the lab's user, with the key pair as a browser saved it. On a terminal the last step is a
shell to try things in; without one, a script types into it. Ends with status 1 when something is
not as it is told here, so that it is a test as well.
"""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import stat
import subprocess
import sys
import time

KEY = "my-key.pem"
_BOLD, _DIM, _PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
_TYPING_LIMIT = 20.0  # seconds for a word to appear


class Surprise(Exception):
    """Something was not as the demo tells it."""


def main() -> int:
    lab = json.loads(os.environ["LAB_JSON"])
    instances = {instance["name"]: instance for instance in lab["instances"]}
    began = time.monotonic()
    try:
        tell_where_we_are(instances)
        mend_key(instances["ubuntu"])
        find_users(instances)
        run_commands(instances["amazon"])
        open_shell(instances["rocky"])
    except Surprise as surprise:
        print(f"\ndemo: not as told: {surprise}", file=sys.stderr)
        return 1
    say(f"That was it, in {time.monotonic() - began:.0f} s. README.md has the manual.")
    return 0


def tell_where_we_are(instances: dict[str, dict]) -> None:
    title("A cloud inside this machine")
    say(
        "Real sshds with the accounts, banners and keys of EC2's images, in namespaces. "
        "Nothing leaves this machine, and nothing stays when this ends."
    )
    for name in ("amazon", "ubuntu", "debian", "rocky", "rhel"):
        instance = instances[name]
        print(f"  {instance['public_name']}  {instance['title']}")
    os.makedirs(".ssh", mode=0o700, exist_ok=True)
    with open(".ssh/config", "w", encoding="ascii") as file:
        file.write("Host *.amazonaws.com\n  StrictHostKeyChecking accept-new\n")


def mend_key(instance: dict) -> None:
    title("A key as the browser saved it")
    say("Everybody can read it. ssh therefore does not use it, and asks for nothing else:")
    host = f"ubuntu@{instance['public_name']}"
    expect(show("ls", "-l", KEY), 0)
    expect(show("ssh", "-o", "BatchMode=yes", "-i", KEY, host, "uptime", "-p"), 255)
    say("ec2sh mends it, says so in one line, and logs in:")
    expect(show("ec2sh", "-i", KEY, host, "uptime -p"), 0)
    expect(show("ls", "-l", KEY), 0)
    if stat.S_IMODE(os.stat(KEY).st_mode) != 0o600:
        raise Surprise(f"{KEY} is still open to others")


def find_users(instances: dict[str, dict]) -> None:
    title("No user name given")
    say("Every image has another one. ec2sh finds it, and remembers it for the next time:")
    for name in ("amazon", "ubuntu", "debian", "rocky", "rhel"):
        instance = instances[name]
        script = 'echo "$(id -un) on $(. /etc/os-release; echo $PRETTY_NAME)"'
        status, output = show_and_read("ec2sh", "-i", KEY, instance["public_name"], script)
        expect(status, 0)
        if not output.startswith(f"{instance['user']} on "):
            raise Surprise(f"the user on {name} is {instance['user']}")


def run_commands(instance: dict) -> None:
    title("A command's streams and status are ours")
    host = instance["public_name"]
    expect(show("ec2sh", "-i", KEY, host, "exit 42"), 42)
    status, output = show_and_read(
        "ec2sh", "-i", KEY, host, "tr a-z A-Z", feed="from here, through there\n",
    )
    expect(status, 0)
    if output != "FROM HERE, THROUGH THERE\n":
        raise Surprise("standard input did not come back as standard output")


def open_shell(instance: dict) -> None:
    title("A shell")
    command = ["ec2sh", "-i", KEY, instance["public_name"]]
    if sys.stdin.isatty() and sys.stdout.isatty():
        say("It is yours: look around, and leave with exit or with ~. at the start of a line.")
        show(*command)
        return
    say("There is no terminal here, so a script types into one of its own:")
    print_command(command)
    status = type_into(command, ("$ ", "hostname; stty size; tty\n"), ("/dev/pts/", ""),
                       ("$ ", "exit 7\n"))
    print()
    expect(status, 7)


def type_into(command: list[str], *steps: tuple[str, str]) -> int:
    """Runs a command in a terminal of 80 by 24 and answers what appears."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe(command[0], command, {**os.environ, "TERM": "dumb"})
    subprocess.run(["stty", "rows", "24", "cols", "80"], stdin=terminal, check=True)
    unread = ""
    steps_left = list(steps)
    deadline = time.monotonic() + _TYPING_LIMIT
    while True:
        if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
            os.kill(process, 9)
            raise Surprise(f"{steps_left[0][0]!r} did not appear" if steps_left else "no end")
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break  # Linux says EIO when the other side has closed the terminal.
        if not data:
            break
        text = data.decode(errors="replace")
        print(text.replace("\r\n", "\n"), end="", flush=True)
        unread += text
        while steps_left and steps_left[0][0] in unread:
            awaited, answer = steps_left.pop(0)
            unread = unread[unread.index(awaited) + len(awaited):]
            os.write(terminal, answer.encode())
            deadline = time.monotonic() + _TYPING_LIMIT
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def title(text: str) -> None:
    print(f"\n{_BOLD}== {text}{_PLAIN}")


def say(text: str) -> None:
    print(text)


def print_command(words: tuple[str, ...] | list[str], feed: str | None = None) -> None:
    line = shlex.join(words)
    if feed is not None:
        line = f"echo {shlex.quote(feed.rstrip())} | {line}"
    print(f"{_DIM}${_PLAIN} {line}", flush=True)


def show(*words: str) -> int:
    """Shows a command, runs it and shows how it ended."""
    print_command(words)
    status = subprocess.run(words, check=False).returncode
    if status != 0:
        print(f"{_DIM}(exit status {status}){_PLAIN}")
    return status


def show_and_read(*words: str, feed: str | None = None) -> tuple[int, str]:
    """The same, and gives what it wrote."""
    print_command(words, feed)
    run = subprocess.run(
        words, stdout=subprocess.PIPE, check=False, text=True, input=feed,
        **({} if feed is not None else {"stdin": subprocess.DEVNULL}),
    )
    print(run.stdout, end="", flush=True)
    return run.returncode, run.stdout


def expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise Surprise(f"the exit status is {status} and should be {wanted}")


if __name__ == "__main__":
    sys.exit(main())
