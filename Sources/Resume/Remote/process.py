# The process of a session, or the connection of a relay: how it begins, and its three descriptors.

WIDE = set()


class Process:
    def __init__(self):
        self.pid, self.slave, self.exit, self.status = 0, -1, b'', 0
        self.stdin = self.stdout = self.stderr = -1
        self.input, self.input_ended, self.owed, self.deaf = Log(), False, 0, False

    def relay(self, port):
        host = self.command
        if not host and not port:
            # Of sshd, which may not listen anywhere else.
            words = os.environb.get(b'SSH_CONNECTION', b'').split()
            if len(words) != 4:
                raise OSError('no SSH_CONNECTION')
            host, port = words[2:]
        self.peer = dial(b'', host, int(port))
        self.stdin, self.stdout = os.dup(self.peer.fileno()), os.dup(self.peer.fileno())
        os.set_blocking(self.stdin, False)

    def spawn(self, term, modes, size, variables):
        import pwd
        user = pwd.getpwuid(UID)
        shell = user.pw_shell or '/bin/sh'
        name, environment = os.path.basename(shell), dict(os.environb)
        environment.update(zip(variables[::2], variables[1::2]))
        if self.agent:
            environment[b'SSH_AUTH_SOCK'] = self.agent.encode()
        if self.kind == 3:
            load(LOGIN)
            self.command = subsystem(self.command)
        if self.tty:
            self.stdin, self.slave = os.openpty()
            self.stdout, ends = os.dup(self.stdin), [self.slave] * 3
            load(LOGIN)
            set_modes(self.slave, modes)
            self.resize(*size)
            environment[b'TERM'] = term
            environment[b'SSH_TTY'] = os.ttyname(self.slave).encode()
        else:
            inner, self.stdin = os.pipe()
            self.stdout, outer = os.pipe()
            self.stderr, third = os.pipe()
            ends = [inner, outer, third]
        for fd in self.stdin, self.stdout, self.stderr:
            if fd >= 0:
                os.set_blocking(fd, False)
        self.pid = os.fork()
        if self.pid:
            for fd in [] if self.tty else ends:
                os.close(fd)
            return
        try:
            os.setsid()
            os.umask(UMASK)
            for number, fd in enumerate(ends):
                os.dup2(fd, number)
            if self.tty:
                import termios
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            # Those that Python ignores.
            for number in _signal.SIGPIPE, _signal.SIGXFSZ:
                _signal.signal(number, _signal.SIG_DFL)
            try:
                os.chdir(user.pw_dir)
            except OSError as fault:
                os.write(2, ('Could not chdir to home directory %s: %s\n' % (
                    user.pw_dir, fault.strerror)).encode())
                os.chdir('/')
            if self.kind == 1:
                if self.flags & 2 and not os.path.exists('.hushlogin'):
                    load(LOGIN)
                    greet()
                os.execve(shell, ['-' + name], environment)
            os.execve(shell, [name, '-c', self.command], environment)
        except BaseException as fault:
            os.write(2, ('%s: %s\n' % (shell, fault)).encode())
        finally:
            os._exit(1)

    def ended(self, status):
        """The process is over; status is wait's."""
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
            # Held until now, as a shell may close all its descriptors and open the terminal again.
            os.close(self.slave)
        self.note_exit()

    def signal(self, number):
        try:
            if self.pid and not self.exit:
                os.killpg(self.pid, number)
        except OSError:
            pass

    def resize(self, columns, rows, width, height, redraw=0):
        if not self.tty:
            return
        import termios
        size = pack('=4H', *[min(side, PIECE - 1) for side in (rows, columns, width, height)])
        try:
            fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, size)
            if redraw:
                os.killpg(os.tcgetpgrp(self.stdin), _signal.SIGWINCH)
        except OSError:
            pass

    def write_input(self, data=b'', _=0):
        """Writes what the process takes; data is new."""
        if data and not self.input and self.stdin >= 0:
            # Most often at once, and all.
            count = self.write(data)
            data = data[count:]
        if data:
            self.input.add(data)
        while len(self.input) and self.stdin >= 0:
            count = self.write(self.input.view(self.input.base))
            if not count:
                break
            self.input.free(self.input.base + count)
        if self.stdin < 0:
            # Nobody reads it any more; it counts as put down.
            self.owed += len(self.input)
            self.input.free(self.input.end)
        elif self.input_ended and not len(self.input) and not self.tty:
            self.close('stdin')
        if self.owed >= min(self.window // 4, 1 << 18):
            self.say(3, 'II', 0, self.owed)
            self.allowance += self.owed
            self.owed = 0

    def write(self, data):
        """How much of it stdin has taken."""
        try:
            count = os.write(self.stdin, data)
        except BlockingIOError:
            count = 0
        except OSError:
            self.close('stdin', False)
            return 0
        if len(data) - count > PIECE // 4:
            widen(self.stdin)
        self.owed += count
        return count

    def read_output(self, kind, _):
        name = 'stdout' if kind == 1 else 'stderr'
        fd, room = getattr(self, name), self.room() - self.output.waiting
        try:
            data = os.read(fd, max(PIECE, min(BULK, room)))
        except BlockingIOError:
            if self.tty and self.exit:
                # As sshd: what is left behind on a terminal does not hold the session.
                self.close(name)
            return
        except OSError:
            # A terminal's end is an error; so is a broken connection.
            return self.close(name, self.tty)
        if not data:
            self.close(name)
        elif kind != 1 or not self.deaf:
            if len(data) == PIECE:
                widen(fd)
            self.output.add(kind, data)
            while self.output.waiting > self.room() and self.drops():
                self.output.skip()

    def close(self, name, clean=True):
        """Closes stdin, stdout or stderr; of a relay both if it is broken."""
        fd = getattr(self, name)
        if fd < 0:
            return
        os.close(fd)
        setattr(self, name, -1)
        if self.kind != 4:
            return
        if name == 'stdin' and clean:
            try:
                self.peer.shutdown(_socket.SHUT_WR)
            except OSError:
                clean = False
        for fd in () if clean else (self.stdin, self.stdout):
            if fd >= 0:
                os.close(fd)
        if not clean:
            self.stdin = self.stdout = -1
        if self.stdin < 0 and self.stdout < 0:
            self.peer.close()
            self.ended(0 if clean else 255 << 8)

    def stop_output(self):
        """The client reads standard output no more."""
        self.deaf = True
        self.output.unwant()
        if not self.tty:
            self.close('stdout')

    def is_here(self):
        """Whether a client listens, as far as is known."""
        return self.link and now() - self.link.heard < SILENCE

    def room(self):
        """Bytes of output that may wait: little for a client that is here."""
        if self.is_here():
            return min(self.window, 2 * BULK)
        return max(self.window // 4, self.window - len(self.numbered.log))

    def drops(self):
        return self.flags & 4 and not self.is_here()


def widen(fd):
    """Lets a pipe that has been full hold more, which saves turns of the loop."""
    if fd not in WIDE:
        WIDE.add(fd)
        try:
            fcntl.fcntl(fd, 1031, BULK)  # F_SETPIPE_SZ; Linux only
        except OSError:
            pass


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
