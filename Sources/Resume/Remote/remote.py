"exit" "97"
# The remote half of a session that outlives its connection; ../PROTOCOL.md says what it does.
#
# Sent along with each exec request and run by `python3 -c`: nothing of it is ever a file there.
# (The first line stops a shell that takes all this for a script.) Python 3.6 and newer; imports
# only what starts fast; one process per session, one thread, one poll loop. Bytes are numbered
# and kept in Log, read and written on Link; Session is the process and all that belongs to it.
# Reading order: main, Session.begin, Session.run, then from link to process and back.

import fcntl, os, select, time
import _signal, _socket, _thread
from _collections import deque
from _operator import _compare_digest
from _struct import calcsize, error, pack, unpack, unpack_from

UNIX, TCP = _socket.AF_UNIX, _socket.SOCK_STREAM
UID = os.getuid()
UMASK = os.umask(0o77)
PIECE = 65536
FORWARDS = 256  # streams at a time
HOLES = 0, 11  # runs of output without bytes: nobody wanted them; SKIPPED
SILENCE = 60  # seconds after which a link that says nothing is none for the overflow policy
IN, OUT = select.POLLIN, select.POLLOUT
now = time.monotonic


# -- Bytes ---------------------------------------------------------------------------------------
# Shapes: B, H, I, Q as in struct, big-endian; s a string of the protocol; r the rest, as it is.

def wire(shape, *values):
    out = b''
    for letter, value in zip(shape, values):
        if letter == 's':
            out += pack('>I', len(value)) + value
        else:
            out += value if letter == 'r' else pack('>' + letter, value)
    return out


def fields(shape, data):
    at, out = 0, []
    for letter in shape:
        if letter == 's':
            size, = unpack_from('>I', data, at)
            at += 4
        else:
            size = len(data) - at if letter == 'r' else calcsize('>' + letter)
        if at + size > len(data):
            raise ValueError('a field ends early')
        out.append(bytes(data[at:at + size]) if letter in 'sr'
                   else unpack_from('>' + letter, data, at)[0])
        at += size
    if at != len(data):
        raise ValueError('bytes after the last field')
    return out


def frame(kind, shape='', *values):
    payload = wire(shape, *values)
    return pack('>I', kind << 24 | len(payload)) + payload


def slurp(path):
    try:
        with open(path, 'rb') as file:
            return file.read(PIECE)
    except OSError:
        return b''


def listdir(path):
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


BOOT = slurp('/proc/sys/kernel/random/boot_id').strip()


