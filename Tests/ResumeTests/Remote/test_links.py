"""Links that come, break at any byte and are replaced: nothing is lost, doubled or run twice."""

import os
import random
import struct
import time
import unittest

import ground
from reference import (
    BODY, BYE, DROP, HELLO, PING, PTY, SHELL, Case, Client, Link, Refused,
    Violation, changed, frame,
)

# The default run takes some of the places; EC2SH_LONG=1 all of them.
STEP = 1 if ground.LONG else 13


def pattern(count, seed=1):
    return random.Random(seed).randbytes(count)


class Cuts(Case):
    """A cut after every so many bytes of one conversation; the command runs once."""

    COMMAND = "echo x >>count; cat; echo err >&2; exit 42"
    INPUT = b"some input\n" * 3

    def setUp(self):
        super().setUp()
        self.count = ground.HOME / "count"
        self.count.unlink(missing_ok=True)

    def finish(self, client, sent):
        """Goes on after a cut until all is done; sent tells whether START can have arrived."""
        tries = 0
        while True:
            tries += 1
            self.assertLess(tries, 50)
            try:
                if client.welcome:
                    client.attach(via=random.choice(("exec", "socket")))
                else:
                    client.attach(1, tail=client.start_frame(self.COMMAND, since=2))
                client.finished()
                client.leave()
                return
            except Refused as refused:
                self.assertEqual(refused.code, 9)
                client.link.close()
                time.sleep(0.05)
            except OSError as fault:
                # The socket of a session that is gone: only after all was taken.
                raise AssertionError(f"cut at {sent}: {fault}") from fault

    def check(self, client, place):
        self.assertEqual(client.exit, 42, place)
        self.assertEqual(client.output, self.INPUT, place)
        self.assertEqual(client.error, b"err\n", place)
        self.assertEqual(self.count.read_text(), "x\n", place)
        self.assertEqual(os.listdir(ground.PLACE), [], place)

    def begin(self):
        self.count.unlink(missing_ok=True)
        client = Client()
        client.send(self.INPUT)
        client.end_input()
        client.start(self.COMMAND)
        return client

    def test_what_the_client_sends(self):
        whole = len(BODY) + len(Client().hello(1)) + len(Client.start_frame(self.COMMAND))
        after = 150
        places = [*range(0, len(BODY), 2500), *range(len(BODY) - 3, whole + after, STEP)]
        for place in places:
            client = self.begin()
            left = place
            try:
                while left > 0 and not (client.exit is not None and client.ended):
                    client.fill()
                    if not client.out:
                        if not client.turn(0.2):
                            break
                        continue
                    piece, rest = client.out[:left], client.out[left:]
                    client.out = piece
                    while client.out and client.turn():
                        pass
                    left -= len(piece) - len(client.out)
                    client.out += rest
            finally:
                client.drop()
            self.finish(client, place)
            self.check(client, f"client's byte {place}")

    def test_what_the_remote_half_sends(self):
        for place in range(0, 260, STEP):
            client = self.begin()
            left, link, take = place, client.link, client.take

            def some(data, client=client, take=take):
                nonlocal left
                data = data[:left]
                left -= len(data)
                take(data)

            client.take = some
            while left > 0 and client.turn(1):
                if client.exit is not None and client.ended:
                    break
            client.take = take
            client.drop()
            self.assertIs(client.link, link)
            self.finish(client, place)
            self.check(client, f"remote half's byte {place}")

    def test_random_cuts_under_load(self):
        """Megabytes both ways at once over links that break after random amounts."""
        random.seed(7)
        size = (64 if ground.LONG else 6) << 20
        data = pattern(size)
        client = Client(window=1 << 19)
        client.start("cat")
        client.greeted()
        fed, cuts, moved = 0, 0, 0
        limit = random.randrange(1000, 1 << 20)
        while len(client.output) < size:
            while fed < size and len(client.backlog) < 1 << 18 and fed - len(client.output) < 1 << 18:
                client.send(data[fed:fed + 32768])
                fed += 32768
            before = client.received
            self.assertTrue(client.turn(30), "the link ended")
            moved += client.received - before
            if moved > limit and len(client.output) < size:
                client.link.close()
                cuts += 1
                moved, limit = 0, random.randrange(1000, 1 << 20)
                client.attach(via=random.choice(("exec", "socket", "socket")))
        client.end_input()
        self.assertEqual(client.finished(), 0)
        client.leave()
        self.assertGreater(cuts, 4)
        self.assertEqual(client.output, data)


