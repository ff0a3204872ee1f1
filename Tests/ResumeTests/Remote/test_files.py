"""What happens to the files of a session, by accident or on purpose, and what the host denies."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

import ground
from reference import AGENT, PING, Case, Client, Refused, frame

OTHER_PLACE = ground.HOME / ".ec2sh" / "run"


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


class Files(Case):
    def setUp(self):
        super().setUp()
        shutil.rmtree(ground.HOME / ".ec2sh", ignore_errors=True)
        self.addCleanup(shutil.rmtree, ground.HOME / ".ec2sh", ignore_errors=True)
        self.addCleanup((ground.HOME / "never-run").unlink, missing_ok=True)

    def session(self, command="cat", **more):
        client = Client(**more)
        client.start(command)
        client.greeted()
        return client

    def refusal(self, client=None, mode=1, command="touch never-run", **more):
        client = client or Client(**more)
        client.generation += 1
        if mode == 1:
            client.start(command)
        else:
            client.attach(mode)
        with self.assertRaises(Refused) as caught:
            client.greeted()
        self.assertFalse((ground.HOME / "never-run").exists())
        return caught.exception

    def works(self, client):
        """Output, error, exit, over links of both kinds."""
        client.send(b"1")
        client.until(lambda: client.output == b"1")
        for via in "exec", "socket":
            client.drop()
            client.attach(via=via)
            client.greeted()
        client.send(b"2")
        client.end_input()
        self.assertEqual(client.finished(), 0)
        self.assertEqual(client.output, b"12")
        client.leave()

    # -- Planted

    @ground.needs_root("acts for another account")
    def test_planted_directories(self):
        """What somebody else may have put at our place in /tmp is not used."""
        target = pathlib.Path("/tmp/target")
        rows = {
            "a symbolic link to one of ours": (
                lambda: (target.mkdir(0o700), os.chown(target, ground.TESTER, ground.TESTER),
                         ground.PLACE.symlink_to(target))),
            "a dangling link": lambda: ground.PLACE.symlink_to("/tmp/nowhere"),
            "somebody else's": lambda: (
                ground.PLACE.mkdir(0o700), os.chown(ground.PLACE, ground.STRANGER, 0)),
            "somebody else's, open": lambda: (
                ground.PLACE.mkdir(), ground.PLACE.chmod(0o1777),
                os.chown(ground.PLACE, ground.STRANGER, 0)),
            "ours, for the group": lambda: (
                ground.PLACE.mkdir(), ground.PLACE.chmod(0o770),
                os.chown(ground.PLACE, ground.TESTER, ground.STRANGER)),
            "ours, for others to look": lambda: (
                ground.PLACE.mkdir(), ground.PLACE.chmod(0o711),
                os.chown(ground.PLACE, ground.TESTER, ground.TESTER)),
            "a file": ground.PLACE.touch,
            "a pipe": lambda: os.mkfifo(ground.PLACE),
        }
        for what, plant in rows.items():
            with self.subTest(what=what):
                plant()
                before = os.lstat(ground.PLACE)
                client = self.session()
                self.assertEqual(os.path.dirname(client.path.decode()), str(OTHER_PLACE))
                self.assertEqual(os.stat(OTHER_PLACE).st_mode & 0o777, 0o700)
                self.works(client)
                self.assertEqual(os.lstat(ground.PLACE)[:6], before[:6])
                self.assertEqual(list(target.iterdir()) if target.exists() else [], [])
                if ground.PLACE.is_dir() and not ground.PLACE.is_symlink():
                    shutil.rmtree(ground.PLACE)
                else:
                    ground.PLACE.unlink()
                shutil.rmtree(target, ignore_errors=True)

    def test_no_private_directory_at_all(self):
        ground.PLACE.touch()
        self.addCleanup(ground.PLACE.unlink)
        (ground.HOME / ".ec2sh").touch()
        self.addCleanup((ground.HOME / ".ec2sh").unlink)
        self.assertEqual(self.refusal().code, 7)

    def test_planted_files(self):
        """The same account can do worse; but nothing hangs, runs twice or falls over."""
        ground.PLACE.mkdir(0o700)
        if ground.ISOLATED:
            os.chown(ground.PLACE, ground.TESTER, ground.TESTER)
        rows = {
            "a pipe": (lambda path: os.mkfifo(path, 0o644), 9, {7, 9, 3, 4}),
            "a directory": (lambda path: path.mkdir(), 9, {7, 9}),
            "a link to nothing": (lambda path: path.symlink_to("/tmp/nowhere"), 9, {7, 9}),
            "rubbish": (lambda path: path.write_bytes(os.urandom(5000)), 4, {4}),
            "old and empty": (lambda path: (path.touch(), os.utime(path, (1, 1))), 4, {3, 4}),
            "new and empty": (lambda path: path.touch(), 9, {9}),
        }
        for what, (plant, _, codes) in rows.items():
            with self.subTest(what=what):
                client = Client()
                path = ground.PLACE / f"{client.id.hex()}.started"
                plant(path)
                self.assertIn(self.refusal(client).code, codes)
                self.assertTrue(os.path.lexists(path))
        with self.subTest("an exit that is none"):
            client = Client()
            (ground.PLACE / f"{client.id.hex()}.started").write_bytes(b"x")
            (ground.PLACE / f"{client.id.hex()}.exit").write_bytes(b"-1\xff")
            self.assertEqual(self.refusal(client).code, 4)

    @ground.needs_root("acts for another account")
    def test_other_accounts_at_the_socket(self):
        client = self.session()
        path = client.path.decode()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o700)
        with ground.account(ground.STRANGER), self.assertRaises(PermissionError):
            socket.socket(socket.AF_UNIX).connect(path)
        # Neither if the directory were open, nor for root, who can be told from us.
        ground.PLACE.chmod(0o777)
        os.chmod(path, 0o777)
        for uid in ground.STRANGER, 0:
            with self.subTest(uid=uid):
                sock = socket.socket(socket.AF_UNIX)
                with ground.account(uid):
                    sock.connect(path)
                    sock.settimeout(30)
                    try:
                        sock.sendall(client.hello(2, generation=9))
                        self.assertEqual(sock.recv(100), b"")
                    except (ConnectionResetError, BrokenPipeError):
                        pass
                sock.close()
        ground.PLACE.chmod(0o700)
        self.works(client)

    def test_many_who_say_nothing_at_the_socket(self):
        client = self.session()
        idle = []
        for _ in range(60):
            sock = socket.socket(socket.AF_UNIX)
            with ground.account():
                sock.connect(client.path)
            idle.append(sock)
        client.say(frame(PING, bytes(8)))
        client.until(lambda: client.pongs)
        self.comes(lambda: len(os.listdir(f"/proc/{client.welcome['pid']}/fd")) < 30,
                   "end of those who wait")
        self.works(client)
        for sock in idle:
            sock.close()

    # -- Removed

    def test_removed_files(self):
        rows = {
            "the directory": lambda client: shutil.rmtree(ground.PLACE),
            "the socket": lambda client: os.unlink(client.path),
            "the claim": lambda client: os.unlink(
                ground.PLACE / f"{client.id.hex()}.started"),
            "all that is in it": lambda client: [path.unlink() for path in ground.PLACE.iterdir()],
        }
        for what, remove in rows.items():
            with self.subTest(what=what):
                client = Client(env=ground.environment(SSH_AUTH_SOCK="/tmp/a"))
                client.start("cat", flags=AGENT)
                client.greeted()
                remove(client)
                # The link is not disturbed.
                client.send(b"0")
                client.until(lambda client=client: client.output == b"0")
                client.output.clear()
                client.drop()
                self.comes(lambda client=client: os.path.exists(client.path), "socket")
                client.attach()
                self.works(client)
                self.assertEqual(os.listdir(ground.PLACE), [])

    def test_removed_and_taken_by_somebody_else(self):
        client = self.session()
        shutil.rmtree(ground.PLACE)
        ground.PLACE.symlink_to("/tmp/nowhere")
        self.addCleanup(ground.PLACE.unlink)
        client.drop()
        client.path = os.fsencode(OTHER_PLACE / f"{client.id.hex()}.s")
        self.comes(lambda: os.path.exists(client.path), "socket")
        client.attach()
        self.works(client)

    def test_socket_that_is_removed_while_nobody_is_there(self):
        client = self.session()
        client.drop()
        time.sleep(0.2)
        os.unlink(client.path)
        client.attach()
        client.greeted()
        self.works(client)

    def test_files_are_kept_young(self):
        client = self.session()
        paths = list(ground.PLACE.iterdir())
        self.assertEqual(len(paths), 2)
        for path in paths:
            os.utime(path, (1, 1))
        client.drop()
        for path in paths:
            self.comes(lambda path=path: path.stat().st_mtime > time.time() - 3600, f"new {path}")

    def test_sweep(self):
        """A start removes what is old and dead, and nothing else."""
        live, dead, young = self.session(), self.session(), self.session("exit 3")
        stopped = live.welcome["pid"]
        for client in dead, young:
            os.kill(client.welcome["pid"], signal.SIGKILL)
            self.gone(client.welcome["pid"])
        (ground.PLACE / "agent.1").symlink_to("/tmp/x")
        week = time.time() - 8 * 86400
        for path in ground.PLACE.iterdir():
            if young.id.hex() not in path.name:
                os.utime(path, (week, week), follow_symlinks=False)
        self.session().leave(1)
        names = {path.name for path in ground.PLACE.iterdir()}
        self.assertEqual(
            {name for name in names if live.id.hex() not in name and young.id.hex() not in name},
            set())
        for client in live, young:
            self.assertIn(f"{client.id.hex()}.started", names)
        self.assertTrue(os.path.exists(f"/proc/{stopped}"))
        self.works(live)

    # -- Denied

    @ground.needs_root("mounts a full disk")
    def test_full_disk(self):
        for where in "elsewhere room", "full everywhere":
            with self.subTest(where=where):
                places = [ground.PLACE] if where == "elsewhere room" else [
                    ground.PLACE, OTHER_PLACE]
                for place in places:
                    subprocess.run(["mkdir", "-p", str(place)], preexec_fn=ground.become,
                                   check=True)
                    mount("-t", "tmpfs", "-o",
                          f"size=8k,mode=700,uid={ground.TESTER},gid={ground.TESTER}",
                          "tmpfs", place)
                    with open(place / "filler", "wb") as file, self.assertRaises(OSError):
                        while True:
                            os.write(file.fileno(), bytes(4096))
                if len(places) == 1:
                    client = self.session()
                    self.assertEqual(os.path.dirname(client.path.decode()), str(OTHER_PLACE))
                    self.works(client)
                else:
                    self.assertEqual(self.refusal().code, 7)
                for place in places:
                    self.assertEqual(os.listdir(place), ["filler"])
                    ground.uncover(place)

    @ground.needs_root("fills a disk")
    def test_disk_that_fills_up_later(self):
        subprocess.run(["mkdir", str(ground.PLACE)], preexec_fn=ground.become, check=True)
        mount("-t", "tmpfs", "-o", f"size=16k,mode=700,uid={ground.TESTER},gid={ground.TESTER}",
              "tmpfs", ground.PLACE)
        try:
            client = self.session("cat; exit 4")
            with open(ground.PLACE / "filler", "wb") as file, self.assertRaises(OSError):
                while True:
                    os.write(file.fileno(), bytes(4096))
            client.end_input()
            self.assertEqual(client.finished(), 4)
            client.drop()
            client.attach()
            client.greeted()
            client.leave()
            self.assertEqual(os.listdir(ground.PLACE), ["filler"])
        finally:
            ground.uncover(ground.PLACE)

    @ground.needs_root("mounts things")
    def test_home_that_is_read_only_and_noexec(self):
        mount("--bind", ground.HOME, ground.HOME)
        mount("-o", "remount,bind,ro,noexec", ground.HOME)
        try:
            self.works(self.session())
        finally:
            ground.uncover(ground.HOME)

    @ground.needs_root("mounts things")
    def test_tmp_that_is_noexec(self):
        subprocess.run(["mkdir", "-m", "700", str(ground.PLACE)], preexec_fn=ground.become,
                       check=True)
        mount("--bind", ground.PLACE, ground.PLACE)
        mount("-o", "remount,bind,noexec,nosuid,nodev", ground.PLACE)
        try:
            self.works(self.session())
        finally:
            ground.uncover(ground.PLACE)

    def test_limits(self):
        """What the account may not do is refused before anything runs, or does no harm."""
        rows = ["fsize=0", "nofile=12"]
        if ground.ISOLATED:
            rows.append("nproc=1")
        for limit in rows:
            with self.subTest(limit=limit):
                shell = ("/usr/bin/prlimit", f"--{limit}", "/bin/sh")
                self.assertEqual(self.refusal(shell=shell).code, 7)
                self.assertEqual(
                    [p for place in (ground.PLACE, OTHER_PLACE) if place.exists()
                     for p in os.listdir(place)], [])

    # -- Signals

    def test_signals_do_not_end_it(self):
        client = self.session()
        pid = client.welcome["pid"]
        for number in signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGUSR1:
            if number != signal.SIGUSR1:
                os.kill(pid, number)
        client.say(frame(PING, bytes(8)))
        client.until(lambda: client.pongs)
        # A session of its own, so that nothing sent to the login's group comes to it.
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        self.assertEqual(fields[2], str(pid))
        self.assertEqual(fields[3], str(pid))
        self.works(client)

    def test_exec_process_is_killed(self):
        for number in signal.SIGKILL, signal.SIGHUP, signal.SIGTERM:
            client = self.session()
            client.link.process.send_signal(number)
            client.link.reap()
            client.link.close()
            client.attach()
            client.greeted()
            self.works(client)

    def test_stopped_and_continued(self):
        client = self.session()
        os.kill(client.welcome["pid"], signal.SIGSTOP)
        client.send(b"0")
        client.link.close()
        # A start meanwhile waits for it, and the session is the same.
        client.attach(1, tail=client.first)
        time.sleep(0.3)
        os.kill(client.welcome["pid"], signal.SIGCONT)
        self.assertEqual(client.greeted()["flags"], 0)
        client.until(lambda: client.output == b"0")
        client.output.clear()
        client.links[0].reap()
        self.works(client)

    def test_descriptors_0_to_2_are_not_held(self):
        """The exec request's channel can end while the session goes on."""
        client = self.session()
        client.leave(2)
        self.assertEqual(client.link.process.returncode, 0)
        links = [os.readlink(f"/proc/{client.welcome['pid']}/fd/{fd}") for fd in range(3)]
        self.assertEqual(links, ["/dev/null"] * 3)


