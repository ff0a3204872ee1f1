"""A client of the resume protocol for tests, written from Sources/Resume/PROTOCOL.md.

It keeps to the page and checks that the remote half does: what is not allowed there is a Violation.
"""

import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import ground

ROOT = pathlib.Path(__file__).resolve().parents[3]
BODY = (ROOT / "Sources/Resume/Remote/remote.bin").read_bytes()
# For who looks for a fault: a file for the remote half's own words, which go nowhere else.
LOG = os.environ.get("EC2SH_REMOTE_LOG")
# The loader: two lines.
LOADER_LENGTH = len(b"".join(BODY.splitlines(True)[:2]))
MAGIC = b"EC2SH-RESUME "


def changed(changes):
    """A body with other words in place of some."""
    sys.path.insert(0, str(ROOT / "Sources/Resume/Remote"))
    import build
    if LOG:
        changes = {**changes, b"'/dev/null',os.O_RDWR": f"{LOG!r},os.O_RDWR|os.O_APPEND".encode()}
    for old in changes:
        if old not in b"".join(build.parts()):
            raise ValueError(f"nothing to change: {old}")
    return build.body(changes)


def without_net():
    """A body that ends at what it did not foresee, so that a test sees it."""
    return changed({b"except Exception as": b"except(ValueError,error)as"})


# Tests run on loaded machines; what is waited for comes long before this.
PATIENCE = 60

HELLO, START, WELCOME, REFUSE, NOTICE, LISTING = 1, 2, 3, 4, 5, 6
DATA, ACK, PING, PONG, BYE, BYE_OK = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15
L2_DATA, STDERR, WINDOW, EOF, CLOSE, SIZE, SIGNAL, BREAK = 1, 2, 3, 4, 5, 6, 7, 8
EXIT, EXIT_SIGNAL, SKIPPED = 9, 10, 11
OPEN, OPENED, REFUSED = 0x10, 0x11, 0x12
LISTEN, LISTENING, NOT_LISTENING, UNLISTEN = 0x18, 0x19, 0x1A, 0x1B
SHELL, COMMAND, SUBSYSTEM, RELAY, FORWARDS = 1, 2, 3, 4, 5
PTY, MOTD, DROP, AGENT = 1, 2, 4, 8


class Violation(Exception):
    """The remote half did what the page does not allow."""


class Refused(Exception):
    """REFUSE came."""

    def __init__(self, code, value, text):
        super().__init__(f"refused {code}: {text}")
        self.code, self.value, self.text = code, value, text


def bootstrap(pythons="/usr/bin/python3 /usr/libexec/platform-python python3"):
    """The exec request's line."""
    loader = (
        "import os;exit=0;f=lambda n:(lambda d:d+f(n-len(d)))(os.read(0,n)or os._exit(97))"
        f"if n else bytes();exec(f({LOADER_LENGTH}))"
    )
    return (
        f"exec /bin/sh -c 'for p in {pythons};"
        f'do command -v $p >/dev/null 2>&1&&exec $p -ISc "{loader}";done;'
        'echo EC2SH-RESUM""E none\''
    )


def string(value):
    if isinstance(value, str):
        value = value.encode()
    return struct.pack(">I", len(value)) + value


def frame(kind, payload=b""):
    return struct.pack(">I", kind << 24 | len(payload)) + payload


def numbers(kind, *values):
    return frame(kind, struct.pack(f">{len(values)}I", *values))


class Reader:
    """Fields of a payload; all of it must be used."""

    def __init__(self, data):
        self.data = bytes(data)

    def number(self, letter):
        size = struct.calcsize(letter)
        if len(self.data) < size:
            raise Violation("a field ends early")
        value = struct.unpack(">" + letter, self.data[:size])[0]
        self.data = self.data[size:]
        return value

    def numbers(self, letters):
        return [self.number(letter) for letter in letters]

    def string(self):
        return self.raw(self.number("I"))

    def raw(self, count):
        if len(self.data) < count:
            raise Violation("a string ends early")
        value, self.data = self.data[:count], self.data[count:]
        return value

    def finish(self):
        if self.data:
            raise Violation(f"{len(self.data)} bytes after the last field")