class Attaching(Case):
    def start(self, command="cat", **more):
        client = Client(**{key: more.pop(key) for key in ("window",) if key in more})
        client.start(command, **more)
        client.greeted()
        return client

    def test_newest_wins_at_once(self):
        client = self.start()
        old = client.link
        for via in "exec", "socket", "exec", "socket":
            client.attach(via=via)
            client.greeted()
            # The older link is told, and ends without having said a thing to it.
            os.set_blocking(old.reader, True)
            self.assertEqual(os.read(old.reader, 100), frame(BYE, b"\4"))
            self.assertEqual(os.read(old.reader, 100), b"")
            old.close()
            old.reap()
            old = client.link
        client.send(b"still there")
        client.until(lambda: client.output == b"still there")

    def test_newest_wins_over_one_that_reads_nothing(self):
        client = self.start("exec head -c 3000000 /dev/zero")
        old = client.link
        time.sleep(0.2)
        client.attach(via="socket")
        self.assertEqual(client.finished(), 0)
        self.assertEqual(len(client.output), 3_000_000)
        old.close()
        client.leave()

    def test_older_generation_is_refused(self):
        client = self.start()
        for generation in 0, client.generation:
            stranger = Link.socket(client.path)
            self.ask(stranger, client.hello(2, generation=generation), 6)
        client.send(b"x")
        client.until(lambda: client.output == b"x")

    def ask(self, link, data, code, text=None):
        """Sends something on a link of its own, and wants REFUSE."""
        os.set_blocking(link.reader, True)
        os.write(link.writer, data)
        answer = b""
        while True:
            piece = os.read(link.reader, 1000)
            if not piece:
                break
            answer += piece
        link.close()
        link.reap()
        self.assertEqual(answer[:1] + answer[4:5], bytes([4, code]))
        size, = struct.unpack_from(">I", answer, 9)
        self.assertEqual(len(answer), 13 + size, "more than REFUSE came")
        if text is not None:
            self.assertEqual(answer[13:].decode(), text)
        return struct.unpack_from(">I", answer, 5)[0]

    def test_refusals(self):
        client = self.start()
        for via in "exec", "socket":
            def link(via=via):
                if via == "socket":
                    return Link.socket(client.path), b""
                return Link.exec(), BODY

            rows = {
                "wrong secret": (client.hello(2, generation=9, secret=bytes(16)), 5),
                "another version": (client.hello(2, version=2), 1),
                "unknown mode": (client.hello(9, generation=9), 10),
                "acknowledges too much": (client.hello(2, generation=9, received=1 << 40), 10),
                "consumed beyond received": (
                    client.hello(2, generation=9, received=0, consumed=1), 10),
                "short": (frame(HELLO, client.hello(2, generation=9)[4:-1]), 10),
                "long": (frame(HELLO, client.hello(2, generation=9)[4:] + b"x"), 10),
                "no HELLO": (frame(PING, bytes(8)), 10),
                "too long for a frame": (b"\1\xff\xff\xff", 10),
            }
            for what, (data, code) in rows.items():
                with self.subTest(what=what, via=via):
                    ends, body = link()
                    if body:
                        os.set_blocking(ends.reader, True)
                        os.set_blocking(ends.writer, True)
                        os.write(ends.writer, body)
                        self.assertEqual(os.read(ends.reader, 15), b"EC2SH-RESUME 1\n")
                    value = self.ask(ends, data, code)
                    if code == 1:
                        self.assertEqual(value, 1)
        with self.subTest("another id on the socket"):
            self.ask(Link.socket(client.path), client.hello(2, generation=9, id=bytes(16)), 5)
        with self.subTest("another id"):
            stranger = Client()
            stranger.attach()
            with self.assertRaises(Refused) as caught:
                stranger.greeted()
            self.assertEqual(caught.exception.code, 2)
        with self.subTest("another boot"):
            stranger = Client()
            stranger.attach(boot=b"0123")
            with self.assertRaises(Refused) as caught:
                stranger.greeted()
            self.assertEqual(caught.exception.code, 4)
        client.send(b"unharmed")
        client.until(lambda: client.output == b"unharmed")

    def test_pings_are_answered(self):
        client = self.start()
        for number in 1, 0xFFFFFFFFFFFFFFFF, 0:
            client.say(frame(PING, struct.pack(">Q", number)))
            client.until(lambda number=number: number in client.pongs, "PONG")

    def test_start_again_attaches(self):
        client = self.start("echo x >>again; cat")
        for via in "exec", "socket":
            client.drop()
            client.welcome = None
            client.attach(1, via=via, tail=client.start_frame("echo x >>again; cat", since=1))
            self.assertEqual(client.greeted()["flags"], 0)
        client.send(b"x")
        client.until(lambda: client.output == b"x")
        self.assertEqual((ground.HOME / "again").read_text(), "x\n")
        (ground.HOME / "again").unlink()

    def test_detach(self):
        client = self.start()
        client.send(b"before ")
        client.until(lambda: client.output == b"before ")
        client.leave(2)
        client.events.clear()
        client.attach()
        client.send(b"after")
        client.until(lambda: client.output == b"before after")

    def test_bye_on_a_link_that_is_gone(self):
        """The answer reaches nobody; the session ends all the same."""
        for reason in b"\1", b"\3":
            client = self.start()
            client.link.process.stdout.close()
            os.write(client.link.writer, frame(BYE, reason))
            self.gone(client.welcome["pid"])
            client.link.process.stdin.close()
            client.link.reap()
            client.links.clear()
            self.assertEqual(os.listdir(ground.PLACE), [])

    def test_bye_behind_output_that_nobody_reads(self):
        client = self.start("exec cat /dev/zero")
        os.write(client.link.writer, frame(BYE, b"\1"))
        self.gone(client.welcome["pid"])

    def test_end_hangs_up(self):
        client = self.start("exec 2>/dev/null; trap 'echo hup >hup; exit' HUP; echo up; while :; do sleep 0.05; done")
        client.until(lambda: client.output == b"up\n")
        client.leave(1)
        self.gone(client.welcome["pid"])
        self.comes((ground.HOME / "hup").exists, "file hup")
        (ground.HOME / "hup").unlink()
        client.attach()
        with self.assertRaises(Refused) as caught:
            client.greeted()
        self.assertEqual(caught.exception.code, 2)

    def test_two_clients_start_the_same_at_once(self):
        """Only one of two starts of an id runs the command."""
        for _ in range(3):
            clients = [Client(), Client()]
            clients[1].id, clients[1].secret = clients[0].id, clients[0].secret
            clients[1].generation = 1
            for client in clients:
                client.start("echo ran >>twice; cat")
            refused = []
            for client in clients:
                try:
                    client.until(lambda client=client: client.up or client.byes)
                except Refused as refusal:
                    refused.append(refusal.code)
                except ConnectionError:
                    pass
            self.assertLessEqual(set(refused), {6, 9})
            self.comes((ground.HOME / "twice").exists, "file")
            self.assertEqual((ground.HOME / "twice").read_text(), "ran\n")
            (ground.HOME / "twice").unlink()

    def test_join(self):
        client = self.start(
            "cat; echo end >&2; exit 5", window=65536)
        client.credits = False
        client.send(b"first ")
        client.until(lambda: client.output == b"first ")
        client.credit()
        client.send(b"second ")
        client.until(lambda: client.output == b"first second ")
        other = Client()
        other.id, other.secret = client.id, client.secret
        other.attach(3)
        welcome = other.greeted()
        self.assertEqual((welcome["received"], other.window), (0, 65536))
        self.assertGreater(other.generation, client.generation + 60000)
        # What was not credited comes again.
        other.until(lambda: other.output == b"second ")
        other.until(lambda: other.input_credit == 65536, "WINDOW")
        # The older client has lost it.
        client.until(lambda: client.byes == [4], "BYE 4")
        other.send(b"third")
        other.end_input()
        self.assertEqual(other.finished(), 5)
        self.assertEqual((other.output, other.error), (b"second third", b"end\n"))
        other.drop()
        # All of it again for a third, as nothing more was credited... by the second.
        third = Client()
        third.id, third.secret = client.id, client.secret
        third.attach(3)
        self.assertEqual(third.greeted()["flags"], 2)
        self.assertEqual(third.finished(), 5)
        third.leave()
        self.gone(welcome["pid"])

    def test_list(self):
        self.assertEqual(listed(), {})
        client = self.start("cat", kind=2)
        shell = self.start("", kind=SHELL, flags=PTY, size=(80, 24, 0, 0), term="xterm")
        shell.drop()
        told = listed()
        self.assertEqual(set(told), {client.id, shell.id})
        secret, kind, flags, started, away, pid, command = told[client.id]
        self.assertEqual(
            (secret, kind, flags, away, pid, command),
            (client.secret, 2, 2, 0, client.welcome["pid"], b"cat"))
        self.assertLess(abs(time.time() - started), 60)
        self.assertEqual(told[shell.id][1:3], [1, 1])
        client.end_input()
        client.finished()
        self.assertEqual(listed()[client.id][2], 2 | 4)
        # Lost, after it had ended or before.
        for one in client, shell:
            os.kill(one.welcome["pid"], 9)
            self.gone(one.welcome["pid"])
        self.assertEqual(listed()[client.id][2], 8 | 4)
        self.assertEqual(listed()[shell.id][2], 1 | 8)


