# Links, and what is said on them before and besides the numbered bytes (L1).

import select
import _signal
from _operator import _compare_digest
from _struct import unpack


class Link:
    """A pipe to a client, or to somebody who has yet to say HELLO."""

    def __init__(self, sock, reader, writer):
        self.sock, self.agent, self.heard = sock, b'', now()
        self.came = self.out = self.pong = b''
        self.owes = self.closing = self.starting = False
        self.use(reader, writer)

    def use(self, reader, writer):
        self.reader, self.writer = reader, writer
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

    def receive(self):
        """From somebody who may hand descriptors over."""
        data, notes, _, _ = self.sock.recvmsg(PIECE, 256)
        fds = [fd for _, _, note in notes for fd in unpack('%di' % (len(note) // 4), note)]
        if len(fds) == 2 and self.reader == self.sock.fileno():
            self.use(*fds)
        else:
            for fd in fds:
                os.close(fd)
        return data

    def refuse(self, code, text='', value=0):
        self.out += frame(4, 'BIs', code, value, text.encode())
        self.closing = True

    def close(self):
        for fd in {self.reader, self.writer} - {self.sock.fileno()}:
            os.close(fd)
        self.sock.close()


class Links:
    """The links of a session; one at most, link, carries it."""

    def __init__(self, name, secret):
        self.name, self.secret, self.generation, self.broken = name, secret, 0, ''
        self.links, self.link, self.since, self.known = [], None, now(), False

    def accept(self, *_):
        try:
            fd, _ = self.sock._accept()
        except OSError:
            return
        sock = _socket.socket(UNIX, TCP, 0, fd)
        option = getattr(_socket, 'SO_PEERCRED', 0)
        if option and unpack('3i', sock.getsockopt(_socket.SOL_SOCKET, option, 12))[1] != UID:
            sock.close()
            return
        strangers = [link for link in self.links if link is not self.link]
        if len(strangers) > 8:
            self.drop(strangers[0])
        self.links.append(Link(sock, fd, fd))

    def drop(self, link):
        self.links.remove(link)
        link.close()
        self.lose(link)

    def lose(self, link):
        """The link carries the session no more."""
        if link is self.link:
            self.link, self.since = None, now()
            self.touch()

    # -- In

    def read(self, link, _):
        if link not in self.links:
            return
        try:
            data = os.read(link.reader, BULK) if link is self.link else link.receive()
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if not data:
            return self.drop(link)
        if link.closing:
            # What it still says is nothing; that it can say it lets it come to reading.
            return
        link.heard = now()
        link.came += data
        try:
            self.parse(link)
        except Exception as fault:
            # Of any kind: it is better refused than the session ended.
            link.refuse(10, str(fault))
            self.lose(link)

    def parse(self, link):
        at, came = 0, memoryview(link.came)
        while len(came) - at >= 4 and not link.closing:
            head, = unpack_from('>I', came, at)
            kind, end = head >> 24, at + 4 + (head & 0xffffff)
            if end - at > {2: 262148, 16: 65548}.get(kind, 8196):
                raise ValueError('a frame too long')
            if end > len(came):
                break
            self.take(link, kind, came[at + 4:end])
            at = end
        link.came = link.came[at:]

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
            link.owes = True
            data = self.numbered.take(*fields('Qr', payload))
            self.take_frames(self.frames + bytes(data) if self.frames else data)
        elif kind == 17:
            self.numbered.acknowledged(*fields('QQ', payload))
            self.known = True
        elif kind == 18:
            fields('Q', payload)
            link.pong, self.known = bytes(payload), True
        elif kind == 19:
            fields('Q', payload)
        elif kind == 20:
            reason, = fields('B', payload)
            if reason in (1, 3):
                self.leave(frame(21), True)
            elif reason != 2:
                raise ValueError('BYE %d' % reason)
            link.out += frame(21)
            link.closing = True
            self.lose(link)
        elif kind == 21:
            fields('', payload)
        elif kind != 2 or not starting:
            raise ValueError('frame %d' % kind)

    def hello(self, link, payload, flags=0):
        if payload[:1] != b'\1':
            return link.refuse(1, 'this is version 1', 1)
        _, mode, name, secret, generation, received, consumed, _, _ = fields(
            'BBkkIQQIs', payload)
        if name != self.name or not _compare_digest(secret, self.secret):
            return link.refuse(5)
        if mode == 4:
            link.out += self.listing() + frame(20, 'B', 6)
            link.closing = True
            return None
        if mode == 3:
            self.generation = min(self.generation + PIECE, (1 << 32) - 1)
            self.begin_anew()
        elif mode not in (1, 2) or self.broken:
            raise ValueError(self.broken or 'mode %d' % mode)
        elif generation <= self.generation:
            return link.refuse(6)
        else:
            self.numbered.go_on(received, consumed)
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
        taken = self.numbered.received
        link.out += frame(
            3, 'BBIQQIIBBss', 1, flags | 2 * self.input_ended, self.generation, taken, taken,
            self.window, os.getpid(), self.kind, self.flags, BOOT,
            self.base.encode() + b'.s') + self.notice
        return None

    def listing(self):
        flags = self.tty | (2 if self.link else 0) | (4 if self.exit else 0)
        away = 0 if self.link else int(now() - self.since)
        return frame(6, 'kkBBQIIs', self.name, self.secret, self.kind, flags, self.started, away,
                     os.getpid(), self.command[:1024])

    # -- Out

    def push_later(self, *_):
        # A link takes more: all are pushed in each turn.
        pass

    def push(self, link):
        """Writes what the link takes."""
        while True:
            pieces, size = [link.out], len(link.out)
            if link is self.link and not link.closing:
                if link.owes or link.pong:
                    taken = self.numbered.received
                    pieces.append(frame(17, 'QQ', taken, taken))
                if link.pong:
                    pieces.append(frame(19, 'r', link.pong))
                link.owes, link.pong = False, b''
                while size < BULK:
                    piece = self.numbered.piece()
                    if not piece:
                        break
                    pieces += piece
                    size += len(piece[1])
            left = sum(map(len, pieces))
            try:
                done = os.writev(link.writer, pieces) if left else 0
            except BlockingIOError:
                done = 0
            except OSError:
                return self.drop(link)
            if done < left:
                # Of some of these bytes the place may be used again.
                link.out = b''.join(pieces)[done:]
                if left > PIECE:
                    widen(link.writer)
                return
            link.out = b''
            if link.closing:
                return self.drop(link)
            if size < BULK:
                return
