"""Forwarded connections, listeners, and the relay to sshd."""

import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import unittest

import ground
from reference import (
    CLOSE, EOF, FORWARDS, LISTEN, OPEN, OPENED, REFUSED, RELAY, UNLISTEN, WINDOW, Case, Client,
    Refused, frame, numbers, string,
)

TCP, PATH = 1, 2


class Server:
    """Accepts connections for a test."""

    def __init__(self, test, family=socket.AF_INET, address=("127.0.0.1", 0)):
        self.sock = socket.socket(family)
        with ground.account():
            self.sock.bind(address)
        self.sock.listen()
        self.sock.settimeout(60)
        test.addCleanup(self.sock.close)
        self.test = test

    @property
    def port(self):
        return self.sock.getsockname()[1]

    def accept(self):
        made = self.sock.accept()[0]
        made.settimeout(60)
        self.test.addCleanup(made.close)
        return made


def opening(stream, kind, host, port=0, window=1 << 20):
    return frame(OPEN, struct.pack(">IIB", stream, window, kind) + string(host)
                 + struct.pack(">I", port) + string("127.0.0.1") + struct.pack(">II", 1, 0))


def listening(listener, kind, host, port=0):
    return frame(LISTEN, struct.pack(">IB", listener, kind) + string(host)
                 + struct.pack(">I", port))


def closing(stream, reset=0):
    return frame(CLOSE, struct.pack(">IB", stream, reset))


