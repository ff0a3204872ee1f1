"""What a session costs: memory and time when idle, when full, and when nobody comes back."""

import os
import time
import unittest

import ground
from reference import DROP, PING, PTY, SHELL, Case, Client, frame

# Kilobytes. A Python alone takes 7,000 to 10,000.
IDLE = 12 * 1024
ORPHANS = 100 if ground.LONG else 25


def status(pid):
    """Resident kilobytes, and those at most so far."""
    with open(f"/proc/{pid}/status") as file:
        values = dict(line.split(":", 1) for line in file if ":" in line)
    return int(values["VmRSS"].split()[0]), int(values["VmHWM"].split()[0])


def ticks(pid):
    """Processor time so far, in hundredths of a second, and how often it has run."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/status") as file:
        switches = sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return int(fields[11]) + int(fields[12]), switches


class Cost(Case):
    def test_idle(self):
        client = Client()
        client.start("", kind=SHELL, flags=PTY, size=(80, 24, 0, 0), term="xterm")
        client.greeted()
        client.send(b"echo ready\r")
        client.until(lambda: client.output.count(b"ready") > 1)
        pid = client.welcome["pid"]
        for what in "with a link", "without":
            with self.subTest(what=what):
                # No timer: there is a second in which it is not even woken. The first may have the
                # end of what the shell had to print.
                for _ in range(5):
                    before = ticks(pid)
                    time.sleep(1)
                    after = ticks(pid)
                    if after == before:
                        break
                self.assertEqual(after, before)
                self.assertLess(status(pid)[0], IDLE)
                if what == "with a link":
                    client.drop()
                    self.comes(lambda: ticks(pid)[1] > after[1], "loss of the link")
                    time.sleep(0.3)

    def test_full(self):
        window = 8 << 20
        client = Client(window=window)
        client.start("head -c 100000000 /dev/zero", flags=DROP)
        client.greeted()
        pid = client.welcome["pid"]
        client.credits = False
        client.until(lambda: len(client.output) >= window)
        client.drop()
        # The rings: what was sent and is not credited, and what waits.
        self.comes(lambda: self.quiet(pid), "full buffers")
        self.assertLess(status(pid)[1], IDLE + 2 * window // 1024)
        self.assertGreater(status(pid)[0], 2 * window // 1024)
        client.credits = True
        client.attach()
        client.credit()
        client.finished()
        client.say(frame(PING, bytes(8)))
        client.until(lambda: client.pongs)
        self.assertEqual(len(client.output) + client.skipped, 100_000_000)
        # And back again.
        self.assertLess(status(pid)[0], IDLE + 1500)
        client.leave()

    @staticmethod
    def quiet(pid):
        before = ticks(pid)
        time.sleep(0.5)
        return ticks(pid)[1] == before[1]

    def test_input_that_is_not_read(self):
        window = 8 << 20
        client = Client(window=window)
        client.start("exec sleep 1000")
        client.greeted()
        client.send(bytes(window))
        client.until(lambda: not client.backlog)
        self.assertLess(status(client.welcome["pid"])[1], IDLE + 1500 + window // 1024)
        client.leave(1)

    def test_orphans(self):
        """Many sessions that nobody comes back to take no time, and are gone at theirs."""
        clients = []
        for _ in range(ORPHANS):
            client = Client()
            client.start("exec sleep 1000", timeout=6)
            clients.append(client)
        for client in clients:
            client.greeted()
            client.say(frame(PING, bytes(8)))
            client.until(lambda client=client: client.pongs)
            client.drop()
        last = time.monotonic()
        pids = [client.welcome["pid"] for client in clients]
        runs = []
        for pid in pids:
            try:
                before = ticks(pid)
                time.sleep(0.05)
                runs.append(ticks(pid)[1] - before[1])
            except OSError:
                # On a slow machine the first are gone by now.
                pass
        self.assertTrue(runs)
        # None has run, but for one whose time it was.
        self.assertLessEqual(sum(runs), 3)
        for pid in pids:
            self.gone(pid)
        self.assertLess(time.monotonic() - last, 30)
        self.assertEqual(os.listdir(ground.PLACE), [])


if __name__ == "__main__":
    unittest.main()
