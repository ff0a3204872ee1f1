# The files of a session: the claim, the socket, the exit, the way to the agent.

import fcntl


class Files:
    def __init__(self):
        self.base, self.lock, self.sock, self.agent, self.touched = '', -1, None, '', now()

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
                    raise OSError('the disk is full')
                self.bind()
                return
            except OSError as fault:
                last = fault
                self.remove()
        raise last

    def bind(self):
        """Makes the socket and the link to the agent."""
        if self.sock:
            self.sock.close()
        self.sock = None
        unlink(self.base + '.s')
        sock = _socket.socket(UNIX, TCP)
        sock.bind(self.base + '.s')
        sock.listen(16)
        sock.setblocking(False)
        self.sock = sock
        if self.flags & 8 and b'SSH_AUTH_SOCK' in os.environb:
            # Not by the session's name, as programs show their environment.
            self.agent = os.path.dirname(self.base) + '/agent.%d' % os.getpid()
            self.point(os.environb[b'SSH_AUTH_SOCK'])

    def point(self, agent):
        """Lets the process's SSH_AUTH_SOCK lead to another agent, if it has one."""
        if self.agent and agent:
            unlink(self.agent + '.new')
            try:
                os.symlink(agent, self.agent + '.new')
                os.rename(self.agent + '.new', self.agent)
            except OSError:
                pass

    def touch(self):
        """Keeps the files young, and makes them anew if somebody has removed them."""
        self.touched = now()
        try:
            try:
                os.utime(self.base + '.started')
            except FileNotFoundError:
                os.close(self.lock)
                self.lock = os.open('/dev/null', os.O_RDONLY)
                self.claim()
            try:
                os.utime(self.base + '.s')
            except FileNotFoundError:
                self.bind()
            if self.agent:
                os.utime(self.agent, follow_symlinks=False)
        except OSError:
            pass

    def note_exit(self):
        try:
            fd = os.open(self.base + '.exit', os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            os.write(fd, b'%d' % self.status)
            os.close(fd)
        except OSError:
            pass

    def remove(self, forget=True):
        """Removes the files; without forget it stays known what was started, and how it ended."""
        for end in ('.s', '.started', '.exit') if forget else ('.s',):
            unlink(self.base + end)
        if self.agent:
            unlink(self.agent)


def unlink(path):
    try:
        os.unlink(path)
    except OSError:
        pass


def sweep():
    """Removes what dead sessions left more than a week ago."""
    for place in places():
        for name in listdir(place):
            try:
                old = time.time() - os.lstat(place + name).st_mtime > 604800
            except OSError:
                continue
            if old and look(place + name[:32])[0] in (0, 3, 4, 8):
                unlink(place + name)
