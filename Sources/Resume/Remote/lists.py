# Tells which sessions of this account there are.

def ask(sock, name, secret):
    """LISTING, from the session itself."""
    sock.settimeout(2)
    sock.sendall(frame(1, 'BBkkIQQIs', 1, 4, name, secret, 0, 0, 0, 0, b''))
    told, size = b'', 4
    while len(told) < size:
        piece = sock.recv(PIECE)
        if not piece:
            raise OSError
        told += piece
        if len(told) >= 4:
            size = 4 + (unpack_from('>I', told)[0] & 0xffffff)
    return told[:size] if told[0] == 6 else b''


def tell():
    for place in places():
        for name in listdir(place):
            if len(name) != 40 or name[32:] != '.started':
                continue
            line, _, command = slurp(place + name).partition(b'\n')
            found, _ = look(place + name[:32])
            try:
                _, pid, secret, kind, flags, started = line.split()
                key, secret = bytes.fromhex(name[:32]), bytes.fromhex(secret.decode())
                if not isinstance(found, int):
                    os.write(1, ask(found, key, secret))
                elif found != 9:
                    flags = int(flags) & 1 | 8 | (4 if found == 8 else 0)
                    os.write(1, frame(6, 'kkBBQIIs', key, secret, int(kind), flags, int(started),
                                      0, int(pid), command))
            except (OSError, ValueError, error):
                pass
    os.write(1, frame(20, 'B', 6))
    os._exit(0)