class Log:
    """Bytes numbered from 0, of which [base, end) are kept, in blocks of PIECE."""

    def __init__(self):
        self.blocks, self.base, self.end = {}, 0, 0

    def __len__(self):
        return self.end - self.base

    def add(self, data):
        data = memoryview(data)
        while data:
            block = self.blocks.setdefault(self.end // PIECE, bytearray())
            piece = data[:PIECE - self.end % PIECE]
            block += piece
            self.end += len(piece)
            data = data[len(piece):]

    def get(self, at, count=PIECE):
        """Up to count bytes from there on: those in the same block."""
        block = self.blocks.get(at // PIECE, b'')
        at %= PIECE
        return block[at:at + count]

    def free(self, to):
        for index in range(self.base // PIECE, to // PIECE):
            self.blocks.pop(index, None)
        self.base = to


# -- Files ---------------------------------------------------------------------------------------

def places(make=False):
    """Directories for our files that nobody else can write to, made if need be."""
    for path in '/tmp/.ec2sh-%d' % UID, os.path.expanduser('~/.ec2sh/run'):
        try:
            if make and not os.path.isdir(path):
                os.makedirs(path, 0o700)
            state = os.lstat(path)
            if state.st_uid == UID and state.st_mode & 0o170777 == 0o40700 and len(path) < 64:
                yield path + '/'
        except OSError:
            pass


def look(base):
    """What is known of a session by its files: a socket, or a REFUSE code (0: nothing), a value."""
    sock = _socket.socket(UNIX, TCP)
    try:
        sock.connect(base + '.s')
        return sock, 0
    except OSError:
        sock.close()
    try:
        claim = os.open(base + '.started', os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return 0, 0
    text, busy = os.read(claim, 4096), False
    try:
        # The remote half holds this lock as long as it lives.
        fcntl.flock(claim, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        busy = True
    age = time.time() - os.fstat(claim).st_mtime
    os.close(claim)
    if busy or not text and age < 10:
        return 9, 0
    status = slurp(base + '.exit')
    if status:
        return 8, int(status)
    return (3 if text.split(b' ')[0] == BOOT else 4), 0


def sweep():
    """Removes what dead sessions left more than a week ago."""
    for place in places():
        for name in os.listdir(place):
            try:
                old = time.time() - os.lstat(place + name).st_mtime > 604800
                if old and look(place + name[:32])[0] in (0, 3, 4, 8):
                    os.unlink(place + name)
            except OSError:
                pass


# -- Links and streams ---------------------------------------------------------------------------

class Link:
    """A pipe to a client, or to somebody who has yet to say HELLO."""

    def __init__(self, sock, reader, writer):
        self.sock, self.agent, self.heard = sock, b'', now()
        self.came, self.out, self.pong = bytearray(), b'', b''
        self.owes = self.closing = self.starting = False
        self.use(reader, writer)

    def use(self, reader, writer):
        self.reader, self.writer = reader, writer
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

    def refuse(self, code, text='', value=0):
        self.out += frame(4, 'BIs', code, value, text.encode())
        self.closing = True

    def close(self):
        for fd in {self.reader, self.writer} - {self.sock.fileno()}:
            os.close(fd)
        self.sock.close()


class Stream:
    """A forwarded connection; sock is None while it is being made, gone when CLOSE was said."""

    def __init__(self, number, credit, window, sock=None):
        self.number, self.credit, self.window, self.sock = number, credit, window, sock
        self.out, self.left, self.owed = Log(), window, 0
        self.open = self.ended = self.read_all = self.gone = False


def dial(path, host, port):
    """A connected socket; waits, and so is called where that does no harm."""
    if path:
        sock = _socket.socket(UNIX, TCP)
        sock.connect(path)
        return sock
    for family, kind, number, _, address in _socket.getaddrinfo(host, port, 0, TCP):
        sock = _socket.socket(family, kind, number)
        try:
            sock.connect(address)
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            return sock
        except OSError as fault:
            sock.close()
            last = fault
    raise last


class Session:
    def __init__(self, name, secret):
        self.name, self.secret, self.generation, self.broken = name, secret, 0, ''
        self.links, self.link, self.since, self.touched, self.known = [], None, now(), now(), False
        self.streams, self.listeners, self.even, self.odd = {}, {}, 0, -1
        self.connected = []  # what threads have made: (stream, socket, fault)
        self.base, self.lock, self.sock, self.agent, self.notice = '', -1, None, '', b''
        self.pid, self.exit, self.status, self.slave = 0, b'', 0, -1
        self.stdin = self.stdout = self.stderr = -1
        self.input, self.input_ended, self.owed, self.deaf = Log(), False, 0, False
        # Output is numbered up to mark: runs [kind, where it ends] of what was are in kept until
        # they are credited, of what was not in queue; unsent is the bytes of these.
        self.output, self.queue, self.kept, self.mark, self.unsent = Log(), deque(), deque(), 0, 0
        self.renumber()

    def renumber(self):
        """Begins the numbered streams of a client."""
        self.log, self.next, self.sent, self.received = Log(), 0, 0, 0
        self.frames, self.exit_at, self.said_end = bytearray(), 0, False

    def say(self, kind, shape='', *values):
        self.log.add(frame(kind, shape, *values))

    # -- Start

    def begin(self, hello, start):
        (self.kind, self.flags, self.timeout, _, columns, rows, width, height, term, modes,
         self.command, port, count, rest) = fields('BBIIIIIIsssIHr', start)
        variables = fields('ss' * count, rest)
        asked = fields('IQQIs', hello[34:])[3]
        # On a small machine less than 1/32 of its memory in all.
        memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        self.window = self.credit = self.allowance = max(PIECE, min(asked, 1 << 26, memory >> 7))
        self.tty, self.started = self.flags & 1, int(time.time())
        self.wake, self.waker = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self.waker, False)
        _signal.set_wakeup_fd(self.waker)
        for number in (_signal.SIGHUP, _signal.SIGINT, _signal.SIGTERM, _signal.SIGCHLD):
            _signal.signal(number, lambda *_: None)
        self.claim()
        if self.kind == 4:
            self.relay(port)
        else:
            self.spawn(term, modes, (rows, columns, width, height), variables)
        os.chdir('/')
        if doomed():
            self.notice = frame(5, 'Bs', 1, b'KillUserProcesses=yes')

    def claim(self):
        """Makes the files, in the first place where that can be done."""
        last = OSError('no private directory')
        for place in places(True):
            self.base = place + self.name.hex()
            try:
                self.lock = os.open(self.base + '.started',
                                    os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                raise
            except OSError as fault:
                last = fault
                continue
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX)
                text = b'%s %d %s %d %d %d\n%s' % (
                    BOOT or b'-', os.getpid(), self.secret.hex().encode(), self.kind, self.flags,
                    self.started, self.command[:1024])
                if os.write(self.lock, text) < len(text):
                    raise OSError('disk full')
                self.bind()
                return
            except OSError as fault:
                last = fault
                self.remove()
        raise last

    def bind(self):
        if self.sock:
            self.sock.close()
        self.sock = None
        try:
            os.unlink(self.base + '.s')
        except OSError:
            pass
        sock = _socket.socket(UNIX, TCP)
        sock.bind(self.base + '.s')
        sock.listen(16)
        sock.setblocking(False)
        self.sock = sock
        agent = os.environ.get('SSH_AUTH_SOCK')
        if self.flags & 8 and agent:
            self.agent = os.path.dirname(self.base) + '/agent.%d' % os.getpid()
            self.point(agent)

    def point(self, agent):
        """Lets SSH_AUTH_SOCK of the process lead to another agent."""
        if self.agent and agent:
            try:
                os.symlink(agent, self.agent + '.new')
                os.rename(self.agent + '.new', self.agent)
            except OSError:
                pass

    def remove(self, forget=True):
        """Removes the files; without forget, nobody else can start what has been started."""
        ends = ['.s', '.started', '.exit'] if forget else ['.s']
        for path in [self.base + end for end in ends] + [self.agent]:
            try:
                os.unlink(path)
            except OSError:
                pass

    def relay(self, port):
        host = self.command
        if not host and not port:
            host, port = os.environb.get(b'SSH_CONNECTION', b'').split()[2:]
        self.peer = dial(b'', host, int(port))
        self.peer.setblocking(False)
        self.stdin, self.stdout = os.dup(self.peer.fileno()), os.dup(self.peer.fileno())

    def spawn(self, term, modes, size, variables):
        import pwd
        user = pwd.getpwuid(UID)
        shell = user.pw_shell or '/bin/sh'
        command = subsystem(self.command) if self.kind == 3 else self.command
        argv = [os.path.basename(shell), '-c', command]
        if self.kind == 1:
            argv = ['-' + argv[0]]
        environment = dict(os.environb)
        environment.update(zip(variables[::2], variables[1::2]))
        if self.agent:
            environment[b'SSH_AUTH_SOCK'] = self.agent.encode()
        if self.tty:
            import termios
            self.stdin, self.slave = os.openpty()
            self.stdout = os.dup(self.stdin)
            set_modes(termios, self.slave, modes)
            self.resize(*size)
            environment[b'TERM'] = term
            environment[b'SSH_TTY'] = os.ttyname(self.slave).encode()
            ends = [self.slave] * 3
        else:
            inner, self.stdin = os.pipe()
            self.stdout, outer = os.pipe()
            self.stderr, error_end = os.pipe()
            ends = [inner, outer, error_end]
        self.pid = os.fork()
        if not self.pid:
            try:
                os.setsid()
                os.umask(UMASK)
                for number, fd in enumerate(ends):
                    os.dup2(fd, number)
                if self.tty:
                    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
                _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
                _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)
                try:
                    os.chdir(user.pw_dir)
                except OSError as fault:
                    say = 'Could not chdir to home directory %s: %s\n'
                    os.write(2, (say % (user.pw_dir, fault.strerror)).encode())
                    os.chdir('/')
                if self.flags & 2 and not os.path.exists('.hushlogin'):
                    greet()
                os.execve(shell, argv, environment)
            except BaseException as fault:
                os.write(2, ('%s: %s\n' % (shell, fault)).encode())
            finally:
                os._exit(1)
        for fd in (self.stdin, self.stdout, self.stderr):
            if fd >= 0:
                os.set_blocking(fd, False)
        if not self.tty:
            for fd in ends:
                os.close(fd)

    # -- The loop

    def run(self):
        while True:
            self.number()
            for link in self.links[:]:
                self.push(link)
            wants = {}

            def want(fd, events, handler, argument):
                if fd >= 0 and events:
                    wants.setdefault(fd, [0, handler, argument])[0] |= events

            want(self.wake, IN, self.woken, 0)
            want(self.sock.fileno() if self.sock else -1, IN, self.accept, 0)
            for link in self.links:
                place = link.reader if link is self.link else link.sock.fileno()
                want(place, 0 if link.closing else IN, self.read, link)
                want(link.writer, OUT if link.out else 0, self.read, link)
            want(self.stdin, OUT if len(self.input) else 0, self.write_input, 0)
            if self.unsent < self.room() and len(self.queue) < PIECE or self.drops():
                want(self.stdout, IN, self.read_output, 1)
                want(self.stderr, IN, self.read_output, 2)
            mayread = self.log.end - self.next < PIECE and len(self.log) < self.window
            for stream in self.streams.values():
                if stream.sock:
                    reads = (mayread and stream.open and stream.credit
                             and not (stream.read_all or stream.gone))
                    want(stream.sock.fileno(), (IN if reads else 0) | (OUT if stream.out else 0),
                         self.attend, stream)
            if len(self.streams) < FORWARDS:
                for number, (socks, _, _) in self.listeners.items():
                    for sock in socks:
                        want(sock.fileno(), IN, self.offer, (number, sock))
            poller = select.poll()
            for fd, (events, _, _) in wants.items():
                poller.register(fd, events)
            for fd, events in poller.poll(self.wait()):
                _, handler, argument = wants[fd]
                handler(argument, events)
            self.look_at_clock()

    def wait(self):
        """Milliseconds until something is to be done of itself."""
        times = [self.touched + 86400]
        if not self.link and self.patience():
            times.append(self.since + self.patience())
        if self.link and self.flags & 4 and self.unsent >= self.room():
            times.append(self.link.heard + SILENCE)
        return max(0, int((min(times) - now()) * 1000) + 1)

    def patience(self):
        """Seconds without a link that the session goes on for, 0 for ever."""
        taken = 0 < self.exit_at <= self.log.base and self.credit == self.window
        return 60 if taken and self.said_end else self.timeout

    def look_at_clock(self):
        if not self.link and self.patience() and now() >= self.since + self.patience():
            self.leave(frame(0x14, 'B', 5), self.known)
        if now() >= self.touched + 86400:
            self.touch()

    def touch(self):
        """Keeps the files young, and makes them anew if somebody has removed them."""
        self.touched = now()
        try:
            os.utime(self.base + '.started')
        except OSError:
            try:
                os.close(self.lock)
                self.claim()
            except OSError:
                pass
        try:
            os.utime(self.base + '.s')
            if self.agent:
                os.utime(self.agent, follow_symlinks=False)
        except OSError:
            try:
                self.bind()
            except OSError:
                pass

    def woken(self, *_):
        told = os.read(self.wake, PIECE)
        if _signal.SIGTERM in told:
            self.leave(frame(0x14, 'B', 5), False)
        if self.pid and not self.exit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended(status)
        while self.connected:
            stream, sock, fault = self.connected.pop(0)
            if self.streams.get(stream.number) is not stream:
                if sock:
                    sock.close()
            elif sock:
                sock.setblocking(False)
                stream.sock, stream.open = sock, True
                self.say(0x11, 'II', stream.number, stream.window)
            else:
                del self.streams[stream.number]
                self.say(0x12, 'IBs', stream.number, 2, fault)

    def ended(self, status):
        if os.WIFSIGNALED(status):
            names = {value: key[3:] for key, value in vars(_signal).items()
                     if key[:3] == 'SIG' and key[3] != '_'}
            name = names.get(os.WTERMSIG(status), 'SIG@openssh.com')
            self.exit = frame(10, 'sBs', name.encode(), os.WCOREDUMP(status), b'')
            self.status = 255
        else:
            self.status = os.WEXITSTATUS(status)
            self.exit = frame(9, 'I', self.status)
        self.since = now()
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1
        try:
            fd = os.open(self.base + '.exit', os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            os.write(fd, b'%d' % self.status)
            os.close(fd)
        except OSError:
            pass

    def leave(self, last, forget):
        """Ends the session, its process and this one."""
        self.remove(forget)
        for number in list(self.listeners):
            self.unlisten(number)
        if self.pid and not self.exit:
            for number in _signal.SIGHUP, _signal.SIGCONT:
                self.signal(number)
        if self.link:
            # Nobody is waited for much longer than this takes.
            _signal.alarm(5)
            os.set_blocking(self.link.writer, True)
            self.link.out += last
            while self.link.out:
                self.link.out = self.link.out[os.write(self.link.writer, self.link.out):]
        os._exit(0)

    # -- L1

    def accept(self, *_):
        try:
            fd, _ = self.sock._accept()
        except OSError:
            return
        sock = _socket.socket(UNIX, TCP, 0, fd)
        peer = getattr(_socket, 'SO_PEERCRED', 0)
        if peer and unpack_from('3i', sock.getsockopt(_socket.SOL_SOCKET, peer, 12))[1] != UID:
            sock.close()
            return
        strangers = [link for link in self.links if link is not self.link]
        if len(strangers) > 8:
            self.drop(strangers[0])
        self.links.append(Link(sock, fd, fd))

    def drop(self, link):
        self.links.remove(link)
        link.close()
        self.away(link)

    def away(self, link):
        if link is self.link:
            self.link, self.since = None, now()
            self.touch()

    def read(self, link, _):
        if link not in self.links or link.closing:
            return
        try:
            if link is self.link:
                data = os.read(link.reader, 2 * PIECE)
            else:
                data, notes, _, _ = link.sock.recvmsg(PIECE, 256)
                fds = [fd for _, _, note in notes for fd in unpack('%di' % (len(note) // 4), note)]
                if len(fds) == 2 and link.reader == link.sock.fileno():
                    link.use(*fds)
                else:
                    for fd in fds:
                        os.close(fd)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if not data:
            self.drop(link)
            return
        link.heard = now()
        link.came += data
        try:
            self.parse(link)
        except (ValueError, IndexError, error) as fault:
            link.refuse(10, str(fault))
            self.away(link)

    def parse(self, link):
        at, came = 0, link.came
        while len(came) - at >= 4 and not link.closing:
            head, = unpack_from('>I', came, at)
            kind, end = head >> 24, at + 4 + (head & 0xffffff)
            if end - at > {2: 262148, 16: 65548}.get(kind, 8196):
                raise ValueError('a frame too long')
            if end > len(came):
                break
            self.take(link, kind, came[at + 4:end])
            at = end
        del came[:at]

    def take(self, link, kind, payload):
        starting, link.starting = link.starting, False
        if link is not self.link:
            if kind == 7 and not link.agent:
                link.agent, = fields('s', payload)
            elif kind == 1:
                self.hello(link, payload)
            else:
                raise ValueError('HELLO is due')
        elif kind == 16:
            offset, data = fields('Qr', payload)
            end = offset + len(data)
            if not data or offset > self.received or end > self.received + self.window:
                raise ValueError('DATA %d to %d after %d' % (offset, end, self.received))
            link.owes = True
            self.frames += data[self.received - offset:]
            self.received = max(self.received, end)
            self.take_frames()
        elif kind == 17:
            self.acknowledged(*fields('QQ', payload))
            self.known = True
        elif kind == 18:
            fields('Q', payload)
            link.pong, self.known = payload, True
        elif kind == 19:
            fields('Q', payload)
        elif kind == 20:
            reason, = fields('B', payload)
            if reason == 2:
                link.out += frame(21)
                link.closing = True
                self.away(link)
            elif reason in (1, 3):
                self.leave(frame(21), True)
            else:
                raise ValueError('BYE %d' % reason)
        elif kind == 21:
            fields('', payload)
        elif kind != 2 or not starting:
            raise ValueError('frame %d' % kind)

    def acknowledged(self, received, consumed):
        if not consumed <= received <= self.sent:
            raise ValueError('ACK %d %d of %d' % (received, consumed, self.sent))
        self.next = max(self.next, received)
        if consumed > self.log.base:
            self.log.free(consumed)

    def hello(self, link, payload, flags=0):
        name, secret = payload[2:18], payload[18:34]
        if payload[0] != 1:
            return link.refuse(1, 'version 1 is spoken here', 1)
        if name != self.name or not _compare_digest(bytes(secret), self.secret):
            return link.refuse(5)
        mode = payload[1]
        generation, received, consumed, _, _ = fields('IQQIs', payload[34:])
        if mode == 4:
            link.out += self.listing() + frame(20, 'B', 6)
            link.closing = True
            return None
        if mode not in (1, 2, 3):
            raise ValueError('mode %d' % mode)
        if mode == 3:
            self.join()
        elif self.broken:
            raise ValueError(self.broken)
        elif generation <= self.generation:
            return link.refuse(6)
        else:
            self.next = 0
            self.acknowledged(received, consumed)
            self.next = max(received, self.log.base)
            self.generation = generation
        old, self.link = self.link, None
        if old:
            old.out += frame(20, 'B', 4)
            self.push(old)
            if old in self.links:
                self.drop(old)
        self.link, link.starting = link, mode == 1 and not flags
        self.known = self.known or mode != 1
        self.point(link.agent)
        link.out += frame(
            3, 'BBIQQIIBBss', 1, flags | 2 * self.input_ended, self.generation, self.received,
            self.received, self.window, os.getpid(), self.kind, self.flags, BOOT,
            self.base.encode() + b'.s') + self.notice
        return None

    def join(self):
        """Begins anew with a client that knows nothing."""
        self.generation = min(self.generation + PIECE, (1 << 32) - 1)
        for stream in list(self.streams.values()):
            self.end(stream)
        for number in list(self.listeners):
            self.unlisten(number)
        self.renumber()
        self.queue, self.kept = self.kept + self.queue, deque()
        self.unsent += self.window - self.credit
        self.mark, self.credit, self.broken = self.output.base, self.window, ''
        self.allowance, self.owed = self.window - len(self.input), 0
        self.say(3, 'II', 0, self.allowance)

    def push(self, link):
        """Writes what the link takes."""
        while True:
            try:
                link.out = link.out[os.write(link.writer, link.out):] if link.out else b''
            except BlockingIOError:
                return
            except OSError:
                return self.drop(link)
            if link.out:
                return
            if link.closing:
                return self.drop(link)
            if link is not self.link:
                return
            pieces = []
            if link.owes or link.pong:
                pieces.append(frame(17, 'QQ', self.received, self.received))
            if link.pong:
                pieces.append(frame(19, 'r', link.pong))
            link.owes, link.pong = False, b''
            limit = min(self.log.end, self.log.base + self.window)
            for _ in 0, 1:
                if self.next < limit:
                    data = self.log.get(self.next, limit - self.next)
                    pieces += pack('>IQ', 16 << 24 | 8 + len(data), self.next), data
                    self.next += len(data)
            self.sent = max(self.sent, self.next)
            link.out = b''.join(pieces)
            if not pieces:
                return

    def listing(self):
        flags = self.tty | (2 if self.link else 0) | (4 if self.exit else 0)
        away = 0 if self.link else int(now() - self.since)
        return frame(6, 'rrBBQIIs', self.name, self.secret, self.kind, flags, self.started, away,
                     os.getpid(), self.command[:1024])

    # -- L2

    def take_frames(self):
        at, came = 0, self.frames
        try:
            while len(came) - at >= 4:
                head, = unpack_from('>I', came, at)
                end = at + 4 + (head & 0xffffff)
                if end - at > 32776:
                    raise ValueError('a frame too long')
                if end > len(came):
                    break
                self.obey(head >> 24, came[at + 4:end])
                at = end
            del came[:at]
            if len(self.log) > self.window + (1 << 20):
                raise ValueError('too much to be answered')
        except (ValueError, error) as fault:
            # What is in the numbered bytes comes the same over any other link.
            self.broken = str(fault)
            raise

    def stream(self, number):
        """A stream that frames may be for; None when it is over."""
        if number > (self.odd if number % 2 else self.even):
            raise ValueError('stream %d never was' % number)
        stream = self.streams.get(number)
        return None if not stream or stream.gone else stream

    def obey(self, kind, payload):
        if kind == 1:
            number, data = fields('Ir', payload)
            if not number:
                self.allowance -= len(data)
                if not data or self.input_ended or self.allowance < 0:
                    raise ValueError('DATA beyond the window or the end')
                self.input.add(data)
                return self.write_input()
            stream = self.stream(number)
            if stream:
                stream.left -= len(data)
                if not data or not stream.open or stream.ended or stream.left < 0:
                    raise ValueError('DATA beyond the window or the end')
                stream.out.add(data)
                self.write(stream)
        elif kind == 3:
            number, count = fields('II', payload)
            if not number:
                return self.credited(count)
            stream = self.stream(number)
            if stream:
                stream.credit += count
                if stream.credit > 1 << 31:
                    raise ValueError('WINDOW beyond 2^31')
        elif kind == 4:
            number, = fields('I', payload)
            if not number:
                self.input_ended = True
                return self.write_input()
            stream = self.stream(number)
            if stream:
                stream.ended = True
                self.write(stream)
        elif kind == 5:
            number, reset = fields('IB', payload)
            if not number:
                return self.stop_output()
            stream = self.stream(number)
            if stream and not stream.open:
                self.say(18, 'IBs', number, 2, b'')
                self.end(stream)
            elif stream:
                self.say(5, 'IB', number, 0)
                stream.gone = True
                if reset:
                    self.end(stream, True)
                else:
                    self.write(stream)
        elif kind == 6:
            columns, rows, width, height, redraw = fields('IIIIB', payload)
            self.resize(rows, columns, width, height, redraw)
        elif kind == 7:
            name, = fields('s', payload)
            number = vars(_signal).get('SIG' + name.decode())
            if isinstance(number, int) and number > 0:
                self.signal(number)
        elif kind == 8:
            fields('I', payload)
            if self.tty and self.stdin >= 0:
                import termios
                termios.tcsendbreak(self.stdin, 0)
        elif kind == 16:
            self.connect(*fields('IIBsIsII', payload))
        elif kind == 17:
            number, credit = fields('II', payload)
            stream = self.stream(number)
            if stream:
                if stream.open or not number % 2:
                    raise ValueError('OPENED, stream %d' % number)
                stream.open, stream.credit = True, credit
        elif kind == 18:
            number, _, _ = fields('IBs', payload)
            stream = self.stream(number)
            if stream:
                if stream.open or not number % 2:
                    raise ValueError('REFUSED, stream %d' % number)
                self.end(stream)
        elif kind == 24:
            self.listen(*fields('IBsI', payload))
        elif kind == 27:
            self.unlisten(*fields('I', payload))
        else:
            raise ValueError('frame %d in the stream' % kind)

    # -- The process

    def write_input(self, *_):
        while len(self.input) and self.stdin >= 0:
            try:
                count = os.write(self.stdin, self.input.get(self.input.base))
            except BlockingIOError:
                break
            except OSError:
                self.close('stdin')
            else:
                self.input.free(self.input.base + count)
                self.owed += count
        if self.stdin < 0:
            # It reads no more; what it is sent counts as put down.
            self.owed += len(self.input)
            self.input.free(self.input.end)
        if self.input_ended and not len(self.input) and not self.tty:
            self.close('stdin')
        if self.owed >= min(self.window // 4, 1 << 18):
            self.say(3, 'II', 0, self.owed)
            self.allowance += self.owed
            self.owed = 0

    def close(self, name):
        """Closes stdin, stdout or stderr of the process, or a way of the relay."""
        fd = getattr(self, name)
        setattr(self, name, -1)
        if fd < 0:
            return
        os.close(fd)
        if self.kind == 4:
            if name == 'stdin':
                try:
                    self.peer.shutdown(_socket.SHUT_WR)
                except OSError:
                    self.close('stdout')
            if self.stdin < 0 and self.stdout < 0 and not self.exit:
                clean = self.relayed and self.input_ended and not len(self.input)
                self.ended(0 if clean else 0xff00)

    def room(self):
        """Bytes that may wait to be numbered."""
        return max(self.window // 4, self.window - len(self.log))

    def drops(self):
        return self.flags & 4 and not (self.link and now() - self.link.heard < SILENCE)

    def read_output(self, kind, _):
        name = 'stdout' if kind == 1 else 'stderr'
        try:
            data = os.read(getattr(self, name), PIECE)
            self.relayed = not data
        except BlockingIOError:
            return
        except OSError:
            # A terminal's end is an error; so is that of a broken connection.
            data = b''
            if self.kind == 4:
                self.close('stdin')
        if not data:
            return self.close(name)
        if kind == 1 and self.deaf:
            return
        self.output.add(data)
        self.unsent += len(data)
        if self.queue and self.queue[-1][0] == kind:
            self.queue[-1][1] = self.output.end
        else:
            self.queue.append([kind, self.output.end])
        while self.unsent > self.room() and self.drops():
            self.skip()

    def skip(self):
        """Drops the oldest block of output that is not numbered."""
        kind, end = self.queue[0]
        at = end if kind == 11 else self.mark
        to = min((at // PIECE + 1) * PIECE, self.output.end)
        while self.queue and self.queue[0][1] <= to:
            self.queue.popleft()
        self.queue.appendleft([11, to])
        self.unsent -= to - at
        if to % PIECE == 0 and (at // PIECE > self.mark // PIECE or self.mark % PIECE == 0):
            self.output.blocks.pop(at // PIECE, None)

    def number(self):
        """Gives output its place among the numbered bytes, as much as can be sent soon."""
        while self.link and self.log.end - self.next < PIECE:
            if self.queue:
                kind, end = self.queue[0]
                count = end - self.mark
                if kind == 11:
                    self.say(11, 'Q', count)
                elif kind:
                    data = self.output.get(self.mark, min(count, 32768, self.credit))
                    count = len(data)
                    if not count:
                        return
                    self.say(kind, 'Ir', 0, data)
                    self.credit -= count
                    self.unsent -= count
                self.mark += count
                if kind not in HOLES and self.kept and self.kept[-1][0] == kind:
                    self.kept[-1][1] = self.mark
                else:
                    self.kept.append([kind, self.mark])
                if self.mark == end:
                    self.queue.popleft()
            elif self.stdout < 0 and self.stderr < 0 and not self.said_end:
                self.said_end = True
                self.say(4, 'I', 0)
            elif self.exit and not self.exit_at and (self.said_end or not self.tty):
                self.log.add(self.exit)
                self.exit_at = self.log.end
            else:
                return

    def credited(self, count):
        if count > self.window - self.credit:
            raise ValueError('WINDOW for more than was sent')
        self.credit += count
        while count:
            kind, end = self.kept[0]
            step = end - self.output.base
            if kind not in HOLES:
                step = min(step, count)
                count -= step
            self.output.free(self.output.base + step)
            if self.output.base == end:
                self.kept.popleft()

    def stop_output(self):
        self.deaf = True
        if not self.tty:
            self.close('stdout')
        at = self.mark
        for run in self.queue:
            if run[0] == 1:
                run[0] = 0
                self.unsent -= run[1] - at
            at = run[1]

    def resize(self, rows, columns, width, height, redraw=0):
        if not self.tty:
            return
        import termios
        size = pack('=4H', *[min(number, PIECE - 1) for number in (rows, columns, width, height)])
        try:
            fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, size)
            if redraw:
                os.killpg(os.tcgetpgrp(self.stdin), _signal.SIGWINCH)
        except OSError:
            pass

    def signal(self, number):
        try:
            if self.pid and not self.exit:
                os.killpg(self.pid, number)
        except OSError:
            pass

    # -- Forwarded connections

    def allot(self):
        """The window of a new stream: together they hold little more than the process does."""
        held = sum(stream.window for stream in self.streams.values())
        return max(32768, min(1 << 20, (self.window - held) // 4))

    def connect(self, number, credit, kind, host, port, *_):
        if number % 2 or number <= self.even or kind not in (1, 2):
            raise ValueError('OPEN, stream %d, kind %d' % (number, kind))
        self.even = number
        stream = Stream(number, credit, self.allot())

        def work():
            try:
                sock, fault = dial(host if kind == 2 else b'', host, port), b''
            except (OSError, ValueError, OverflowError) as why:
                sock, fault = None, (getattr(why, 'strerror', '') or str(why)).encode()
            self.connected.append((stream, sock, fault))
            try:
                os.write(self.waker, b'\0')
            except BlockingIOError:
                pass

        try:
            if len(self.streams) >= FORWARDS:
                raise RuntimeError
            _thread.start_new_thread(work, ())
            self.streams[number] = stream
        except RuntimeError:
            self.say(18, 'IBs', number, 4, b'too many connections')

    def attend(self, stream, events):
        if self.streams.get(stream.number) is not stream:
            return
        if events & ~IN and len(stream.out):
            self.write(stream)
        if stream.sock and stream.open and stream.credit and not (stream.read_all or stream.gone):
            try:
                data = os.read(stream.sock.fileno(), min(stream.credit, 32768))
            except BlockingIOError:
                return
            except OSError:
                return self.reset(stream)
            if data:
                stream.credit -= len(data)
                self.say(1, 'Ir', stream.number, data)
            else:
                stream.read_all = True
                self.say(4, 'I', stream.number)
                self.write(stream)

    def write(self, stream):
        out = stream.out
        try:
            while len(out):
                count = os.write(stream.sock.fileno(), out.get(out.base))
                out.free(out.base + count)
                stream.owed += count
            if stream.ended and not stream.gone:
                stream.sock.shutdown(_socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            return self.reset(stream)
        if stream.gone:
            if not len(out):
                self.end(stream)
        elif stream.ended and stream.read_all and not len(out):
            self.say(5, 'IB', stream.number, 0)
            self.end(stream)
        elif stream.owed >= stream.window // 4:
            self.say(3, 'II', stream.number, stream.owed)
            stream.left += stream.owed
            stream.owed = 0

    def reset(self, stream):
        if not stream.gone:
            self.say(5, 'IB', stream.number, 1)
        self.end(stream, True)

    def end(self, stream, reset=False):
        if self.streams.pop(stream.number, None) and stream.sock:
            if reset:
                # Nothing more is sent of what is under way.
                stream.sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, pack('=2i', 1, 0))
            stream.sock.close()
            stream.sock = None

    def listen(self, number, kind, host, port):
        text = host.decode()
        family, socks, fault = UNIX, [], 'no address'
        names = {'': ('0.0.0.0', '::'), 'localhost': ('127.0.0.1', '::1')}.get(text, (text,))
        for name in names:
            try:
                if number in self.listeners or len(self.listeners) > 63:
                    raise OSError('too many listeners')
                if kind != 2:
                    family = _socket.AF_INET6 if ':' in name else _socket.AF_INET
                sock = _socket.socket(family, TCP)
                if kind == 2:
                    os.umask(0o177)
                    sock.bind(name)
                else:
                    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
                    if family == _socket.AF_INET6:
                        sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 1)
                    sock.bind((name, port))
                    port = sock.getsockname()[1]
                sock.listen(128)
                sock.setblocking(False)
                socks.append(sock)
            except (OSError, OverflowError, ValueError) as why:
                fault = getattr(why, 'strerror', '') or str(why)
        if not socks:
            return self.say(26, 'Is', number, fault.encode())
        self.listeners[number] = socks, host, port if kind != 2 else 0
        self.say(25, 'II', number, port if kind != 2 else 0)

    def unlisten(self, number):
        socks, host, port = self.listeners.pop(number, ((), b'', 0))
        for sock in socks:
            sock.close()
        if socks and not port:
            try:
                os.unlink(host)
            except OSError:
                pass

    def offer(self, listener, _):
        number, sock = listener
        if number not in self.listeners or len(self.streams) >= FORWARDS:
            return
        try:
            fd, address = sock._accept()
        except OSError:
            return
        _, host, port = self.listeners[number]
        self.odd += 2
        made = _socket.socket(_socket.AF_INET if port else UNIX, TCP, 0, fd)
        made.setblocking(False)
        stream = Stream(self.odd, 0, self.allot(), made)
        self.streams[self.odd] = stream
        origin, origin_port = address[:2] if port else ('', 0)
        self.say(16, 'IIBsIsII', self.odd, stream.window, 3, host, port, origin.encode(),
                 origin_port, number)


# -- What sshd does for a shell --------------------------------------------------------------------

def set_modes(termios, tty, modes):
    """Sets a terminal's modes as encoded in RFC 4254 section 8."""
    known_modes = {}
    for first, row in (
            (1, 'VINTR VQUIT VERASE VKILL VEOF VEOL VEOL2 VSTART VSTOP VSUSP VDSUSP VREPRINT VWERASE '
                'VLNEXT VFLUSH VSWTC VSTATUS VDISCARD'),
            (30, 'IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL IUTF8'),
            (50, 'ISIG ICANON XCASE ECHO ECHOE ECHOK ECHONL NOFLSH TOSTOP IEXTEN ECHOCTL ECHOKE '
                 'PENDIN'),
            (70, 'OPOST OLCUC ONLCR OCRNL ONOCR ONLRET'),
            (90, 'CS7 CS8 PARENB PARODD')):
        for number, name in enumerate(row.split(), first):
            known_modes[number] = name
    state = termios.tcgetattr(tty)
    at = 0
    while at + 5 <= len(modes) and 0 < modes[at] < 160:
        number, value = unpack_from('>BI', modes, at)
        at += 5
        name = known_modes.get(number, '')
        known = getattr(termios, name, 0x4000 if name == 'IUTF8' else None)
        if number in (128, 129):
            state[number - 124] = getattr(termios, 'B%d' % value, state[number - 124])
        elif known is None:
            continue
        elif number < 30:
            state[6][known] = b'\0' if value == 255 else bytes([value & 255])
        else:
            field = 0 if number < 50 else 3 if number < 70 else 1 if number < 90 else 2
            clear = termios.CSIZE if name in ('CS7', 'CS8') and value else known
            state[field] = state[field] & ~clear | (known if value else 0)
    termios.tcsetattr(tty, termios.TCSANOW, state)


def greet():
    """What sshd and pam_motd print before a shell."""
    files = {}
    for place in '/usr/lib/motd.d/', '/run/motd.d/', '/etc/motd.d/':
        files.update((name, place + name) for name in listdir(place))
    single = [path for path in ('/etc/motd', '/run/motd', '/usr/lib/motd')
              if os.path.exists(path)][:1]
    for path in ['/run/motd.dynamic'] + single + [files[name] for name in sorted(files)]:
        os.write(1, slurp(path))
    try:
        with open('/var/log/lastlog', 'rb') as file:
            file.seek(292 * UID)
            then, host = unpack_from('=I32x256s', file.read(292))
        # Where the login that carries this is recorded too, nothing is known of the one before.
        if 0 < then < time.time() - 60:
            host = host.partition(b'\0')[0].decode('utf-8', 'replace')
            os.write(1, ('Last login: %s%s\n' % (
                time.ctime(then), ' from ' + host if host else '')).encode())
    except (OSError, error):
        pass


def subsystem(name):
    """The command of a subsystem of sshd."""
    for path in ['/etc/ssh/sshd_config'] + [
            '/etc/ssh/sshd_config.d/' + entry for entry in listdir('/etc/ssh/sshd_config.d')]:
        for line in slurp(path).splitlines():
            words = line.split(None, 2)
            if len(words) > 2 and words[0].lower() == b'subsystem' and words[1] == name \
                    and words[2].strip() != b'internal-sftp':
                return words[2]
    for path in '/usr/lib/openssh', '/usr/libexec/openssh', '/usr/lib/ssh', '/usr/libexec':
        if name == b'sftp' and os.access(path + '/sftp-server', os.X_OK):
            return (path + '/sftp-server').encode()
    raise OSError('no subsystem ' + name.decode())


def doomed():
    """Whether logind will kill what this login leaves behind."""
    if not UID or b'/session-' not in slurp('/proc/self/cgroup'):
        return False
    files, answer = {}, b'no'
    for place in '/usr/lib', '/usr/local/lib', '/run', '/etc':
        path = place + '/systemd/logind.conf'
        if os.path.exists(path):
            files[''] = path
        files.update((name, path + '.d/' + name) for name in listdir(path + '.d'))
    for name in sorted(files):
        for line in slurp(files[name]).splitlines():
            key, _, value = line.partition(b'=')
            if key.strip() == b'KillUserProcesses':
                answer = value.strip().lower()
    return answer in (b'yes', b'true', b'on', b'1', b'y', b't')


# -- The process that the exec request runs --------------------------------------------------------

def exactly(count):
    data = b''
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return data


def refuse(code, text='', value=0):
    os.write(1, frame(4, 'BIs', code, value, text.encode()))
    os._exit(0)


def read_frame(kind, limit):
    head, = unpack('>I', exactly(4))
    if head >> 24 != kind or head & 0xffffff > limit:
        refuse(10, 'frame %d where %d is due' % (head >> 24, kind))
    return exactly(head & 0xffffff)


def wait_for(sock):
    """Until the remote half has done with our descriptors: sshd watches this process."""
    try:
        sock.recv(1)
    except OSError:
        pass
    os._exit(0)


def tell():
    """Lists the sessions of this account."""
    for place in places():
        for name in listdir(place):
            if len(name) != 40 or name[32:] != '.started':
                continue
            line, _, command = slurp(place + name).partition(b'\n')
            found, _ = look(place + name[:32])
            try:
                _, pid, secret, kind, flags, started = line.split()
                name, secret = bytes.fromhex(name[:32]), bytes.fromhex(secret.decode())
                if not isinstance(found, int):
                    found.settimeout(2)
                    found.sendall(
                        frame(1, 'BBrrIQQIs', 1, 4, name, secret, 0, 0, 0, 0, b''))
                    told = b''
                    while len(told) < 4 or len(told) < 4 + (unpack_from('>I', told)[0] & 0xffffff):
                        piece = found.recv(PIECE)
                        if not piece:
                            raise OSError
                        told += piece
                    if told[0] == 6:
                        os.write(1, told[:4 + (unpack_from('>I', told)[0] & 0xffffff)])
                elif found != 9:
                    os.write(1, frame(
                        6, 'rrBBQIIs', name, secret, int(kind),
                        int(flags) & 1 | 8 | (4 if found == 8 else 0), int(started), 0, int(pid),
                        command))
            except (OSError, ValueError):
                pass
    os.write(1, frame(20, 'B', 6))
    os._exit(0)


def main():
    os.write(1, b'EC2SH-RESUM' b'E 1\n')
    hello = read_frame(1, 8192)
    if hello[:1] != b'\1':
        refuse(1, 'version 1 is spoken here', 1)
    try:
        mode, name, secret = hello[1], hello[2:18], hello[18:34]
        _, _, _, _, boot = fields('IQQIs', hello[34:])
        start = read_frame(2, 262144) if mode == 1 else b''
        since, = unpack_from('>I', start, 6) if mode == 1 else (0,)
    except (IndexError, ValueError, error) as fault:
        refuse(10, str(fault))
    if mode == 4:
        tell()
    for _ in range(20):
        found, value = 0, 0
        for place in places():
            found, value = look(place + name.hex())
            if found:
                break
        if found != 9:
            break
        time.sleep(.1)
    if not isinstance(found, int):
        # START is not needed any more.
        if mode == 1:
            hello = hello[:1] + b'\2' + hello[2:]
        agent = os.environb.get(b'SSH_AUTH_SOCK', b'')
        try:
            found.sendmsg([frame(7, 's', agent) + frame(1, 'r', hello)],
                          [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, pack('2i', 0, 1))])
        except OSError:
            pass
        wait_for(found)
    uptime = slurp('/proc/uptime').split()
    if not found and mode == 1 and uptime and since > float(uptime[0]):
        found = 4
    if not found and mode != 1:
        found = 2 if boot in (b'', BOOT) else 4
    if found:
        refuse(found, '', value)
    try:
        ours, theirs = _socket.socketpair()
        if os.fork():
            theirs.close()
            wait_for(ours)
    except OSError as fault:
        refuse(7, str(fault))
    ours.close()
    os.setsid()
    link = Link(theirs, os.dup(0), os.dup(1))
    null = os.open('/dev/null', os.O_RDWR)
    for fd in 0, 1, 2:
        os.dup2(null, fd)
    session = Session(name, secret)
    session.links.append(link)
    try:
        session.begin(hello, start)
        session.hello(link, hello, 1)
    except FileExistsError:
        link.refuse(9)
    except (ValueError, error) as fault:
        session.remove()
        link.refuse(10, str(fault))
    except (OSError, KeyError) as fault:
        session.remove()
        link.refuse(7, str(fault))
    if link.closing:
        session.push(link)
        os._exit(0)
    sweep()
    session.run()


main()
