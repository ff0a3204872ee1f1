# The remote half of a session that outlives its connection: where it begins.
#
# ../PROTOCOL.md says what all this does. It is sent along with each exec request and run by
# `python3 -c`; nothing of it is ever a file there. build.py puts these files into one body, in
# parts that are compiled when they are needed: for an attach only this one is. All parts share
# one namespace. Python 3.6 and newer; only what starts fast is imported.

import os, time
import _socket
from _struct import error, pack, unpack_from

SESSION, LOGIN, FORWARDS, LISTS = (1, 2, 3, 4, 5), (6,), (7,), (8,)
UNIX, TCP = _socket.AF_UNIX, _socket.SOCK_STREAM
UID = os.getuid()
PIECE = 65536
SIZES = {'B': 1, 'H': 2, 'I': 4, 'Q': 8, 'k': 16}


def load(parts):
    # One at a time, as a compiler's memory is not given back.
    for part in parts:
        exec(PARTS[part], globals())
        PARTS[part] = b''


# -- Bytes ---------------------------------------------------------------------------------------
# Shapes: B, H, I, Q as in struct, big-endian; s a string of the protocol; k a key of 16 bytes; r all
# that is left, not copied.

def frame(kind, shape='', *values):
    payload = b''
    for letter, value in zip(shape, values):
        if letter == 's':
            payload += pack('>I', len(value))
        payload += value if letter in 'skr' else pack('>' + letter, value)
    return pack('>I', kind << 24 | len(payload)) + payload


def fields(shape, data):
    at, out = 0, []
    for letter in shape:
        if letter == 's':
            size, = unpack_from('>I', data, at)
            at += 4
        else:
            size = len(data) - at if letter == 'r' else SIZES[letter]
        if at + size > len(data):
            raise ValueError('a field ends early')
        value = data[at:at + size]
        if letter != 'r':
            value = bytes(value) if letter in 'sk' else unpack_from('>' + letter, value)[0]
        out.append(value)
        at += size
    if at != len(data):
        raise ValueError('bytes after the last field')
    return out


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


# -- Files ---------------------------------------------------------------------------------------

def places(make=False):
    """Directories for our files that nobody else can write to, made if need be."""
    for path in '/tmp/.ec2sh-%d' % UID, os.path.expanduser('~/.ec2sh/run'):
        try:
            if path[0] != '/':
                continue
            if make and not os.path.isdir(path):
                os.makedirs(path, 0o700)
            state = os.lstat(path)
            # A directory, and nobody else's in any way; a socket's path has 107 bytes.
            if state.st_uid == UID and state.st_mode & 0o170777 == 0o40700 and len(path) < 64:
                yield path + '/'
        except OSError:
            pass


def look(base):
    """What there is of a session: its socket, or a REFUSE code (0: no files) and its value."""
    sock = _socket.socket(UNIX, TCP)
    try:
        sock.connect(base + '.s')
        return sock, 0
    except OSError:
        sock.close()
    try:
        claim = os.open(base + '.started', os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        text = os.read(claim, 4096)
    except OSError:
        return 0, 0
    import fcntl
    busy = False
    try:
        # The remote half holds this lock as long as it lives.
        fcntl.flock(claim, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        busy = True
    age = time.time() - os.fstat(claim).st_mtime
    os.close(claim)
    if busy or not text and age < 10:
        return 9, text
    status = slurp(base + '.exit')
    if status.isdigit():
        return 8, int(status) & 255
    return (3 if text.split(b' ')[0] == (BOOT or b'-') else 4), 0


def find(name):
    for place in places():
        found = look(place + name)
        if found[0]:
            return found
    return 0, 0


# -- The process that the exec request runs --------------------------------------------------------

def exactly(count):
    data = b''
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return data


def expect(kind, limit):
    head, = unpack_from('>I', exactly(4))
    if head >> 24 != kind or head & 0xffffff > limit:
        refuse(10, 'frame %d where %d is due' % (head >> 24, kind))
    return exactly(head & 0xffffff)


def refuse(code, text='', value=0):
    os.write(1, frame(4, 'BIs', code, value, text.encode()))
    os._exit(0)


def wait_for(sock):
    """Until the remote half is done with our descriptors: sshd watches this process."""
    try:
        sock.recv(1)
    except OSError:
        pass
    os._exit(0)


def look_again(claim):
    """Tells the remote half that holds this claim that its socket is not there."""
    try:
        os.kill(int(claim.split(b' ')[1]), 1)  # SIGHUP
    except (OSError, ValueError, IndexError):
        pass


def hand_over(sock, hello):
    """Gives our descriptors to a session that is there; START is of no use to it."""
    hello = hello[:1] + (b'\2' if hello[1] == 1 else hello[1:2]) + hello[2:]
    agent = os.environb.get(b'SSH_AUTH_SOCK', b'')
    try:
        sock.sendmsg([frame(7, 's', agent) + frame(1, 'r', hello)],
                     [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, pack('2i', 0, 1))])
    except OSError:
        pass
    wait_for(sock)


def main():
    os.write(1, b'EC2SH-RESUM' b'E 1\n')
    hello = expect(1, 8192)
    if hello[:1] != b'\1':
        refuse(1, 'this is version 1', 1)
    try:
        _, mode, name, secret, _, _, _, window, boot = fields('BBkkIQQIs', hello)
        start = expect(2, 262144) if mode == 1 else b''
        since = unpack_from('>I', start, 6)[0] if mode == 1 else 0
    except (ValueError, error) as fault:
        refuse(10, str(fault))
    if mode == 4:
        load(LISTS)
        tell()
    found, value = find(name.hex())
    for turn in range(20):
        if found != 9:
            break
        time.sleep(.1)
        if turn == 10:
            look_again(value)
        found, value = find(name.hex())
    if not isinstance(found, int):
        hand_over(found, hello)
    if not found and mode != 1:
        found = 2 if boot in (b'', BOOT) else 4
    uptime = slurp('/proc/uptime').split()
    if not found and uptime and since > float(uptime[0]):
        found = 4
    if found:
        refuse(found, '', value if found == 8 else 0)
    load(SESSION)
    begin(hello, start, name, secret, window)


main()
