"""A terminal on the remote half: as sshd gives one, with motd, modes, size and job control."""

import os
import struct
import subprocess
import time
import unittest

import ground
from reference import BREAK, COMMAND, MOTD, PTY, SHELL, Case, Client, Refused, numbers


def modes(*pairs):
    """Modes as in RFC 4254 §8."""
    return b"".join(struct.pack(">BI", *pair) for pair in pairs) + b"\0"


class Terminals(Case):
    def shell(self, command=None, flags=PTY, **more):
        """A shell, or a command, on a terminal."""
        client = Client(window=more.pop("window", 1 << 20), env=more.pop("env", None))
        more.setdefault("size", (80, 24, 640, 480))
        more.setdefault("term", "xterm-test")
        client.start(command or "", kind=COMMAND if command else SHELL, flags=flags, **more)
        client.greeted()
        return client

    def expect(self, client, text):
        client.until(lambda: text in client.output, text)

    def end(self, client, status=0):
        self.assertEqual(client.finished(), status)
        client.leave()

    def test_command_on_a_terminal(self):
        client = self.shell("tty; stty size; echo $TERM $SSH_TTY; ps -o stat= -p $$; exit 3")
        self.end(client, 3)
        lines = client.output.decode().split("\r\n")
        self.assertRegex(lines[0], "^/dev/pts/")
        self.assertEqual(lines[1:3], ["24 80", f"xterm-test {lines[0]}"])
        # Leader of its session, and in front.
        self.assertRegex(lines[3], r"s.*\+")

    def test_login_shell(self):
        (ground.HOME / ".profile").write_text("echo from profile\n")
        self.addCleanup((ground.HOME / ".profile").unlink)
        client = self.shell()
        self.expect(client, b"from profile\r\n")
        client.send(b"echo $0 $PWD\rexit 4\r")
        self.end(client, 4)
        self.assertIn(f"-sh {ground.HOME}\r\n".encode(), client.output)

    def test_end_of_output_comes_before_the_exit(self):
        client = self.shell("echo x")
        client.until(lambda: client.exit is not None)
        self.assertTrue(client.ended)
        client.leave()

    def test_output_up_to_the_exit(self):
        """Nothing is lost that was written just before the end."""
        for _ in range(10):
            client = self.shell("head -c 50000 /dev/zero | tr '\\0' x; exit 5")
            self.end(client, 5)
            self.assertEqual(len(client.output), 50000)

    def test_background_jobs_do_not_hold_it(self):
        client = self.shell("trap '' HUP; sleep 100 & echo started")
        self.end(client)

    def test_interrupt_and_job_control(self):
        client = self.shell("cat; echo after")
        time.sleep(0.2)
        client.send(b"\3")
        self.assertEqual(client.finished(), ("INT", 0))
        client.leave()
        client = self.shell(env=ground.environment(PS1="$ "))
        client.send(b"set -m; sleep 100\r")
        self.expect(client, b"sleep 100\r\n")
        time.sleep(0.3)
        client.send(b"\x1a")
        self.expect(client, b"Stopped")
        client.send(b"fg\r")
        self.expect(client, b"fg\r\nsleep 100")
        time.sleep(0.3)
        client.send(b"\3")
        client.send(b"exit 9\r")
        self.end(client, 9)

    def test_modes(self):
        client = self.shell(
            "stty -a",
            # VINTR ^T, VERASE disabled, ECHO off, ICRNL off, IUTF8 on, CS7 (a pty stays at 8),
            # 38400 both ways, and a number that nobody knows.
            modes=modes((1, 20), (3, 255), (53, 0), (36, 0), (42, 1), (90, 1), (128, 38400),
                        (129, 38400), (99, 7), (61, 0)))
        self.end(client)
        told = client.output.decode()
        for what in ("intr = ^T", "erase = <undef>", "-echo ", "-icrnl", " iutf8", "speed 38400", "-echoke"):
            self.assertIn(what, told)

    def test_modes_that_are_nonsense(self):
        for bytes_ in (b"", b"\0", b"\1", b"\1\0\0", b"\xa0\0\0\0\1\0", b"\1\xff\xff\xff\xff" * 40,
                       os.urandom(300)):
            with self.subTest(modes=bytes_):
                client = self.shell("true", modes=bytes_)
                self.end(client)

    def test_size(self):
        client = self.shell(
            "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done")
        self.expect(client, b"24 80\r\n")
        client.resize(100, 30)
        self.expect(client, b"30 100\r\n")
        before = client.output.count(b"30 100")
        # Nothing has changed, but a program is to draw anew.
        client.resize(100, 30, redraw=1)
        client.until(lambda: client.output.count(b"30 100") > before, "SIGWINCH")
        client.resize(0xFFFFFFFF, 0x10000)
        self.expect(client, b"65535 65535")
        client.leave(1)

    def test_size_without_a_terminal_and_break(self):
        client = Client()
        client.start("cat")
        client.resize(10, 10, redraw=1)
        client.put(numbers(BREAK, 500))
        client.end_input()
        self.end(client)
        client = self.shell("cat")
        client.put(numbers(BREAK, 500))
        client.send(b"x\r\4")
        self.end(client)
        self.assertEqual(client.output, b"x\r\nx\r\n")

    def test_end_of_input_is_nothing_to_a_terminal(self):
        client = self.shell("read x; echo got $x")
        client.end_input()
        time.sleep(0.2)
        self.assertIsNone(client.exit)
        client.leave(1)

    def test_program_that_closes_the_terminal_and_opens_it_again(self):
        client = self.shell("exec <&- >&- 2>&-; sleep 0.3; echo again >/dev/tty; exit 6")
        self.end(client, 6)
        self.assertEqual(client.output, b"again\r\n")

    def test_hang_up(self):
        """BYE 1 is what closing the window is: the shell and its job get SIGHUP."""
        client = self.shell()
        client.send(b"(trap 'echo hup >>%s/hup; exit' HUP; echo $$ up; while :; do sleep 0.1; done)\r"
                    % bytes(ground.HOME))
        client.until(lambda: client.output.count(b" up") > 1)
        client.leave(1)
        self.comes((ground.HOME / "hup").exists, "SIGHUP")
        (ground.HOME / "hup").unlink()

    def test_flood(self):
        """Lots of output over a link that breaks."""
        client = self.shell("stty raw -echo; head -c 3000000 /dev/zero")
        client.until(lambda: len(client.output) > 500_000)
        client.drop()
        client.attach(via="socket")
        client.finished()
        self.assertEqual(client.output.count(b"\0"), 3000000)
        client.leave()

    def test_nobody_reads_it_any_more(self):
        client = self.shell("yes | head -c 5000000; exit 7")
        client.until(lambda: len(client.output) > 10000)
        client.close_output()
        self.end(client, 7)
        self.assertLess(len(client.output), 5_000_000)


