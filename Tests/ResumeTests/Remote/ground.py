"""Where the tests run: a file system of their own, an account of their own, and the Pythons there.

As root (config/dev runs them so) the process moves to a mount namespace of its own, with an empty
/tmp and an account `tester` that the remote half runs as, so that nothing of this machine is
touched. Without root the remote half runs as whoever runs the tests, and what needs root is
skipped, with a line that says so.
"""

import contextlib
import ctypes
import glob
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

TESTER = 4242
STRANGER = 4243
VERSIONS = [f"3.{minor}" for minor in range(6, 15)]
LONG = bool(os.environ.get("EC2SH_LONG"))


def _isolate():
    libc = ctypes.CDLL(None, use_errno=True)
    clone_newns = 0x20000
    if libc.unshare(clone_newns) != 0:
        return False
    # Bound before /tmp is covered.
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    found = _pythons()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"], check=True)
    for version, path in found.items():
        # Where the account may go; a Python finds its library beside itself.
        place = pathlib.Path("/tmp/.pythons") / version
        place.mkdir(parents=True)
        if path != "/usr/bin/python3":
            subprocess.run(
                ["mount", "--bind", str(pathlib.Path(path).parents[1]), str(place)], check=True)
            found[version] = f"{place}/bin/python3"
    PYTHONS.update(found)
    home = pathlib.Path("/tmp/home")
    home.mkdir()
    os.chown(home, TESTER, TESTER)
    cover("/etc/passwd", pathlib.Path("/etc/passwd").read_text()
          + f"tester:x:{TESTER}:{TESTER}::/tmp/home:/bin/sh\n"
          + f"stranger:x:{STRANGER}:{STRANGER}::/:/bin/sh\n")
    return True


def cover(path, text):
    """Puts a file over another, for this process and its children."""
    with tempfile.NamedTemporaryFile("w", dir="/tmp", prefix=".cover-", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    subprocess.run(["mount", "--bind", file.name, path], check=True)
    return file.name


def uncover(path):
    """Takes off what was mounted last; who still holds something of it may end later."""
    subprocess.run(["umount", "-l", str(path)], check=True)


def _pythons():
    """A Python of each version there is here."""
    found = {}
    places = [*glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3")),
              *glob.glob("/opt/hostedtoolcache/Python/3.*/x64/bin/python3")]
    for path in places:
        version = re.search(r"/(3\.\d+)\.[^/]*/", path)
        if version:
            found.setdefault(version.group(1), path)
    if os.access("/usr/bin/python3", os.X_OK):
        told = subprocess.run(["/usr/bin/python3", "-c", "import sys;print(*sys.version_info[:2],sep='.')"],
                              stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        found[told] = "/usr/bin/python3"
    return found


# As sshd has them for who it starts; a job in the background ignores some.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
PYTHONS = {}
ISOLATED = os.geteuid() == 0 and _isolate()
if not ISOLATED:
    PYTHONS.update(_pythons())
UID = TESTER if ISOLATED else os.getuid()
HOME = pathlib.Path("/tmp/home" if ISOLATED else pwd.getpwuid(UID).pw_dir)
PLACE = pathlib.Path(f"/tmp/.ec2sh-{UID}")


# Files to write this process's number to before the remote half begins: of cgroups.
JOINS = []


def become():
    """Between fork and exec: the account that the remote half runs as."""
    for path in JOINS:
        with open(path, "w") as file:
            file.write(str(os.getpid()))
    if ISOLATED:
        os.setgroups([])
        os.setgid(TESTER)
        os.setuid(TESTER)


@contextlib.contextmanager
def account(uid=TESTER):
    """This process acts as another account meanwhile."""
    if ISOLATED:
        os.seteuid(uid)
    try:
        yield
    finally:
        if ISOLATED:
            os.seteuid(0)


def environment(**more):
    """As sshd sets it."""
    name = "tester" if ISOLATED else pwd.getpwuid(UID).pw_name
    return {
        "USER": name, "LOGNAME": name, "HOME": str(HOME), "SHELL": "/bin/sh",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/games",
        "SSH_CONNECTION": "127.0.0.1 40000 127.0.0.1 22", "SSH_CLIENT": "127.0.0.1 40000 22", **more,
    }


def libraries(python):
    """What a Python needs in its environment that was built to be elsewhere."""
    return {"LD_LIBRARY_PATH": str(pathlib.Path(python).parents[1] / "lib")}


def needs_root(reason):
    """Decorates a test that needs what only root can set up."""
    return unittest.skipUnless(ISOLATED, f"without root: {reason}")


def clean():
    """Removes what sessions left."""
    shutil.rmtree(PLACE, ignore_errors=True)
