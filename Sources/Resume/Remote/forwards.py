# Forwarded connections and listeners: the streams of L2 but the process's own.

import _thread


class Stream:
    """A connection; sock is None while it is being made, gone after CLOSE."""

    def __init__(self, number, credit, window, sock=None):
        self.number, self.credit, self.window, self.sock = number, credit, window, sock
        self.out, self.left, self.owed = Log(), window, 0
        self.open = self.ended = self.shut = self.read_all = self.gone = False

    def may_read(self):
        return self.sock and self.open and self.credit and not (self.read_all or self.gone)


class Forwards:
    def __init__(self, session):
        self.session, self.say, self.even, self.odd = session, session.say, 0, -1
        self.streams, self.listeners = {}, {}
        # Threads at work, and what they have made: (stream, socket, fault).
        self.working, self.connected = 0, []
        _thread.stack_size(1 << 18)

    def want(self, want):
        numbered = self.session.numbered
        flows = numbered.waiting() < PIECE and len(numbered.log) < numbered.window
        for stream in self.streams.values():
            if stream.sock:
                events = (IN if flows and stream.may_read() else 0) | (OUT if stream.out else 0)
                want(stream.sock.fileno(), events, self.attend, stream)
        if len(self.streams) < FORWARDS_AT_A_TIME:
            for number, (socks, _, _) in self.listeners.items():
                for sock in socks:
                    want(sock.fileno(), IN, self.offer, (number, sock))

    def end_all(self):
        for stream in list(self.streams.values()):
            self.end(stream)
        for number in list(self.listeners):
            self.unlisten(number)
        self.even, self.odd = 0, -1

    # -- Frames

    def stream(self, number):
        """The stream that a frame is for; None when it is over."""
        if number > (self.odd if number % 2 else self.even):
            raise ValueError('stream %d never was' % number)
        stream = self.streams.get(number)
        return None if not stream or stream.gone else stream

    def answered(self, number, *rest):
        """An offer was answered."""
        stream = self.stream(number)
        if stream and (stream.open or not number % 2):
            raise ValueError('an answer for stream %d' % number)
        return (stream, *rest)

    def obey(self, kind, payload):
        if kind == 16:
            self.make(*fields('IIBsIsII', payload))
        elif kind == 17:
            stream, credit = self.answered(*fields('II', payload))
            if stream:
                stream.open, stream.credit = True, credit
        elif kind == 18:
            stream, _, _ = self.answered(*fields('IBs', payload))
            if stream:
                self.end(stream)
        elif kind == 24:
            self.listen(*fields('IBsI', payload))
        elif kind == 27:
            self.unlisten(*fields('I', payload))
        elif kind in (1, 3, 4, 5):
            number, rest = fields('Ir', payload)
            stream = self.stream(number)
            if stream:
                self.take(stream, kind, rest)
        else:
            raise ValueError('frame %d in the stream' % kind)

    def take(self, stream, kind, rest):
        if kind == 1:
            stream.left -= len(rest)
            if not rest or not stream.open or stream.ended or stream.left < 0:
                raise ValueError('DATA beyond the window or the end')
            stream.out.add(rest)
        elif kind == 3:
            stream.credit += fields('I', rest)[0]
            if stream.credit > 1 << 31:
                raise ValueError('WINDOW beyond 2^31')
        elif kind == 4:
            fields('', rest)
            stream.ended = True
        elif not stream.open:
            self.say(18, 'IBs', stream.number, 2, b'')
            return self.end(stream)
        else:
            self.say(5, 'IB', stream.number, 0)
            stream.gone = True
            if fields('B', rest)[0]:
                return self.end(stream, True)
        if stream.sock and stream.open:
            self.write(stream)

    # -- Connections

    def allot(self):
        """The window of a new stream; together they are little more than the session's own."""
        held = sum(stream.window for stream in self.streams.values())
        return max(32768, min(1 << 20, (self.session.window - held) // 4))

    def make(self, number, credit, kind, host, port, *_):
        if number % 2 or number <= self.even or kind not in (1, 2):
            raise ValueError('OPEN, stream %d, kind %d' % (number, kind))
        self.even = number
        stream = Stream(number, credit, self.allot())

        def work():
            try:
                sock, fault = dial(host if kind == 2 else b'', host, port), b''
            except (OSError, ValueError, OverflowError) as why:
                sock, fault = None, words(why)
            self.connected.append((stream, sock, fault))
            try:
                os.write(self.session.waker, b'\0')
            except BlockingIOError:
                pass

        try:
            if max(len(self.streams), self.working) >= FORWARDS_AT_A_TIME:
                raise RuntimeError
            _thread.start_new_thread(work, ())
            self.working += 1
            self.streams[number] = stream
        except RuntimeError:
            self.say(18, 'IBs', number, 4, b'too many connections')

    def connect(self):
        """Takes what the threads have made."""
        while self.connected:
            stream, sock, fault = self.connected.pop(0)
            self.working -= 1
            if self.streams.get(stream.number) is not stream:
                if sock:
                    sock.close()
            elif sock:
                sock.setblocking(False)
                stream.sock, stream.open = sock, True
                self.say(17, 'II', stream.number, stream.window)
            else:
                del self.streams[stream.number]
                self.say(18, 'IBs', stream.number, 2, fault)

    def attend(self, stream, events):
        if self.streams.get(stream.number) is not stream:
            return
        if events & ~IN and len(stream.out):
            self.write(stream)
        if not stream.may_read():
            return
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
                count = os.write(stream.sock.fileno(), out.view(out.base))
                out.free(out.base + count)
                stream.owed += count
            if stream.ended and not stream.shut:
                stream.shut = True
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
                # What is under way to it is dropped, and it sees that.
                stream.sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, pack('2i', 1, 0))
            stream.sock.close()
            stream.sock = None

    # -- Listeners

    def listen(self, number, kind, host, port):
        name = host.decode()
        socks, fault = [], b'no such kind'
        names = {'': ('0.0.0.0', '::'), 'localhost': ('127.0.0.1', '::1')}.get(name, (name,))
        for name in names if kind in (1, 2) else ():
            try:
                if number in self.listeners or len(self.listeners) > 63:
                    raise OSError('too many listeners')
                if '\0' in name:
                    raise OSError('no name')
                if kind == 2:
                    sock, address, port = _socket.socket(UNIX, TCP), name, 0
                else:
                    six = ':' in name
                    sock = _socket.socket(_socket.AF_INET6 if six else _socket.AF_INET, TCP)
                    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
                    if six:
                        sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 1)
                    address = name, port
                sock.bind(address)
                sock.listen(128)
                sock.setblocking(False)
                socks.append(sock)
                port = sock.getsockname()[1] if kind == 1 else 0
            except (OSError, OverflowError, ValueError) as why:
                fault = words(why)
        if not socks:
            return self.say(26, 'Is', number, fault)
        self.listeners[number] = socks, host, port
        self.say(25, 'II', number, port)

    def unlisten(self, number):
        socks, host, port = self.listeners.pop(number, ((), b'', 0))
        for sock in socks:
            sock.close()
        if socks and not port:
            unlink(host)

    def offer(self, listener, _):
        number, sock = listener
        if number not in self.listeners or len(self.streams) >= FORWARDS_AT_A_TIME:
            return
        try:
            fd, address = sock._accept()
        except OSError:
            return
        _, host, port = self.listeners[number]
        made = _socket.socket(sock.family, TCP, 0, fd)
        made.setblocking(False)
        self.odd += 2
        stream = self.streams[self.odd] = Stream(self.odd, 0, self.allot(), made)
        origin = address[:2] if port else ('', 0)
        self.say(16, 'IIBsIsII', self.odd, stream.window, 3, host, port, origin[0].encode(),
                 origin[1], number)


def words(fault):
    return (getattr(fault, 'strerror', '') or str(fault)).encode()