@ground.needs_root("covers files in /etc and /run")
class Greeting(Case):
    def greeting(self, flags=PTY | MOTD, kind=SHELL):
        client = Client()
        client.start("true", kind=kind, flags=flags, size=(80, 24, 0, 0), term="xterm")
        client.send(b"PS1=; exit\r" if kind == SHELL else b"")
        client.finished()
        client.leave()
        return client.output.decode().replace("\r\n", "\n")

    def cover(self, path, text):
        made = not os.path.exists(path)
        if made:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "w").close()
            self.addCleanup(os.unlink, path)
        ground.cover(path, text)
        self.addCleanup(ground.uncover, path)

    def test_motd_and_last_login(self):
        self.cover("/etc/motd", "static\n")
        self.cover("/run/motd.dynamic", "dynamic\n")
        self.cover("/etc/motd.d/50-second", "second\n")
        self.cover("/usr/lib/motd.d/10-first", "first\n")
        self.cover("/usr/lib/motd.d/50-second", "covered by that in /etc\n")
        then = int(time.time()) - 86400
        record = struct.pack("=I32s256s", then, b"pts/0", b"198.51.100.7")
        with open("/tmp/lastlog", "wb") as file:
            file.seek(292 * ground.UID)
            file.write(record)
        os.chmod("/tmp/lastlog", 0o644)
        made = not os.path.exists("/var/log/lastlog")
        if made:
            open("/var/log/lastlog", "w").close()
        subprocess.run(["mount", "--bind", "/tmp/lastlog", "/var/log/lastlog"], check=True)
        try:
            told = self.greeting()
            last = f"Last login: {time.ctime(then)} from 198.51.100.7\n"
            self.assertIn("dynamic\nstatic\nfirst\nsecond\n" + last, told)
            self.assertNotIn("covered", told)
            # Not for a command, nor when it is not wanted.
            self.assertEqual(self.greeting(kind=COMMAND), "")
            self.assertNotIn("static", self.greeting(flags=PTY))
            (ground.HOME / ".hushlogin").touch()
            try:
                self.assertNotIn("static", self.greeting())
            finally:
                (ground.HOME / ".hushlogin").unlink()
            # The login that carries this session is no last login.
            with open("/tmp/lastlog", "r+b") as file:
                file.seek(292 * ground.UID)
                file.write(struct.pack("=I", int(time.time())))
            self.assertNotIn("Last login", self.greeting())
        finally:
            ground.uncover("/var/log/lastlog")
            if made:
                os.unlink("/var/log/lastlog")

    def test_home_that_is_not_there(self):
        text = open("/etc/passwd").read().replace(f":{ground.HOME}:", ":/tmp/nowhere:")
        self.cover("/etc/passwd", text)
        client = Client()
        self.assertEqual(client.run("pwd"), 0)
        self.assertEqual(client.output, b"/\n")
        self.assertEqual(
            client.error,
            b"Could not chdir to home directory /tmp/nowhere: No such file or directory\n")

    def test_shell_that_is_not_there(self):
        text = open("/etc/passwd").read().replace(f"{ground.HOME}:/bin/sh", f"{ground.HOME}:/bin/no")
        self.cover("/etc/passwd", text)
        client = Client()
        self.assertEqual(client.run("pwd"), 1)
        self.assertIn(b"/bin/no: [Errno 2] No such file or directory", client.error)

    def test_account_that_is_not_there(self):
        text = open("/etc/passwd").read().replace("tester:", "nobody-else:").replace(
            f":{ground.UID}:", ":9999:")
        self.cover("/etc/passwd", text)
        client = Client()
        with self.assertRaises(Refused) as caught:
            client.run("pwd")
        self.assertEqual(caught.exception.code, 7)