@ground.needs_root("joins a cgroup, and covers logind.conf")
class Logins(Case):
    """KillUserProcesses of logind: told, not worked around."""

    def setUp(self):
        super().setUp()
        made = None
        for place in "/sys/fs/cgroup/pids", "/sys/fs/cgroup":
            path = pathlib.Path(place) / "session-ec2sh.scope"
            try:
                path.mkdir(exist_ok=True)
                if (path / "cgroup.procs").exists():
                    made = path
                    break
                path.rmdir()
            except OSError:
                pass
        if not made:
            self.skipTest("no cgroup can be made here")
        ground.JOINS.append(str(made / "cgroup.procs"))
        self.addCleanup(self.remove, made)

    def remove(self, path):
        ground.JOINS.clear()
        self.comes(lambda: not (path / "cgroup.procs").read_text(), "empty cgroup")
        path.rmdir()

    def notices(self, files):
        tops = ["/etc/systemd", "/run/systemd"]
        for top in tops:
            os.makedirs(top, exist_ok=True)
            mount("-t", "tmpfs", "tmpfs", top)
        try:
            for path, text in files.items():
                os.makedirs(os.path.dirname(path), exist_ok=True)
                pathlib.Path(path).write_text(text)
            client = Client()
            client.start("cat")
            client.greeted()
            client.say(frame(PING, bytes(8)))
            client.until(lambda: client.pongs)
            client.attach()
            client.until(lambda: client.up)
            client.end_input()
            client.finished()
            client.leave()
            return client.notices
        finally:
            for top in tops:
                ground.uncover(top)

    def test_notice(self):
        yes = [(1, b"KillUserProcesses=yes")] * 2
        main, drop_in = "/etc/systemd/logind.conf", "/etc/systemd/logind.conf.d/10-kill.conf"
        below = "/run/systemd/logind.conf.d/10-kill.conf"
        rows = (
            ({}, []),
            ({main: "[Login]\n#KillUserProcesses=yes\n"}, []),
            ({main: "[Login]\nKillUserProcesses=no\n"}, []),
            ({main: "[Login]\nKillUserProcesses = yes\n"}, yes),
            ({main: "[Login]\nKillUserProcesses=no\n", drop_in: "[Login]\nKillUserProcesses=1\n"}, yes),
            ({drop_in: "[Login]\nKillUserProcesses=no\n", below: "[Login]\nKillUserProcesses=yes\n"},
             []),
            ({below: "[Login]\nKillUserProcesses=on\n"}, yes),
        )
        for files, notices in rows:
            with self.subTest(files=files):
                self.assertEqual(self.notices(files), notices)

    def test_no_notice_outside_a_login(self):
        ground.JOINS.clear()
        self.assertEqual(
            self.notices({"/etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"}), [])


if __name__ == "__main__":
    unittest.main()
