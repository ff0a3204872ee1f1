# A session: its loop, its clock, and the frames of the numbered bytes (L2).

UMASK = os.umask(0o77)
FORWARDS_AT_A_TIME = 256
SILENCE = 60  # seconds after which a link counts as none for what is done with output
BULK = 4 * PIECE  # bytes read and sent at a time, where there are so many
IN, OUT = select.POLLIN, select.POLLOUT
now = time.monotonic


class Session(Links, Files, Process):
    def __init__(self, name, secret):
        Links.__init__(self, name, secret)
        Files.__init__(self)
        Process.__init__(self)
        self.forwards, self.notice = None, b''

    def start(self, start, window):
        (self.kind, self.flags, self.timeout, _, columns, rows, width, height, term, modes,
         self.command, port, count, rest) = fields('BBIIIIIIsssIHr', start)
        variables = fields('ss' * count, rest)
        if self.kind not in (1, 2, 3, 4, 5):
            raise ValueError('kind %d' % self.kind)
        if (b'\0' in b''.join(variables + [self.command, term])
                or any(not name or b'=' in name for name in variables[::2])):
            raise OSError('no command or environment can be so')
        # The buffers together take less than 1/32 of a small machine's memory.
        try:
            memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        except ValueError:
            memory = 1 << 31
        self.window = self.allowance = max(PIECE, min(window, 1 << 26, memory >> 7))
        self.output = Output(self.window)
        # glibc keeps twice as much as it has once seen given back; less is returned and fetched
        # again in each turn.
        bytearray(1 << 19)
        self.renumber()
        self.tty, self.started = self.flags & 1, int(time.time())
        self.wake, self.waker = os.pipe()
        os.set_blocking(self.waker, False)
        _signal.set_wakeup_fd(self.waker)
        for number in _signal.SIGHUP, _signal.SIGINT, _signal.SIGTERM, _signal.SIGCHLD:
            _signal.signal(number, lambda *_: None)
        self.claim()
        if self.kind == 4:
            self.relay(port)
        elif self.kind != 5:
            self.spawn(term, modes, (columns, rows, width, height), variables)
        if UID and b'/session-' in slurp('/proc/self/cgroup'):
            load(LOGIN)
            if dies_with_login():
                self.notice = frame(5, 'Bs', 1, b'KillUserProcesses=yes')
        os.chdir('/')

    def renumber(self):
        """Begins the numbered streams of a client."""
        self.numbered, self.frames = Numbered(self.window), b''
        self.exit_at, self.said_end = 0, False

    def begin_anew(self):
        """For a client that knows nothing."""
        if self.forwards:
            self.forwards.end_all()
        self.renumber()
        self.output.begin_anew()
        self.allowance, self.owed, self.broken = self.window - len(self.input), 0, ''
        self.say(3, 'II', 0, self.allowance)

    def leave(self, last, forget):
        """Ends the session, its process and this one."""
        if self.forwards:
            self.forwards.end_all()
        self.remove(forget)
        self.signal(_signal.SIGHUP)
        self.signal(_signal.SIGCONT)
        try:
            if self.link:
                # Nobody is waited for longer than this.
                _signal.alarm(5)
                os.set_blocking(self.link.writer, True)
                self.link.out += last
                while self.link.out:
                    self.link.out = self.link.out[os.write(self.link.writer, self.link.out):]
        finally:
            os._exit(0)

    # -- The loop

    def run(self):
        while True:
            if self.tty and self.exit and self.stdout >= 0 and self.has_room():
                self.read_output(1, 0)
            self.fill()
            for link in self.links[:]:
                self.push(link)
            wants = {}

            def want(fd, events, handler, argument):
                if fd >= 0 and events:
                    wants.setdefault(fd, [0, handler, argument])[0] |= events

            want(self.wake, IN, self.woken, 0)
            want(self.sock.fileno() if self.sock else -1, IN, self.accept, 0)
            for link in self.links:
                reader = link.reader if link is self.link else link.sock.fileno()
                want(reader, IN, self.read, link)
                want(link.writer, OUT if link.out else 0, self.push_later, link)
            want(self.stdin, OUT if len(self.input) else 0, self.write_input, 0)
            if self.has_room() or self.drops():
                want(self.stdout, IN, self.read_output, 1)
                want(self.stderr, IN, self.read_output, 2)
            if self.forwards:
                self.forwards.want(want)
            poller = select.poll()
            for fd, (events, _, _) in wants.items():
                poller.register(fd, events)
            for fd, events in poller.poll(self.wait()):
                _, handler, argument = wants[fd]
                handler(argument, events)
            self.look_at_clock()

    def has_room(self):
        return self.output.waiting < self.room() and len(self.output.queue) < PIECE

    def fill(self):
        """Numbers what can be sent soon."""
        log = self.numbered.log
        while self.link and self.numbered.waiting() < BULK:
            pieces = self.output.next_frame()
            if not pieces and not self.output.queue:
                if self.stdout < 0 and self.stderr < 0 and not self.said_end:
                    self.said_end, pieces = True, (frame(4, 'I', 0),)
                elif self.exit and not self.exit_at and (self.said_end or not self.tty):
                    self.exit_at, pieces = log.end + len(self.exit), (self.exit,)
            if not pieces:
                return
            for piece in pieces:
                log.add(piece)

    def wait(self):
        """Milliseconds until something is to be done of itself."""
        times = [self.touched + 86400]
        if not self.link and self.patience():
            times.append(self.since + self.patience())
        if self.is_here() and not self.has_room():
            times.append(self.link.heard + SILENCE)
        return max(0, int((min(times) - now()) * 1000) + 1)

    def patience(self):
        """Seconds that the session goes on without a link, 0 for ever."""
        taken = 0 < self.exit_at <= self.numbered.log.base and self.said_end
        return 60 if taken and self.output.credit == self.window else self.timeout

    def look_at_clock(self):
        if not self.link and self.patience() and now() >= self.since + self.patience():
            self.leave(b'', self.known)
        if now() >= self.touched + 86400:
            self.touch()

    def woken(self, *_):
        told = os.read(self.wake, PIECE)
        if _signal.SIGTERM in told:
            self.leave(frame(20, 'B', 5), False)
        if _signal.SIGHUP in told:
            # From somebody who looks for the socket (look_again in main).
            self.touch()
        if self.pid and not self.exit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended(status)
        if self.forwards:
            self.forwards.connect()

    # -- Frames

    def say(self, kind, shape='', *values):
        self.numbered.log.add(frame(kind, shape, *values))

    def take_frames(self, data):
        at, came = 0, memoryview(data)
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
            self.frames = bytes(came[at:])
            if len(self.numbered.log) > self.window + (1 << 20):
                raise ValueError('too much to be answered')
        except Exception as fault:
            # What is in the numbered bytes comes the same over any other link.
            self.broken = str(fault) or 'frame'
            raise

    def obey(self, kind, payload):
        number = fields('Ir', payload)[0] if kind < 6 else -1
        if number > 0 or kind > 8:
            if not self.forwards:
                load(FORWARDS)
                self.forwards = Forwards(self)
            self.forwards.obey(kind, payload)
        elif kind == 1:
            data = payload[4:]
            self.allowance -= len(data)
            if not data or self.input_ended or self.allowance < 0:
                raise ValueError('DATA beyond the window or the end')
            self.write_input(data)
        elif kind == 3:
            self.output.credited(fields('II', payload)[1])
        elif kind == 4:
            fields('I', payload)
            self.input_ended = True
            self.write_input()
        elif kind == 5:
            fields('IB', payload)
            self.stop_output()
        elif kind == 6:
            self.resize(*fields('IIIIB', payload))
        elif kind == 7:
            name = fields('s', payload)[0].decode()
            # SIG_IGN and the like are numbers too.
            if name.isalnum() and hasattr(_signal, 'SIG' + name):
                self.signal(getattr(_signal, 'SIG' + name))
        elif kind == 8:
            fields('I', payload)
            if self.tty:
                import termios
                termios.tcsendbreak(self.stdin, 0)
        else:
            raise ValueError('frame %d in the stream' % kind)


def begin(hello, start, name, secret, window):
    """Forks the session off; this process stays for sshd to wait for."""
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
        session.start(start, window)
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
