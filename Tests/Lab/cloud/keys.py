"""Keys, made anew for every lab: the EC2 key pair and the instances' host keys."""

from __future__ import annotations

import os
import shutil
import subprocess

PAIR_NAME = "my-key"
HOST_KEY_TYPES = ("ed25519", "ecdsa", "rsa")
_AUTHORITY = "user-ca"


class KeyMaker:
    """Runs ssh-keygen for many keys at once."""

    def __init__(self) -> None:
        self._running: list[tuple[str, subprocess.Popen]] = []

    def make(self, path: str, kind: str, comment: str, *options: str) -> None:
        """Starts making the key `path` and its `path`.pub."""
        bits = ("-b", "2048") if kind == "rsa" else ()
        self._running.append((path, subprocess.Popen(
            ["ssh-keygen", "-q", "-t", kind, *bits, "-N", "", "-C", comment, "-f", path, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )))

    def finish(self) -> None:
        """Waits for all of them."""
        for path, process in self._running:
            _, errors = process.communicate()
            if process.returncode != 0:
                raise OSError(f"ssh-keygen {path}: {errors.decode(errors='replace').strip()}")
        self._running.clear()


def start_key_pairs(maker: KeyMaker, directory: str) -> None:
    """EC2's two kinds of key pair: an RSA key in PEM form and an Ed25519 key."""
    maker.make(f"{directory}/{PAIR_NAME}.pem", "rsa", PAIR_NAME, "-m", "PEM")
    maker.make(f"{directory}/{PAIR_NAME}-ed25519.pem", "ed25519", f"{PAIR_NAME}-ed25519")
    # One that no instance knows.
    maker.make(f"{directory}/stranger.pem", "ed25519", "stranger")
    # One whose signature on a key lets that key in where it is trusted.
    maker.make(f"{directory}/{_AUTHORITY}", "ed25519", "user-ca")


def describe_key_pairs(directory: str) -> dict[str, str]:
    """Where the private keys are, by kind. Readable by all: tests take copies of them."""
    files = {
        "rsa": f"{directory}/{PAIR_NAME}.pem",
        "ed25519": f"{directory}/{PAIR_NAME}-ed25519.pem",
        "stranger": f"{directory}/stranger.pem",
        "authority": f"{directory}/{_AUTHORITY}",
    }
    if shutil.which("puttygen"):
        for version, more in (("2", ""), ("3", ",passes=1,memory=1024")):
            path = f"{directory}/{PAIR_NAME}-v{version}.ppk"
            subprocess.run(
                ["puttygen", files["rsa"], "-O", "private", "-o", path,
                 "--ppk-param", f"version={version}{more}"],
                # Else it keeps its random seed in the home of whoever runs this.
                env={**os.environ, "PUTTYDIR": directory},
                check=True, stdin=subprocess.DEVNULL,
            )
            files[f"ppk{version}"] = path
    for path in files.values():
        os.chmod(path, 0o644)
    return files


def key_pair_files(directory: str) -> dict[str, str]:
    """The private keys by the name of the key pair."""
    return {
        PAIR_NAME: f"{directory}/{PAIR_NAME}.pem",
        f"{PAIR_NAME}-ed25519": f"{directory}/{PAIR_NAME}-ed25519.pem",
    }


def public_keys(directory: str) -> list[str]:
    """The public halves that instances accept, as authorized_keys lines."""
    return [
        _read(f"{directory}/{PAIR_NAME}.pem.pub"),
        _read(f"{directory}/{PAIR_NAME}-ed25519.pem.pub"),
    ]


def authority(directory: str) -> str:
    """The public half of the key that may sign others, for TrustedUserCAKeys."""
    return _read(f"{directory}/{_AUTHORITY}.pub") + "\n"


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read().strip()
