"""A command over the remote half: what it is given, what it gives, how it ends."""

import os
import shutil
import subprocess
import unittest

import ground
from reference import BODY, SUBSYSTEM, Case, Client, Link, Refused, bootstrap


class Commands(Case):
    def test_output_error_and_exit(self):
        client = Client()
        self.assertEqual(client.run("cat; echo no >&2; exit 7", b"input"), 7)
        self.assertEqual(client.output, b"input")
        self.assertEqual(client.error, b"no\n")

    def test_nothing_is_left_when_all_was_taken(self):
        client = Client()
        client.run("true")
        self.assertEqual(client.welcome["flags"], 1)
        self.assertEqual(os.listdir(ground.PLACE), [])
        self.gone(client.welcome["pid"])

    def test_signal_as_exit(self):
        client = Client()
        self.assertEqual(client.run("kill -TERM $$"), ("TERM", 0))
        client = Client()
        self.assertEqual(client.run("ulimit -c 0; kill -ABRT $$"), ("ABRT", 0))

    def test_signal_to_the_group(self):
        client = Client()
        client.start("trap 'echo told; exit 5' USR1; echo ready; while :; do sleep 0.1; done")
        client.until(lambda: b"ready" in client.output)
        client.signal("USR1")
        self.assertEqual(client.finished(), 5)
        self.assertEqual(client.output, b"ready\ntold\n")
        client.leave()

    def test_unknown_signals_do_nothing(self):
        client = Client()
        client.start("cat; exit 4")
        for name in ("NOPE", "_DFL", "_IGN", "_BLOCK", "", "HUP\0", "INT INT"):
            client.signal(name)
        client.end_input()
        self.assertEqual(client.finished(), 4)
        client.leave()

    def test_command_gets_what_sshd_gives(self):
        client = Client(env=ground.environment(FROM_SSHD="1"))
        client.run(
            'echo "$FROM_SSHD $LANG $X"; pwd; umask; ulimit -n; '
            'echo "$0"; ps -o sid=,pgid= -p $$ | while read s g; do '
            '[ "$s" = $$ ] && [ "$g" = $$ ] && echo own; done',
            variables=[("LANG", "C.UTF-8"), ("X", "a b")])
        plain = subprocess.run(
            ["sh", "-c", "umask; ulimit -n"], stdout=subprocess.PIPE, check=True)
        umask, files = plain.stdout.decode().split()
        self.assertEqual(
            client.output.decode().splitlines(),
            ["1 C.UTF-8 a b", str(ground.HOME), umask, files, "sh", "own"])

    def test_nothing_private_is_seen_by_others(self):
        client = Client(env=ground.environment(SSH_AUTH_SOCK="/tmp/agent-1"))
        client.start("cat /proc/self/environ; ps -ww -e -o args; echo done; cat", flags=8)
        client.until(lambda: b"done" in client.output)
        seen = bytes(client.output)
        pid = client.welcome["pid"]
        for end in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{end}", "rb") as file:
                seen += file.read()
        client.end_input()
        client.finished()
        client.leave()
        self.assertIn(b"SSH_AUTH_SOCK", seen)
        for key in (client.id, client.secret):
            self.assertNotIn(key, seen)
            self.assertNotIn(key.hex().encode(), seen)

    def test_descriptors_are_the_three(self):
        client = Client()
        client.run("ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status")
        plain = subprocess.run(
            ["sh", "-c", "ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True,
            restore_signals=True)
        self.assertEqual(client.output, plain.stdout)

    def test_end_of_input_leaves_output_open(self):
        client = Client()
        client.start("cat >/dev/null; echo after")
        client.end_input()
        self.assertEqual(client.finished(), 0)
        self.assertEqual(client.output, b"after\n")
        client.leave()

    def test_input_that_nobody_reads_is_put_down(self):
        client = Client(window=65536)
        client.start("exec <&-; echo closed; while [ ! -e go ]; do sleep 0.05; done; rm go; exit 3")
        client.until(lambda: client.output == b"closed\n")
        # More than the window: credit must come back although nobody reads.
        for _ in range(4):
            credit = client.input_credit
            client.send(bytes(40000))
            client.until(lambda before=credit: client.input_credit > before, "credit")
        (ground.HOME / "go").touch()
        self.assertEqual(client.finished(), 3)
        client.leave()

    def test_a_shell_that_closes_its_descriptors(self):
        client = Client()
        client.start("exec <&- >&- 2>&-; sleep 0.2; exit 9")
        client.until(lambda: client.ended)
        self.assertEqual(client.finished(), 9)
        client.leave()

    def test_exit_comes_while_others_hold_the_output(self):
        client = Client()
        client.start("exec 3<&0; (cat <&3 >/dev/null; echo late) & exit 2")
        client.until(lambda: client.exit is not None, "exit")
        self.assertEqual((client.exit, client.ended), (2, False))
        client.end_input()
        client.until(lambda: client.ended, "EOF")
        self.assertEqual(client.output, b"late\n")
        client.leave()

    def test_broken_pipe(self):
        """CLOSE 0: nobody reads standard output any more, as in `ssh host yes | head`."""
        client = Client()
        client.start("yes; echo status $? >&2")
        client.until(lambda: len(client.output) > 100_000)
        client.close_output()
        client.until(lambda: client.exit is not None and client.ended)
        self.assertEqual(client.error, b"status 141\n")
        client.leave()

    def test_output_that_does_not_end_with_a_line(self):
        client = Client()
        client.run("printf '\\000\\377%s' x")
        self.assertEqual(client.output, b"\0\xffx")

    def test_a_command_longer_than_any_argument(self):
        client = Client()
        self.assertEqual(client.run(": " + "x" * 200_000), 1)
        self.assertIn(b"Argument list too long", client.error)

    def test_subsystem(self):
        client = Client()
        client.start("sftp", kind=SUBSYSTEM)
        # SSH_FXP_INIT, version 3.
        client.send(b"\0\0\0\5\1\0\0\0\3")
        client.until(lambda: client.output[4:9] == b"\2\0\0\0\3", "SSH_FXP_VERSION")
        client.end_input()
        self.assertEqual(client.finished(), 0)
        client.leave()
        client = Client()
        client.start("nothing", kind=SUBSYSTEM)
        with self.assertRaises(Refused) as caught:
            client.greeted()
        self.assertEqual(caught.exception.code, 7)
        self.assertEqual(os.listdir(ground.PLACE), [])


class Shells(Case):
    """The exec request's line under the shells that a user may have."""

    def test_every_shell(self):
        ran = []
        for shell in ("sh", "bash", "dash", "zsh", "fish", "tcsh", "csh", "ksh", "busybox"):
            path = shutil.which(shell)
            if not path:
                print(f"\n{shell}: not on this machine", end="")
                continue
            with self.subTest(shell=shell):
                argv = (path, "sh") if shell == "busybox" else (path,)
                client = Client(shell=argv)
                self.assertEqual(client.run('cat; exit 3', b"x"), 3)
                self.assertEqual(client.output, b"x")
                ran.append(shell)
        self.assertIn("sh", ran)

    def test_noise_before_the_magic_line(self):
        (ground.HOME / ".bashrc").write_text("echo 'Welcome!'; echo EC2SH-RESUM; echo EC2SH-\n")
        self.addCleanup((ground.HOME / ".bashrc").unlink)
        # bash reads it for commands that sshd starts.
        client = Client(shell=("/bin/bash", "--rcfile", str(ground.HOME / ".bashrc"), "-i"))
        self.assertEqual(client.run("exit 3"), 3)

    def test_no_python(self):
        link = Link.exec(python="/nonexistent/python3 /nor/this")
        self.assertEqual(link.reap(), 0)
        self.assertEqual(os.read(link.reader, 1000), b"EC2SH-RESUME none\n")
        link.close()

    def test_neither_line_nor_body_hold_the_magic(self):
        self.assertNotIn("EC2SH-RESUME", bootstrap())
        self.assertNotIn(b"EC2SH-RESUME", BODY)
        for mark in "'!\\\n":
            self.assertEqual(bootstrap().count(mark), 2 if mark == "'" else 0)

    def test_a_shell_stops_at_the_body(self):
        """A forced command that is a shell takes the body for its script."""
        shells = [shell for shell in ("sh", "bash", "dash", "zsh", "tcsh") if shutil.which(shell)]
        for shell in shells:
            with self.subTest(shell=shell):
                done = subprocess.run([shell], input=BODY + b"\necho alive\n",
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertIn(done.returncode, (97, 159, 2))
                self.assertEqual(done.stdout, b"")
                self.assertNotIn(b"not found", done.stderr)


class Pythons(Case):
    def test_every_version(self):
        missing = [version for version in ground.VERSIONS if version not in ground.PYTHONS]
        if missing:
            print(f"\nPython {', '.join(missing)}: not on this machine", end="")
        for version, path in ground.PYTHONS.items():
            with self.subTest(version=version):
                client = Client(
                    python=path, env=ground.environment(**ground.libraries(path)))
                client.start("cat; echo err >&2; exit 7")
                client.greeted()
                client.send(b"one ")
                client.until(lambda: client.output == b"one ")
                client.drop()
                client.send(b"two ")
                client.attach()
                client.until(lambda: client.output == b"one two ")
                client.drop()
                client.attach(via="socket")
                client.send(b"three")
                client.end_input()
                self.assertEqual(client.finished(), 7)
                self.assertEqual((client.output, client.error), (b"one two three", b"err\n"))
                client.leave()



if __name__ == "__main__":
    unittest.main()