def listed():
    client = Client()
    client.id = client.secret = bytes(16)
    client.attach(4)
    while client.turn():
        pass
    client.link.close()
    client.link.reap()
    if client.byes != [6]:
        raise Violation("no BYE 6")
    return {fields[0]: fields[1:] for name, fields in client.find("listing")}


class Exits(Case):
    """What is answered once the process or the remote half is gone."""

    def refusal(self, client, mode=2, **more):
        client.attach(mode, **more)
        with self.assertRaises(Refused) as caught:
            client.greeted()
        client.link.close()
        client.link.reap()
        return caught.exception.code, caught.exception.value

    def test_exit_is_kept_until_it_was_taken(self):
        client = Client()
        client.start("echo out; exit 3")
        client.greeted()
        client.drop()
        client.attach()
        self.assertEqual(client.finished(), 3)
        # Received is not taken: it comes again for a link that joins.
        client.drop()
        client.attach()
        client.greeted()
        client.leave()
        self.assertEqual(client.output, b"out\n")
        self.assertEqual(self.refusal(client), (2, 0))

    def test_killed_remote_half(self):
        client = Client()
        client.start("echo x >>killed; cat")
        client.greeted()
        os.kill(client.welcome["pid"], 9)
        while client.turn():
            pass
        client.link.close()
        client.link.reap()
        self.assertEqual(self.refusal(client), (3, 0))
        self.assertEqual(self.refusal(client, 3), (3, 0))
        # Nor is it run again.
        self.assertEqual(self.refusal(client, 1, tail=client.first), (3, 0))
        self.assertEqual((ground.HOME / "killed").read_text(), "x\n")
        (ground.HOME / "killed").unlink()

    def test_killed_remote_half_after_the_exit(self):
        client = Client()
        client.start("exit 200")
        client.until(lambda: client.exit is not None)
        os.kill(client.welcome["pid"], 9)
        self.gone(client.welcome["pid"])
        self.assertEqual(self.refusal(client), (8, 200))
        self.assertEqual(self.refusal(client, 1, tail=client.first), (8, 200))

    def test_host_that_has_rebooted(self):
        client = Client()
        client.start("cat")
        client.greeted()
        os.kill(client.welcome["pid"], 9)
        self.gone(client.welcome["pid"])
        claim = ground.PLACE / f"{client.id.hex()}.started"
        claim.write_bytes(claim.read_bytes().replace(client.boot, b"0" * len(client.boot)))
        self.assertEqual(self.refusal(client), (4, 0))
        self.assertEqual(self.refusal(client, 1, tail=client.first), (4, 0))
        # And with /tmp emptied at boot.
        ground.clean()
        client.boot = b"0000"
        self.assertEqual(self.refusal(client), (4, 0))
        late = client.start_frame("cat", since=0xFFFFFFFF)
        self.assertEqual(self.refusal(client, 1, tail=late), (4, 0))

    def test_told_to_terminate(self):
        client = Client()
        client.start("exec 2>/dev/null; trap 'echo hup >termhup; exit' HUP; echo up; while :; do sleep 0.05; done")
        client.until(lambda: client.output == b"up\n")
        os.kill(client.welcome["pid"], 15)
        client.until(lambda: client.byes == [5], "BYE 5")
        self.gone(client.welcome["pid"])
        client.link.close()
        client.link.reap()
        self.assertEqual(self.refusal(client, 1, tail=client.first), (3, 0))
        self.comes((ground.HOME / "termhup").exists, "file termhup")
        (ground.HOME / "termhup").unlink()

    def test_time_out(self):
        client = Client()
        client.start("cat", timeout=1)
        client.greeted()
        client.say(frame(PING, bytes(8)))
        client.until(lambda: client.pongs)
        client.drop()
        began = time.monotonic()
        self.gone(client.welcome["pid"])
        self.assertGreater(time.monotonic() - began, 0.9)
        self.assertEqual(os.listdir(ground.PLACE), [])
        self.assertEqual(self.refusal(client), (2, 0))

    def test_time_out_of_a_client_that_may_not_know(self):
        """The WELCOME may have been lost: a late START must not run it again."""
        client = Client()
        client.start("echo x >>late; exit 3", timeout=1)
        client.until(lambda: client.up)
        client.link.close()
        self.gone(client.welcome["pid"])
        client.link.reap()
        self.assertEqual(self.refusal(client, 1, tail=client.first), (8, 3))
        self.assertEqual((ground.HOME / "late").read_text(), "x\n")
        (ground.HOME / "late").unlink()

    def test_no_time_out_while_there_is_a_link(self):
        client = Client()
        client.start("cat", timeout=1)
        client.greeted()
        time.sleep(1.5)
        client.send(b"x")
        client.end_input()
        self.assertEqual(client.finished(), 0)
        client.leave()