class Link:
    """Ends of one link: an exec request's process, or a connection to the session's socket."""

    # Where the exec requests' own error output goes.
    noise = tempfile.TemporaryFile()

    def __init__(self, reader, writer, process=None, sock=None):
        self.reader, self.writer, self.process, self.sock = reader, writer, process, sock
        self.held = b""
        self.ended = False
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

    @classmethod
    def exec(cls, shell=("/bin/sh",), env=None, python=None, cwd=None):
        line = bootstrap() if python is None else bootstrap(python)
        process = subprocess.Popen(
            [*shell, "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            stderr=cls.noise,
            env=ground.environment() if env is None else env, cwd=cwd or ground.HOME,
            preexec_fn=ground.become,
        )
        return cls(process.stdout.fileno(), process.stdin.fileno(), process)

    @classmethod
    def socket(cls, path):
        sock = socket.socket(socket.AF_UNIX)
        with ground.account():
            # As sshd does, for the user.
            sock.connect(os.fsencode(path))
        return cls(sock.fileno(), sock.fileno(), sock=sock)

    def close(self):
        """Breaks the link, as a connection that is lost."""
        if self.process:
            self.process.stdin.close()
            self.process.stdout.close()
        else:
            self.sock.close()
        self.ended = True

    def reap(self, timeout=PATIENCE):
        """Waits for the exec request's process."""
        return self.process.wait(timeout) if self.process else None


class Client:
    """One client process's view of a session."""

    made = []

    def __init__(self, window=1 << 20, env=None, shell=("/bin/sh",), python=None, body=BODY):
        self.id, self.secret = os.urandom(16), os.urandom(16)
        self.window, self.env, self.shell, self.python = window, env, shell, python
        self.generation, self.body = 0, body
        self.boot = b""
        self.path = None
        self.welcome = None
        self.links = []
        self.link = None
        self.first = None
        self.credits = True  # whether output is put down as it comes
        Client.made.append(self)
        self.begin()

    def begin(self):
        """As a client that knows nothing of the streams."""
        self.sent, self.base, self.backlog, self.sent_ever = 0, 0, b"", 0
        self.received = self.consumed = 0
        self.log = b""
        self.output, self.error, self.skipped = bytearray(), bytearray(), 0
        self.ended, self.exit = False, None
        self.events, self.notices, self.pongs, self.byes = [], [], [], []
        self.streams, self.fins, self.closes = {}, set(), {}
        self.outstanding, self.input_credit = 0, None
        self.magic = None

    # -- Links

    def hello(self, mode, **changes):
        values = {
            "version": 1, "id": self.id, "secret": self.secret, "generation": self.generation,
            "received": self.received, "consumed": self.consumed, "window": self.window,
            "boot": self.boot, **changes,
        }
        return frame(HELLO, struct.pack(
            ">BB16s16sIQQI", values["version"], mode, values["id"], values["secret"],
            values["generation"], values["received"], values["consumed"], values["window"],
        ) + string(values["boot"]))

    def start(self, command="", kind=COMMAND, **more):
        """Starts the session over an exec request."""
        self.first = self.start_frame(command, kind, **more)
        self.attach(1, tail=self.first)

    @staticmethod
    def start_frame(command=b"", kind=COMMAND, flags=0, timeout=300, since=0, size=(0, 0, 0, 0),
                    term="", modes=b"", port=0, variables=()):
        payload = struct.pack(">BBII4I", kind, flags, timeout, since, *size)
        payload += string(term) + string(modes) + string(command)
        payload += struct.pack(">IH", port, len(variables))
        for name, value in variables:
            payload += string(name) + string(value)
        return frame(START, payload)

    def attach(self, mode=2, via="exec", tail=b"", early=True, **changes):
        """Opens a link and says HELLO on it; does not wait for the answer."""
        self.generation += 1
        if via == "exec":
            link = Link.exec(self.shell, self.env, self.python)
            link.held = None
        else:
            link = Link.socket(self.path)
        self.links.append(link)
        self.link, self.out = link, b""
        self.magic = b"" if via == "exec" else None
        self.up = False
        self.sent = self.base
        if mode == 3:
            changes = {"generation": 0, "received": 0, "consumed": 0, **changes}
        hello = (self.body if via == "exec" else b"") + self.hello(mode, **changes) + tail
        self.link.held = b""
        self.joins = mode == 3
        self.out = hello

    def drop(self):
        """Breaks the link; the exec request's process ends by that."""
        self.link.close()
        self.link.reap()

    # -- Out

    def put(self, data):
        self.backlog += data

    def send(self, data, stream=0):
        for at in range(0, len(data), 32768):
            self.put(frame(L2_DATA, struct.pack(">I", stream) + data[at:at + 32768]))

    def end_input(self, stream=0):
        self.put(numbers(EOF, stream))

    def signal(self, name):
        self.put(frame(SIGNAL, string(name)))

    def close_output(self):
        self.put(frame(CLOSE, b"\0\0\0\0\0"))

    def resize(self, columns, rows, redraw=0):
        self.put(frame(SIZE, struct.pack(">4IB", columns, rows, 0, 0, redraw)))

    def say(self, data):
        """A frame of L1."""
        self.out += data

    def fill(self):
        """Gives the link what the window allows."""
        limit = self.base + (self.window if self.welcome else 65536)
        while len(self.out) < 1 << 18 and (self.up or not self.joins):
            count = min(self.base + len(self.backlog), limit) - self.sent
            if count <= 0:
                return
            at = self.sent - self.base
            piece = self.backlog[at:at + min(count, 65536)]
            self.out += frame(DATA, struct.pack(">Q", self.sent) + piece)
            self.sent += len(piece)
            self.sent_ever = max(self.sent_ever, self.sent)

    # -- The loop

    def turn(self, timeout=1.0):
        """Reads and writes once; False when the link has ended."""
        link = self.link
        self.fill()
        readers, writers, _ = select.select(
            [link.reader], [link.writer] if self.out else [], [], timeout)
        if writers:
            try:
                self.out = self.out[os.write(link.writer, self.out):]
            except BlockingIOError:
                pass
            except OSError:
                self.out = b""
        if readers:
            try:
                data = os.read(link.reader, 1 << 17)
            except ConnectionResetError:
                data = b""
            if not data:
                link.ended = True
                return False
            self.take(data)
        return True

    def until(self, condition, what="", timeout=PATIENCE):
        """Goes on until something is so."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"no {what or condition}: {self.state()}")
            if not self.turn():
                if condition():
                    return
                raise ConnectionError(f"the link ended; {self.state()}")

    def state(self):
        return (f"output {bytes(self.output[-300:])!r} error {bytes(self.error[-300:])!r} "
                f"exit {self.exit} events {self.events[-5:]}")

    def greeted(self):
        self.until(lambda: self.up, "WELCOME")
        return self.welcome

    def finished(self):
        self.until(lambda: self.ended and self.exit is not None, "end and exit")
        return self.exit

    def leave(self, reason=3):
        """BYE, and waits for its answer and the end of the link."""
        self.until(lambda: self.sent == self.base + len(self.backlog), "all sent")
        self.say(frame(BYE, bytes([reason])))
        self.until(lambda: "bye-ok" in self.events, "BYE-OK")
        while self.turn():
            pass
        self.link.reap()
        self.link.close()

    def run(self, command, data=b"", **more):
        """Starts a command, feeds it, and takes its output and exit."""
        self.start(command, **more)
        self.send(data)
        self.end_input()
        self.finished()
        self.leave()
        return self.exit

    # -- In

    def take(self, data):
        if self.magic is not None:
            self.magic += data
            at = self.magic.find(MAGIC)
            end = self.magic.find(b"\n", at)
            if at < 0 or end < 0:
                if len(self.magic) > 65536:
                    raise Violation("no magic line")
                return
            word = self.magic[at + len(MAGIC):end]
            data, self.magic = self.magic[end + 1:], None
            if word == b"none":
                raise Refused(0, 0, "no Python")
            if word != b"1":
                raise Violation(f"magic {word!r}")
        link = self.link
        link.held += data
        at = 0
        while len(link.held) - at >= 4:
            head = struct.unpack_from(">I", link.held, at)[0]
            kind, size = head >> 24, head & 0xFFFFFF
            if size > (65544 if kind == DATA else 8192):
                raise Violation(f"a frame of {size} bytes, type {kind}")
            if len(link.held) - at < 4 + size:
                break
            payload = link.held[at + 4:at + 4 + size]
            at += 4 + size
            self.take_frame(kind, payload)
            if self.link is not link:
                return
        link.held = link.held[at:]

    def take_frame(self, kind, payload):
        read = Reader(payload)
        if kind == REFUSE:
            code, value = read.numbers("BI")
            text = read.string().decode()
            read.finish()
            raise Refused(code, value, text)
        if kind == WELCOME:
            return self.take_welcome(read)
        if kind == LISTING:
            fields = [read.raw(16), read.raw(16), *read.numbers("BBQII"), read.string()]
            read.finish()
            self.events.append(("listing", fields))
            return None
        if kind == BYE:
            self.byes.append(read.number("B"))
            return read.finish()
        if not self.up:
            raise Violation(f"frame {kind} before WELCOME")
        if kind == NOTICE:
            self.notices.append((read.number("B"), read.string()))
        elif kind == DATA:
            offset = read.number("Q")
            data, read.data = read.data, b""
            if not data:
                raise Violation("empty DATA")
            if offset > self.received:
                raise Violation(f"a gap: {offset} after {self.received}")
            if offset + len(data) > self.consumed + self.window:
                raise Violation("DATA beyond the window")
            new = data[self.received - offset:]
            self.received += len(new)
            self.consumed = self.received
            self.log += new
            self.take_stream()
            self.acknowledge()
        elif kind == ACK:
            received, consumed = read.numbers("QQ")
            self.acknowledged(received, consumed)
        elif kind == PING:
            self.say(frame(PONG, read.raw(8)))
        elif kind == PONG:
            self.pongs.append(read.number("Q"))
        elif kind == BYE_OK:
            self.events.append("bye-ok")
        else:
            raise Violation(f"frame {kind}")
        return read.finish()

    def acknowledge(self):
        self.say(frame(ACK, struct.pack(">QQ", self.received, self.consumed)))

    def acknowledged(self, received, consumed):
        if not consumed <= received <= self.sent_ever:
            raise Violation(f"ACK {received} {consumed} of {self.sent_ever}")
        self.sent = max(self.sent, received)
        if consumed > self.base:
            self.backlog = self.backlog[consumed - self.base:]
            self.base = consumed

    def take_welcome(self, read):
        version, flags, generation, received, consumed, window, pid, kind, start_flags = (
            read.numbers("BBIQQIIBB"))
        boot, path = read.string(), read.string()
        read.finish()
        if version != 1 or self.up:
            raise Violation("WELCOME")
        if not 65536 <= window <= self.window:
            raise Violation(f"a window of {window}")
        if self.joins:
            self.generation = generation
        elif generation != self.generation:
            raise Violation(f"generation {generation}, not {self.generation}")
        self.window, self.boot, self.path, self.up = window, boot, path, True
        if self.input_credit is None:
            self.input_credit = 0 if self.joins else window
        self.welcome = {
            "flags": flags, "pid": pid, "kind": kind, "start_flags": start_flags,
            "received": received, "generation": generation,
        }
        self.acknowledged(received, consumed)

    def take_stream(self):
        at = 0
        while len(self.log) - at >= 4:
            head = struct.unpack_from(">I", self.log, at)[0]
            kind, size = head >> 24, head & 0xFFFFFF
            if size > 32772:
                raise Violation(f"a frame of {size} bytes in the stream")
            if len(self.log) - at < 4 + size:
                break
            self.take_inner(kind, self.log[at + 4:at + 4 + size])
            at += 4 + size
        self.log = self.log[at:]

    def take_inner(self, kind, payload):
        read = Reader(payload)
        if kind in (L2_DATA, STDERR):
            stream = read.number("I")
            data, read.data = read.data, b""
            if not data:
                raise Violation("empty DATA")
            if stream:
                self.streams[stream] = self.streams.get(stream, b"") + data
                if self.credits:
                    self.put(numbers(WINDOW, stream, len(data)))
                return None
            self.outstanding += len(data)
            if self.outstanding > self.window:
                raise Violation("more output than the window")
            if self.ended:
                raise Violation("output after its end")
            (self.output if kind == L2_DATA else self.error).extend(data)
            if self.credits:
                self.credit()
        elif kind == WINDOW:
            stream, count = read.numbers("II")
            if stream:
                self.events.append(("window", stream, count))
            else:
                self.input_credit += count
        elif kind == EOF:
            stream = read.number("I")
            if stream:
                self.fins.add(stream)
            elif self.ended:
                raise Violation("a second EOF")
            else:
                self.ended = True
        elif kind == CLOSE:
            stream, reset = read.numbers("IB")
            self.closes[stream] = reset
        elif kind == EXIT:
            self.exited(read.number("I"))
        elif kind == EXIT_SIGNAL:
            self.exited((read.string().decode(), read.number("B")))
            read.string()
        elif kind == SKIPPED:
            count = read.number("Q")
            self.skipped += count
            self.events.append(("skipped", count, len(self.output)))
        elif kind == OPEN:
            stream, window, how = read.numbers("IIB")
            host, port = read.string(), read.number("I")
            origin = read.string()
            self.events.append(
                ("open", stream, window, how, host, port, origin, *read.numbers("II")))
        elif kind == OPENED:
            self.events.append(("opened", *read.numbers("II")))
        elif kind == REFUSED:
            self.events.append(("refused", *read.numbers("IB"), read.string()))
        elif kind == LISTENING:
            self.events.append(("listening", *read.numbers("II")))
        elif kind == NOT_LISTENING:
            self.events.append(("not listening", read.number("I"), read.string()))
        else:
            raise Violation(f"frame {kind} in the stream")
        return read.finish()

    def credit(self):
        """Puts down all output."""
        if self.outstanding:
            self.put(numbers(WINDOW, 0, self.outstanding))
            self.outstanding = 0

    def exited(self, how):
        if self.exit is not None:
            raise Violation("a second exit")
        self.exit = how

    def find(self, name):
        return [event for event in self.events if event[0] == name]


class Case(unittest.TestCase):
    """A test that leaves no session and no process."""

    def setUp(self):
        ground.clean()

    def tearDown(self):
        for client in Client.made:
            if client.welcome and remote_half(client.welcome["pid"]):
                os.kill(client.welcome["pid"], 9)
            for link in client.links:
                link.close()
                link.reap()
        Client.made.clear()
        Link.noise.seek(0)
        noise = Link.noise.read().decode()
        Link.noise.truncate(0)
        # A link may break at once, and nobody reads what is said to that.
        faults = [line for line in noise.splitlines()
                  if line[:1].isalpha() and "Error" in line and "BrokenPipeError" not in line]
        self.assertEqual(faults, [], noise)

    def gone(self, pid):
        """Asserts that a process ends."""
        self.comes(lambda: not os.path.exists(f"/proc/{pid}"), f"the end of {pid}")

    def comes(self, condition, what):
        """Waits for what no link tells."""
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, f"no {what}")
            time.sleep(0.01)


def remote_half(pid):
    """Whether a process is a remote half, and not one that has its number now."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"-ISc" in file.read()
    except OSError:
        return False
