# What sshd does around a shell, a terminal and a subsystem, and what logind will do to them.

def set_modes(tty, modes):
    """Sets a terminal's modes as encoded in RFC 4254 section 8."""
    import termios
    rows = {
        1: 'VINTR VQUIT VERASE VKILL VEOF VEOL VEOL2 VSTART VSTOP VSUSP VDSUSP VREPRINT VWERASE '
           'VLNEXT VFLUSH VSWTC VSTATUS VDISCARD',
        30: 'IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL IUTF8',
        50: 'ISIG ICANON XCASE ECHO ECHOE ECHOK ECHONL NOFLSH TOSTOP IEXTEN ECHOCTL ECHOKE PENDIN',
        70: 'OPOST OLCUC ONLCR OCRNL ONOCR ONLRET',
        90: 'CS7 CS8 PARENB PARODD',
    }
    names = {first + index: name for first in rows for index, name in enumerate(rows[first].split())}
    iflag, oflag, cflag, lflag = 0, 1, 2, 3
    state, at = termios.tcgetattr(tty), 0
    while at + 5 <= len(modes) and 0 < modes[at] < 160:
        number, value = unpack_from('>BI', modes, at)
        at += 5
        name = names.get(number, '')
        # The module knows no IUTF8; it is the same on Linux and macOS.
        known = getattr(termios, name, 0x4000 if name == 'IUTF8' else None)
        if number in (128, 129):
            state[number - 124] = getattr(termios, 'B%d' % value, state[number - 124])
        elif known is not None and number < 30:
            state[6][known] = bytes([0 if value == 255 else value & 255])
        elif known is not None:
            flag = (iflag if number < 50 else lflag if number < 70 else
                    oflag if number < 90 else cflag)
            clear = termios.CSIZE if name in ('CS7', 'CS8') and value else known
            state[flag] = state[flag] & ~clear | (known if value else 0)
    try:
        termios.tcsetattr(tty, termios.TCSANOW, state)
    except termios.error:
        pass


def greet():
    """Prints what sshd and pam_motd print before a shell."""
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
    except (OSError, error):
        return
    # Where it is a PAM module that writes this, it has just been written.
    if 0 < then < time.time() - 60:
        host = host.partition(b'\0')[0]
        os.write(1, b'Last login: %s%s\n' % (
            time.ctime(then).encode(), b' from ' + host if host else b''))


def subsystem(name):
    """The command of a subsystem of sshd."""
    path = '/etc/ssh/sshd_config'
    for path in [path] + [path + '.d/' + entry for entry in listdir(path + '.d')]:
        for line in slurp(path).splitlines():
            words = line.split(None, 2)
            if len(words) == 3 and words[0].lower() == b'subsystem' and words[1] == name:
                if words[2].strip() != b'internal-sftp':
                    return words[2]
    for path in '/usr/lib/openssh', '/usr/libexec/openssh', '/usr/lib/ssh', '/usr/libexec':
        if name == b'sftp' and os.access(path + '/sftp-server', os.X_OK):
            return path.encode() + b'/sftp-server'
    raise OSError('no subsystem ' + name.decode())


def dies_with_login():
    """Whether logind kills what a login leaves behind (logind.conf(5))."""
    files, answer = {}, b''
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
    return answer in (b'yes', b'y', b'true', b't', b'on', b'1')