class Overflow(Case):
    def away(self, flags):
        """A session whose command puts out 3 MB over a window of 64 KiB, without a link."""
        client = Client(window=65536)
        client.start("for i in 1 2 3; do head -c 1000000 /dev/zero | tr '\\0' $i; done; touch full",
                     flags=flags)
        client.greeted()
        client.drop()
        return client

    def test_block(self):
        client = self.away(0)
        time.sleep(0.5)
        self.assertFalse((ground.HOME / "full").exists())
        client.attach()
        client.finished()
        self.assertEqual(client.output, b"1" * 1000000 + b"2" * 1000000 + b"3" * 1000000)
        self.assertEqual(client.skipped, 0)
        client.leave()
        (ground.HOME / "full").unlink()

    def test_drop(self):
        client = self.away(DROP)
        self.comes((ground.HOME / "full").exists, "file full")
        (ground.HOME / "full").unlink()
        client.attach()
        client.finished()
        self.assertGreater(client.skipped, 2_000_000)
        self.assertEqual(len(client.output) + client.skipped, 3_000_000)
        self.assertTrue(client.output.endswith(b"3" * 32768))
        # What was dropped was in the middle: the oldest that had not been sent.
        self.assertEqual(len(client.find("skipped")), 1)
        client.leave()

    def test_link_that_says_nothing(self):
        """After a while it is none: what is put out is dropped, and kept for who comes."""
        for flags in DROP, 0:
            client = Client(window=65536, body=changed({b"SILENCE=60": b"SILENCE=1"}))
            client.start("head -c 1000000 /dev/zero; touch full", flags=flags)
            client.greeted()
            pid = client.welcome["pid"]
            if flags:
                self.comes((ground.HOME / "full").exists, "file")
                (ground.HOME / "full").unlink()
            else:
                time.sleep(1.5)
                self.assertFalse((ground.HOME / "full").exists())
            # And no turning in place meanwhile.
            with open(f"/proc/{pid}/stat") as file:
                before = file.read().split()[13:15]
            time.sleep(0.5)
            with open(f"/proc/{pid}/stat") as file:
                self.assertEqual(file.read().split()[13:15], before)
            client.finished()
            self.assertEqual(len(client.output) + client.skipped, 1000000)
            self.assertEqual(client.skipped > 500000, bool(flags))
            client.leave()
            (ground.HOME / "full").unlink(missing_ok=True)

    def test_drop_and_join(self):
        client = self.away(DROP)
        self.comes((ground.HOME / "full").exists, "file full")
        (ground.HOME / "full").unlink()
        client.credits = False
        client.attach()
        client.until(lambda: client.skipped > 0)
        other = Client(window=65536)
        other.id, other.secret = client.id, client.secret
        other.attach(3)
        other.finished()
        self.assertEqual(other.skipped, client.skipped)
        self.assertTrue(other.output.endswith(b"3" * 32768))
        other.leave()
        client.link.close()
        client.link.reap()

    def test_blocked_by_a_client_that_puts_nothing_down(self):
        client = Client(window=65536)
        client.credits = False
        client.start("head -c 1000000 /dev/zero; exit 3")
        client.until(lambda: len(client.output) == 65536)
        client.say(frame(PING, bytes(8)))
        client.until(lambda: client.pongs)
        self.assertEqual(len(client.output), 65536)
        client.credits = True
        client.credit()
        self.assertEqual(client.finished(), 3)
        self.assertEqual(len(client.output), 1000000)
        client.leave()


if __name__ == "__main__":
    unittest.main()