class Forwarding(Case):
    def session(self, **more):
        client = Client(**more)
        client.start("cat")
        client.greeted()
        return client

    def open(self, client, server, stream=2, **more):
        client.put(opening(stream, TCP, "127.0.0.1", server.port, **more))
        client.until(lambda: any(e[1] == stream for e in client.find("opened")), "OPENED")
        return server.accept()

    def answer(self, client, name):
        client.until(lambda: client.find(name), name)
        return client.find(name)[-1]

    def end(self, client):
        client.end_input()
        self.assertEqual(client.finished(), 0)
        client.leave()

    # -- Connections from here

    def test_both_ways_and_half_closed(self):
        client, server = self.session(), Server(self)
        peer = self.open(client, server)
        client.send(b"question", 2)
        client.end_input(2)
        client.turn()
        self.assertEqual(peer.recv(100, socket.MSG_WAITALL), b"question")
        peer.sendall(b"answer")
        peer.close()
        client.until(lambda: 2 in client.fins, "EOF")
        self.assertEqual(client.streams[2], b"answer")
        client.until(lambda: client.closes.get(2) == 0, "CLOSE")
        client.put(closing(2))
        # What comes for a stream that is over is nothing.
        client.put(closing(2) + numbers(WINDOW, 2, 5) + numbers(EOF, 2))
        client.send(b"late", 2)
        self.end(client)

    def test_to_names_and_paths(self):
        client = self.session()
        server = Server(self)
        client.put(opening(2, TCP, "localhost", server.port))
        self.answer(client, "opened")
        server.accept()
        path = str(ground.HOME / "server.sock")
        self.addCleanup(os.unlink, path)
        unix = Server(self, socket.AF_UNIX, path)
        client.put(opening(4, PATH, path))
        client.until(lambda: len(client.find("opened")) == 2)
        peer = unix.accept()
        peer.sendall(b"x")
        client.until(lambda: client.streams.get(4) == b"x")
        self.end(client)

    def test_what_cannot_be_reached(self):
        client = self.session()
        free = Server(self)
        port = free.port
        free.sock.close()
        rows = ((TCP, "127.0.0.1", port, b"refused"), (PATH, "/tmp/nowhere", 0, b"No such file"),
                (TCP, "no such name.invalid", 1, b""), (TCP, "127.0.0.1", 70000, b""),
                (PATH, "/" + "x" * 300, 0, b""), (PATH, "\0bad\0", 0, b""),
                (TCP, "127.0.0.1\0x", 1, b""))
        for number, (kind, host, at, text) in enumerate(rows):
            with self.subTest(host=host):
                stream = 2 + 2 * number
                client.put(opening(stream, kind, host, at))
                client.until(lambda stream=stream: any(
                    e[1] == stream for e in client.find("refused")), "REFUSED")
                event = client.find("refused")[-1]
                self.assertEqual(event[2], 2)
                self.assertIn(text, event[3])
        self.end(client)

    def test_close_before_the_answer(self):
        client = self.session()
        # RFC 5737's addresses go nowhere: the answer would take minutes.
        client.put(opening(2, TCP, "192.0.2.1", 9) + closing(2))
        event = self.answer(client, "refused")
        self.assertEqual(event[1], 2)
        self.end(client)

    def test_reset(self):
        client, server = self.session(), Server(self)
        peer = self.open(client, server)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        client.until(lambda: client.closes.get(2) == 1, "CLOSE with reset")
        client.put(closing(2))
        other = self.open(client, server, 4)
        client.put(closing(4, 1))
        client.until(lambda: 4 in client.closes, "CLOSE")
        with self.assertRaises(ConnectionResetError):
            other.recv(1)
        self.end(client)

    def test_close_leaves_what_was_sent_to_be_written(self):
        client, server = self.session(), Server(self)
        peer = self.open(client, server)
        window = client.find("opened")[0][2]
        data = random.Random(3).randbytes(min(window, 700_000))
        client.send(data, 2)
        client.end_input(2)
        client.put(closing(2))
        client.until(lambda: 2 in client.closes)
        got = b""
        while len(got) < len(data):
            piece = peer.recv(1 << 16)
            self.assertTrue(piece)
            got += piece
        self.assertEqual(got, data)
        self.assertEqual(peer.recv(1), b"")
        self.end(client)

    def test_stalled_stream_stalls_only_itself(self):
        client, server = self.session(window=1 << 20), Server(self)
        stalled = self.open(client, server)
        window = client.find("opened")[0][2]
        # Both ways: nothing is read here, nor there.
        client.credits = False
        stalled.settimeout(0.2)
        try:
            while True:
                stalled.sendall(bytes(100_000))
        except TimeoutError:
            pass
        client.send(bytes(window), 2)
        flowing = self.open(client, server, 4)
        for _ in range(20):
            flowing.sendall(b"there")
            before = len(client.streams.get(4, b""))
            client.until(lambda before=before: len(client.streams.get(4, b"")) > before)
            client.send(b"back", 4)
            client.turn()
            self.assertEqual(flowing.recv(4, socket.MSG_WAITALL), b"back")
        client.send(b"typed")
        client.until(lambda: client.output == b"typed")
        self.assertLessEqual(len(client.streams[2]), 1 << 20)
        client.leave(1)

    def test_bytes_over_breaking_links(self):
        client = self.session(window=1 << 19)
        servers = [Server(self) for _ in range(3)]
        data = [random.Random(n).randbytes(1_500_000) for n in range(3)]
        got = {}

        def serve(number):
            peer = servers[number].accept()
            def read():
                pieces = []
                while True:
                    piece = peer.recv(1 << 16)
                    if not piece:
                        break
                    pieces.append(piece)
                got[number] = b"".join(pieces)
            reader = threading.Thread(target=read)
            reader.start()
            peer.sendall(data[number][::-1])
            peer.shutdown(socket.SHUT_WR)
            reader.join()

        threads = [threading.Thread(target=serve, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for number, server in enumerate(servers):
            client.put(opening(2 + 2 * number, TCP, "127.0.0.1", server.port))
        client.until(lambda: len(client.find("opened")) == 3)
        credit = {e[1]: e[2] for e in client.find("opened")}
        fed, cuts, spent = {2: 0, 4: 0, 6: 0}, 0, {2: 0, 4: 0, 6: 0}
        rng = random.Random(5)
        limit = 200_000
        moved = 0
        while len(client.closes) < 3:
            granted = {s: credit[s] + sum(e[2] for e in client.find("window") if e[1] == s)
                       for s in fed}
            for stream, at in fed.items():
                whole = data[stream // 2 - 1]
                room = min(granted[stream] - at, (1 << 19) - len(client.backlog), 32768)
                if at < len(whole) and room > 0:
                    client.send(whole[at:at + room], stream)
                    fed[stream] = min(at + room, len(whole))
                    if fed[stream] == len(whole):
                        client.end_input(stream)
            before = client.received
            self.assertTrue(client.turn(30))
            moved += client.received - before
            if moved > limit:
                client.link.close()
                cuts += 1
                moved, limit = 0, rng.randrange(100_000, 900_000)
                client.attach(via=rng.choice(("exec", "socket")))
        for thread in threads:
            thread.join()
        self.assertGreater(cuts, 3)
        for number in range(3):
            self.assertEqual(client.streams[2 + 2 * number], data[number][::-1])
            self.assertEqual(got[number], data[number])
        client.leave(1)

    def test_without_a_process(self):
        """Streams go on over a broken link, input goes nowhere, and BYE 1 ends it."""
        client, server = Client(), Server(self)
        client.start(kind=FORWARDS)
        client.greeted()
        client.until(lambda: client.ended, "EOF")
        peer = self.open(client, server)
        peer.sendall(b"before")
        client.until(lambda: client.streams.get(2) == b"before")
        client.signal("TERM")
        client.send(b"to nobody")
        client.end_input()
        client.link.close()
        peer.sendall(b" and after")
        client.attach()
        client.until(lambda: client.streams[2] == b"before and after")
        client.leave(1)
        self.assertEqual(peer.recv(1), b"")
        self.assertEqual(os.listdir(ground.PLACE), [])

    def test_too_many(self):
        client, server = self.session(window=1 << 22), Server(self)
        server.sock.listen(300)
        for number in range(260):
            client.put(opening(2 + 2 * number, TCP, "127.0.0.1", server.port))
        client.until(lambda: len(client.find("opened")) + len(client.find("refused")) == 260)
        self.assertEqual(len(client.find("opened")), 256)
        self.assertEqual({event[2] for event in client.find("refused")}, {4})
        # All windows together are bounded.
        self.assertLess(sum(event[2] for event in client.find("opened")), 14 << 20)
        client.send(b"x")
        client.until(lambda: client.output == b"x")
        client.leave(1)

    # -- Listeners

    def test_listeners(self):
        client = self.session()
        rows = {1: ("localhost", ["127.0.0.1"]), 2: ("", ["127.0.0.1", "127.0.0.2"]),
                3: ("127.0.0.1", ["127.0.0.1"]), 4: ("0.0.0.0", ["127.0.0.3"])}
        if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
            rows[5] = ("::1", ["::1"])
            rows[1][1].append("::1")
        stream = 1
        for listener, (host, addresses) in rows.items():
            client.put(listening(listener, TCP, host))
            client.until(lambda listener=listener: any(
                e[1] == listener for e in client.find("listening")), "LISTENING")
            port = client.find("listening")[-1][2]
            for address in addresses:
                with self.subTest(host=host, address=address):
                    peer = socket.create_connection((address, port), 30)
                    client.until(lambda: any(e[1] == stream for e in client.find("open")), "OPEN")
                    event = client.find("open")[-1]
                    self.assertEqual(event[3:6], (3, host.encode(), port))
                    self.assertEqual(event[7:], (peer.getsockname()[1], listener))
                    # Nothing is read before it was accepted.
                    peer.sendall(b"early")
                    client.put(numbers(OPENED, stream, 1 << 20))
                    client.until(lambda: client.streams.get(stream) == b"early")
                    client.send(b"answer", stream)
                    client.turn()
                    peer.settimeout(30)
                    self.assertEqual(peer.recv(6, socket.MSG_WAITALL), b"answer")
                    peer.close()
                    client.until(lambda: stream in client.fins)
                    client.end_input(stream)
                    client.until(lambda: stream in client.closes)
                    client.put(closing(stream))
                    stream += 2
        client.put(numbers(UNLISTEN, 3))
        port = client.find("listening")[2][2]
        self.comes(lambda: not client.turn(0.05) or not self.connects(port), "end of the listener")
        self.end(client)

    @staticmethod
    def connects(port):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return True
        except OSError:
            return False

    def test_listener_on_a_path(self):
        client = self.session()
        path = str(ground.HOME / "listener.sock")
        client.put(listening(1, PATH, path))
        self.answer(client, "listening")
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(path)
        event = self.answer(client, "open")
        self.assertEqual(event[3:6], (3, path.encode(), 0))
        client.put(frame(REFUSED, struct.pack(">IB", 1, 1) + string("no")))
        client.turn()
        peer.settimeout(30)
        self.assertEqual(peer.recv(1), b"")
        peer.close()
        client.put(numbers(UNLISTEN, 1))
        self.comes(lambda: client.turn(0.05) and not os.path.exists(path), "end of the path")
        # What is there is not taken away.
        open(path, "w").close()
        client.put(listening(2, PATH, path))
        self.assertIn(b"in use", self.answer(client, "not listening")[2])
        os.unlink(path)
        self.end(client)

    def test_listeners_that_cannot_be(self):
        client, taken = self.session(), Server(self)
        rows = [(TCP, "127.0.0.1", taken.port, b"in use"), (TCP, "203.0.113.5", 0, b"assign"),
                (TCP, "nonsense", 0, b""), (TCP, "127.0.0.1", 70000, b""),
                (PATH, "/nowhere/x", 0, b"No such"), (9, "", 0, b"kind")]
        if ground.ISOLATED and not self.unprivileged_ports():
            rows.append((TCP, "127.0.0.1", 80, b"ermission"))
        for number, (kind, host, port, text) in enumerate(rows):
            with self.subTest(host=host, port=port):
                client.put(listening(number, kind, host, port))
                client.until(lambda number=number: any(
                    e[1] == number for e in client.find("not listening")), "NOT-LISTENING")
                self.assertIn(text, client.find("not listening")[-1][2])
        self.end(client)

    @staticmethod
    def unprivileged_ports():
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
            return int(file.read()) <= 80

    def test_listeners_live_while_links_are_gone(self):
        client = self.session()
        client.put(listening(1, TCP, "127.0.0.1"))
        port = self.answer(client, "listening")[2]
        client.drop()
        peer = socket.create_connection(("127.0.0.1", port), 30)
        peer.sendall(b"while away")
        client.attach(via="socket")
        self.answer(client, "open")
        client.put(numbers(OPENED, 1, 1000))
        client.until(lambda: client.streams.get(1) == b"while away")
        # A joiner has none of it.
        other = Client()
        other.id, other.secret = client.id, client.secret
        other.attach(3)
        other.greeted()
        peer.settimeout(30)
        self.assertEqual(peer.recv(1), b"")
        self.comes(lambda: not self.connects(port), "end of the listener")
        peer.close()
        # And begins with the lowest numbers again.
        other.put(listening(1, TCP, "127.0.0.1"))
        port = self.answer(other, "listening")[2]
        peer = socket.create_connection(("127.0.0.1", port), 30)
        self.assertEqual(self.answer(other, "open")[1], 1)
        peer.close()
        other.leave(1)


class Relays(Case):
    def relay(self, host="127.0.0.1", port=0, **more):
        client = Client(window=1 << 19, env=more.pop("env", None))
        client.start(host, kind=RELAY, port=port, **more)
        return client

    def test_half_close_and_exit(self):
        server = Server(self)
        client = self.relay(port=server.port)
        client.greeted()
        peer = server.accept()
        client.send(b"to")
        client.end_input()
        client.turn()
        self.assertEqual(peer.recv(100), b"to")
        self.comes(lambda: client.turn(0.05) and peer.recv(1) == b"", "half-close")
        peer.sendall(b"fro")
        peer.close()
        self.assertEqual(client.finished(), 0)
        self.assertEqual(client.output, b"fro")
        client.leave()

    def test_other_half_first(self):
        server = Server(self)
        client = self.relay(port=server.port)
        client.greeted()
        peer = server.accept()
        peer.sendall(b"bye")
        peer.shutdown(socket.SHUT_WR)
        client.until(lambda: client.ended)
        client.send(b"last words")
        client.end_input()
        self.assertEqual(client.finished(), 0)
        self.assertEqual(peer.recv(100, socket.MSG_WAITALL), b"last words")
        client.leave()

    def test_broken_connection(self):
        server = Server(self)
        client = self.relay(port=server.port)
        client.greeted()
        peer = server.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        self.assertEqual(client.finished(), 255)
        client.leave()

    def test_nothing_there(self):
        free = Server(self)
        port = free.port
        free.sock.close()
        with self.assertRaises(Refused) as caught:
            self.relay(port=port).greeted()
        self.assertEqual(caught.exception.code, 7)
        self.assertIn("refused", caught.exception.text)
        for connection in "", "UNKNOWN 65535 UNKNOWN 65535", "1 2 3":
            with self.subTest(connection=connection), self.assertRaises(Refused) as caught:
                self.relay("", env=ground.environment(SSH_CONNECTION=connection)).greeted()
            self.assertEqual(caught.exception.code, 7)
        self.assertEqual(os.listdir(ground.PLACE), [])

    def test_own_sshd(self):
        """To the address that sshd has: it may not listen on any other."""
        server = Server(self, address=("127.0.0.9", 0))
        client = self.relay("", env=ground.environment(
            SSH_CONNECTION=f"127.0.0.1 4000 127.0.0.9 {server.port}"))
        client.greeted()
        server.accept().sendall(b"SSH-2.0-x\r\n")
        client.until(lambda: client.output == b"SSH-2.0-x\r\n")
        client.leave(1)

    def test_megabytes_over_breaking_links(self):
        server = Server(self)
        client = self.relay(port=server.port)
        client.greeted()
        peer = server.accept()
        size = 4 << 20
        data = random.Random(9).randbytes(size)

        def echo():
            while True:
                piece = peer.recv(1 << 16)
                if not piece:
                    break
                peer.sendall(piece)
            peer.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=echo)
        thread.start()
        fed, moved, limit, cuts, rng = 0, 0, 300_000, 0, random.Random(1)
        while len(client.output) < size:
            while fed < size and len(client.backlog) < 1 << 18 and fed - len(client.output) < 1 << 18:
                client.send(data[fed:fed + 32768])
                fed += 32768
            before = client.received
            self.assertTrue(client.turn(30))
            moved += client.received - before
            if moved > limit:
                client.link.close()
                cuts += 1
                moved, limit = 0, rng.randrange(10_000, 900_000)
                client.attach(via=rng.choice(("exec", "socket")))
        client.end_input()
        self.assertEqual(client.finished(), 0)
        thread.join()
        self.assertGreater(cuts, 3)
        self.assertEqual(client.output, data)
        client.leave()


if __name__ == "__main__":
    unittest.main()