class Agents(Case):
    def test_link_follows_the_newest_login(self):
        client = Client(env=ground.environment(SSH_AUTH_SOCK="/tmp/agent.1"))
        client.start('echo "$SSH_AUTH_SOCK"; cat', flags=8)
        client.until(lambda: client.output.endswith(b"\n"))
        path = client.output.decode().strip()
        self.assertEqual(os.path.dirname(path), str(ground.PLACE))
        self.assertEqual(os.readlink(path), "/tmp/agent.1")
        client.drop()
        client.env = ground.environment(SSH_AUTH_SOCK="/tmp/agent.2")
        client.attach()
        client.greeted()
        self.assertEqual(os.readlink(path), "/tmp/agent.2")
        # A login without an agent changes nothing, nor does one over the socket.
        client.env = None
        for via in "exec", "socket":
            client.attach(via=via)
            client.greeted()
            self.assertEqual(os.readlink(path), "/tmp/agent.2")
        client.end_input()
        client.finished()
        client.leave()
        self.assertEqual(os.listdir(ground.PLACE), [])

    def test_agent_of_the_login_without_the_flag(self):
        client = Client(env=ground.environment(SSH_AUTH_SOCK="/tmp/agent.1"))
        client.run('echo "$SSH_AUTH_SOCK"')
        self.assertEqual(client.output, b"/tmp/agent.1\n")


if __name__ == "__main__":
    unittest.main()
