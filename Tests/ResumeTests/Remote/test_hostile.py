"""Clients that keep to nothing: an error is answered, nothing grows, and the session lives on."""

import os
import random
import socket
import struct
import unittest

import ground
from reference import (
    ACK, BODY, BREAK, BYE, BYE_OK, CLOSE, DATA, EOF, EXIT, HELLO, L2_DATA, LISTEN, NOTICE, OPEN, OPENED,
    PING, PONG, PTY, REFUSED, SHELL, SIGNAL, SIZE, START, STDERR, UNLISTEN, WELCOME, WINDOW, Case,
    Client, Link, Refused, frame, numbers, string, without_net,
)

ROUNDS = 100_000 if ground.LONG else 1500
# Kilobytes that a remote half may take beyond its buffers.
MEMORY = 16_000


NO_NET = without_net()


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


class Hostile(Case):
    def session(self, **more):
        client = Client(window=65536, body=NO_NET)
        client.start("cat", **more)
        client.greeted()
        return client

    def refused(self, client, data, text=None):
        """What is said on the link that carries the session ends it with REFUSE 10."""
        client.say(data)
        with self.assertRaises(Refused) as caught:
            client.until(lambda: False)
        self.assertEqual(caught.exception.code, 10)
        if text:
            self.assertIn(text, caught.exception.text)
        while client.turn():
            pass
        client.link.close()
        client.link.reap()

    def carry(self, client, inner):
        """DATA with these bytes of the stream."""
        return frame(DATA, struct.pack(">Q", client.sent) + inner)

    def test_errors_of_the_link(self):
        client = self.session()
        q = struct.Struct(">QQ")
        rows = {
            "a gap": frame(DATA, struct.pack(">Q", 1) + b"x"),
            "empty DATA": frame(DATA, struct.pack(">Q", 0)),
            "DATA without its offset": frame(DATA, b"1234567"),
            "an offset beyond all": frame(DATA, struct.pack(">Q", (1 << 64) - 1) + b"x"),
            "ACK of what was not sent": frame(ACK, q.pack(1 << 40, 0)),
            "ACK, consumed beyond received": frame(ACK, q.pack(0, 1)),
            "ACK, short": frame(ACK, bytes(15)),
            "ACK, long": frame(ACK, bytes(17)),
            "PING, short": frame(PING, b""),
            "PONG, long": frame(PONG, bytes(9)),
            "BYE 0": frame(BYE, b"\0"),
            "BYE 4": frame(BYE, b"\4"),
            "BYE, long": frame(BYE, b"\2\2"),
            "BYE-OK, long": frame(BYE_OK, b"x"),
            "another HELLO": client.hello(2, generation=99),
            "START": client.first,
            "START after START": None,
            "WELCOME": frame(WELCOME, bytes(40)),
            "NOTICE": frame(NOTICE, b"\1\0\0\0\0"),
            "type 0": frame(0),
            "type 255": frame(255, b"x"),
            "a long frame": b"\x12\xff\xff\xff",
            "long DATA": struct.pack(">I", DATA << 24 | 65545),
        }
        for what, data in rows.items():
            with self.subTest(what=what):
                client.attach(via="socket")
                if data is None:
                    client.link.close()
                    client.welcome = None
                    client.attach(1, via="socket", tail=client.first)
                    data = client.first
                client.greeted()
                self.refused(client, data)
        client.attach()
        client.send(b"alive")
        client.until(lambda: client.output == b"alive")

    def test_start_is_ignored_only_once_and_only_there(self):
        client = self.session()
        client.drop()
        client.attach(2, via="socket", tail=client.first)
        with self.assertRaises(Refused) as caught:
            client.until(lambda: False)
        self.assertEqual(caught.exception.code, 10)

    def test_errors_in_the_stream(self):
        big = struct.pack(">I", 1 << 24 | 32773)
        rows = {
            "type 0": frame(0, bytes(4)),
            "STDERR": frame(STDERR, bytes(5)),
            "EXIT": numbers(EXIT, 0),
            "type 200": frame(200),
            "no stream": frame(L2_DATA, b"123"),
            "empty DATA": frame(L2_DATA, bytes(4)),
            "DATA after EOF": numbers(EOF, 0) + frame(L2_DATA, bytes(5)),
            "a long frame": big,
            "WINDOW for what was not sent": numbers(WINDOW, 0, 1),
            "WINDOW, short": frame(WINDOW, bytes(4)),
            "EOF, long": frame(EOF, bytes(5)),
            "CLOSE, short": frame(CLOSE, bytes(4)),
            "SIZE, short": frame(SIZE, bytes(16)),
            "SIGNAL, ends early": frame(SIGNAL, b"\0\0\0\4ABC"),
            "SIGNAL, not text": frame(SIGNAL, string(b"\xff\xfe")),
            "BREAK, long": frame(BREAK, bytes(5)),
            "DATA, a stream that never was": frame(L2_DATA, b"\0\0\0\2x"),
            "EOF, a stream that never was": numbers(EOF, 77),
            "WINDOW, a stream that never was": numbers(WINDOW, 0xFFFFFFFF, 1),
            "OPENED, a stream that never was": numbers(OPENED, 1, 1),
            "REFUSED, a stream that never was": frame(REFUSED, struct.pack(">IB", 1, 1) + string("")),
            "OPEN, an odd stream": self.opening(1),
            "OPEN, stream 0": self.opening(0),
            "OPEN twice": self.opening(4) + self.opening(4),
            "OPEN, falling": self.opening(4) + self.opening(2),
            "OPEN, kind 3": self.opening(2, kind=3),
            "OPEN, short": frame(OPEN, self.opening(2)[4:-1]),
            "DATA before OPENED": self.opening(2) + frame(L2_DATA, b"\0\0\0\2x"),
            "OPENED for one's own": self.opening(2) + numbers(OPENED, 2, 1),
            "LISTEN, short": frame(LISTEN, bytes(5)),
            "UNLISTEN, long": frame(UNLISTEN, bytes(5)),
        }
        for what, inner in rows.items():
            with self.subTest(what=what):
                client = self.session()
                self.refused(client, self.carry(client, inner))
                # It comes the same on any link; but who begins anew may go on.
                client.attach(via="socket")
                with self.assertRaises(Refused) as caught:
                    client.greeted()
                self.assertEqual(caught.exception.code, 10)
                client.link.close()
                other = Client(window=65536)
                other.id, other.secret = client.id, client.secret
                other.path = client.path
                other.attach(3, via="socket")
                other.greeted()
                if "EOF" not in what:
                    other.until(lambda other=other: other.input_credit > 0)
                    other.send(b"alive")
                    other.until(lambda other=other: other.output.endswith(b"alive"))
                other.leave(1)

    @staticmethod
    def opening(stream, kind=1):
        return frame(OPEN, struct.pack(">IIB", stream, 1000, kind) + string("192.0.2.1")
                     + struct.pack(">I", 9) + string("127.0.0.1") + struct.pack(">II", 1, 0))

    def test_more_input_than_its_window(self):
        client = Client(window=65536)
        client.start("exec sleep 100")
        client.greeted()
        client.send(bytes(65536))
        # The pipe to the process takes some of it, so more and more.
        with self.assertRaises(Refused) as caught:
            for _ in range(40):
                client.send(bytes(65536))
                client.until(lambda: client.sent == client.base + len(client.backlog))
            client.until(lambda: False)
        self.assertEqual(caught.exception.code, 10)
        self.assertLess(resident(client.welcome["pid"]), MEMORY)

    def test_questions_without_end(self):
        """What is to be answered is bounded, though no answer is acknowledged."""
        listen = frame(LISTEN, struct.pack(">IB", 1, 9) + string("") + bytes(4))
        rows = {
            "LISTEN": lambda number: listen,
            "OPEN": lambda number: frame(
                OPEN, struct.pack(">IIB", number, 1, 2) + string("/" + "x" * 60) + bytes(4)
                + string("") + bytes(8)),
        }
        for what, make in rows.items():
            with self.subTest(what=what):
                client, number = self.session(), 0
                client.acknowledge = lambda: None
                with self.assertRaises(Refused) as caught:
                    for _ in range(200):
                        for _ in range(1000):
                            number += 2
                            client.put(make(number))
                        client.until(lambda client=client: (
                            client.sent == client.base + len(client.backlog)))
                self.assertEqual(caught.exception.text, "too much to be answered")
                self.assertLess(resident(client.welcome["pid"]), MEMORY)

    def test_pings_without_end(self):
        client = self.session()
        os.set_blocking(client.link.writer, True)
        for _ in range(400):
            os.write(client.link.writer, frame(PING, bytes(8)) * 400)
        self.assertLess(resident(client.welcome["pid"]), MEMORY)
        client.say(frame(PING, b"lastlast"))
        client.until(lambda: int.from_bytes(b"lastlast", "big") in client.pongs)

    def test_hellos_without_end(self):
        client = self.session()
        pid = client.welcome["pid"]
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        for _ in range(200):
            link = Link.socket(client.path)
            os.write(link.writer, client.hello(2, generation=0))
            os.set_blocking(link.reader, True)
            self.assertEqual(os.read(link.reader, 100)[4], 6)
            link.close()
        self.assertLessEqual(len(os.listdir(f"/proc/{pid}/fd")), descriptors + 1)
        self.assertLess(resident(pid), MEMORY)

    def test_generation_at_its_end(self):
        client = self.session()
        client.generation = 0xFFFFFFFE
        client.attach(via="socket")
        client.greeted()
        for _ in range(2):
            other = Client(window=65536)
            other.id, other.secret, other.path = client.id, client.secret, client.path
            other.attach(3, via="socket")
            self.assertEqual(other.greeted()["generation"], 0xFFFFFFFF)
        other.leave(1)

    def test_descriptors_that_nobody_asked_for(self):
        client = self.session()
        pid = client.welcome["pid"]
        count = len(os.listdir(f"/proc/{pid}/fd"))
        for number in 1, 2, 3, 50:
            with ground.account():
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(client.path)
            reader, writer = os.pipe()
            socket.send_fds(sock, [b"\7"], [writer] * number)
            socket.send_fds(sock, [frame(7, string("/x"))[1:]], [writer] * number)
            os.close(writer)
            sock.sendall(frame(PING, bytes(8)))
            self.comes(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= count, "their end")
            sock.close()
            os.close(reader)
        client.send(b"x")
        client.until(lambda: client.output == b"x")

    def test_random_frames(self):
        """Mutated and random frames on all kinds of links; the seed is in the failure."""
        seed = int(os.environ.get("EC2SH_SEED", "11"))
        rng = random.Random(seed)
        client = self.session(kind=SHELL, flags=PTY, size=(80, 24, 0, 0), term="dumb")
        pid = client.welcome["pid"]
        good = [
            numbers(WINDOW, 0, 0), numbers(EOF, 2), frame(SIZE, bytes(17)), numbers(BREAK, 1),
            frame(SIGNAL, string("WINCH")), self.opening(2), numbers(OPENED, 1, 9),
            frame(LISTEN, struct.pack(">IB", 1, 1) + string("127.0.0.1") + bytes(4)),
            numbers(UNLISTEN, 1), frame(CLOSE, bytes(5)), frame(CLOSE, b"\0\0\0\2\1"),
            frame(L2_DATA, b"\0\0\0\0#\r"), frame(REFUSED, struct.pack(">IB", 1, 1) + string("")),
        ]
        for number in range(ROUNDS):
            with self.subTest(seed=seed, number=number):
                other = Client(window=65536)
                other.id, other.secret, other.path = client.id, client.secret, client.path
                link = Link.socket(client.path)
                os.set_blocking(link.writer, True)
                data = bytearray(other.hello(3, generation=0))
                if rng.random() < 0.9:
                    offset = 0
                    for _ in range(rng.randrange(6)):
                        inner = bytearray(rng.choice(good))
                        if rng.random() < 0.6:
                            self.mutate(rng, inner)
                        outer = frame(DATA, struct.pack(">Q", offset) + inner)
                        offset += len(inner)
                        if rng.random() < 0.2:
                            outer = bytearray(outer)
                            self.mutate(rng, outer)
                        data += outer
                        if rng.random() < 0.3:
                            data += frame(
                                rng.choice((ACK, PING, PONG)), rng.randbytes(rng.choice((8, 16))))
                if rng.random() < 0.3:
                    self.mutate(rng, data)
                if rng.random() < 0.2:
                    data += rng.randbytes(rng.randrange(300))
                # BYE 1 and 3 end it, as they should.
                data = bytes(data).replace(bytes([BYE, 0, 0, 1]), b"\0\0\0\1")
                try:
                    at = 0
                    while at < len(data):
                        step = rng.choice((1, 7, 100, 10000))
                        os.write(link.writer, data[at:at + step])
                        at += step
                except OSError:
                    pass
                link.close()
                self.assertTrue(os.path.exists(f"/proc/{pid}"), "it has died")
        other = Client(window=65536)
        other.id, other.secret, other.path = client.id, client.secret, client.path
        other.attach(3, via="socket")
        other.greeted()
        self.assertEqual(other.welcome["pid"], pid)
        other.say(frame(PING, bytes(8)))
        other.until(lambda: other.pongs)
        self.assertLess(resident(pid), MEMORY)
        # A file for each of the links would be many more.
        self.assertLess(len(os.listdir(f"/proc/{pid}/fd")), ROUNDS / 10)
        other.leave(1)

    @staticmethod
    def mutate(rng, data):
        if not data:
            return
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(len(data))
            how = rng.randrange(4)
            if how == 0:
                data[at] = rng.randrange(256)
            elif how == 1:
                data[at] ^= 1 << rng.randrange(8)
            elif how == 2:
                del data[at:at + rng.randrange(1, 5)]
                if not data:
                    return
            else:
                data[at:at] = rng.randbytes(rng.randrange(1, 5))

    def test_random_bytes_to_the_exec_request(self):
        rng = random.Random(4)
        for number in range(12):
            with self.subTest(number=number):
                client = Client()
                hello = bytearray(client.hello(1) + client.start_frame("touch fuzzed"))
                self.mutate(rng, hello)
                link = Link.exec()
                os.set_blocking(link.writer, True)
                os.write(link.writer, BODY + bytes(hello[:rng.randrange(len(hello) + 1)]))
                link.process.stdin.close()
                # Its end, or a link that has broken: never more than that.
                link.close()
                link.reap()

    def test_starts_that_are_nonsense(self):
        good = Client.start_frame("touch ran")[4:]
        rows = {
            "empty": b"", "short": good[:-1], "long": good + b"x",
            "half a variable": good[:-2] + b"\0\1" + string("NAME"),
            "kind 9": b"\x09" + good[1:], "kind 0": b"\0" + good[1:],
        }
        for what, payload in rows.items():
            with self.subTest(what=what):
                client = Client()
                client.attach(1, tail=frame(START, payload))
                with self.assertRaises(Refused) as caught:
                    client.greeted()
                self.assertEqual(caught.exception.code, 10)
                self.assertEqual(os.listdir(ground.PLACE) if ground.PLACE.exists() else [], [])
        for what, more in {
            "NUL in the command": {"command": "a\0b"},
            "NUL in a variable": {"variables": [("A", "b\0")]},
            "no name": {"variables": [("", "x")]},
            "= in a name": {"variables": [("A=B", "x")]},
        }.items():
            with self.subTest(what=what):
                client = Client()
                client.start(**{"command": "touch ran", **more})
                with self.assertRaises(Refused) as caught:
                    client.greeted()
                self.assertEqual(caught.exception.code, 7)
        self.assertFalse((ground.HOME / "ran").exists())


if __name__ == "__main__":
    unittest.main()
