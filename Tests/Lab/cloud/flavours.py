"""The instances of the lab. Adding one is adding a row.

Banners, default users and the forms of root's forced command are those of the images, as
collected from the images' cloud-init and the packages' changelogs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# What cloud-init's disable_root puts before the key in root's authorized_keys, by age.
ROOT_HINT = (
    "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,"
    'command="echo \'Please login as the user \\"{user}\\" rather than the user \\"root\\".\';'
    'echo;sleep 10;exit 142"'
)
# cloud-init before 20.3 left with status 0.
ROOT_HINT_BEFORE_20_3 = ROOT_HINT.replace(";exit 142", "")

# The networks: what the client can reach, and a subnet behind the instances of the first.
PUBLIC = "public"
PRIVATE = "private"


@dataclass(frozen=True)
class Flavour:
    """What makes an instance look like an image."""

    name: str  # how the lab calls it
    title: str  # what /etc/os-release calls it
    user: str  # the account that has the key pair's public key
    release: str  # sshd's version: at most as long as this machine's, such as OpenSSH_9.2p1
    addendum: str = ""  # what the distribution adds to it
    root: str | None = ROOT_HINT  # root's key options; None: root has no key
    shell_prompt: str = r"[\u@\h \W]\$ "
    group: str = "wheel"
    networks: tuple[str, ...] = (PUBLIC,)
    in_cloud: bool = True  # has an instance id and EC2's names
    password: str | None = None  # sha512-crypt of the user's password
    settings: tuple[str, ...] = field(default_factory=tuple)  # sshd_config lines of its own

    @property
    def banner(self) -> str:
        """The identification string that goes over the wire."""
        return f"SSH-2.0-{self.release}" + (f" {self.addendum}" if self.addendum else "")


_DEBIAN_PROMPT = r"\u@\h:\w\$ "

FLAVOURS = (
    Flavour("amazon", "Amazon Linux 2023", "ec2-user", "OpenSSH_8.7"),
    Flavour(
        "ubuntu", "Ubuntu 24.04 LTS", "ubuntu", "OpenSSH_9.6p1", "Ubuntu-3ubuntu13.5",
        shell_prompt=_DEBIAN_PROMPT, group="sudo", networks=(PUBLIC, PRIVATE),
    ),
    Flavour(
        "debian", "Debian GNU/Linux 12 (bookworm)", "admin", "OpenSSH_9.2p1",
        "Debian-2+deb12u3", shell_prompt=_DEBIAN_PROMPT, group="sudo",
    ),
    Flavour("rocky", "Rocky Linux 9.4 (Blue Onyx)", "rocky", "OpenSSH_8.7"),
    Flavour("rhel", "Red Hat Enterprise Linux 10.0 (Coughlan)", "ec2-user", "OpenSSH_9.9"),
    # Reached through another instance only.
    Flavour(
        "hidden", "Amazon Linux 2", "ec2-user", "OpenSSH_7.4", root=ROOT_HINT_BEFORE_20_3,
        networks=(PRIVATE,),
    ),
    # Root may log in, and no other account has the key: as on some appliances.
    Flavour("appliance", "NixOS 24.05 (Uakari)", "root", "OpenSSH_9.2p1", root=None),
    # A host that is not on EC2: another account, and passwords are allowed.
    Flavour(
        "plain", "Debian GNU/Linux 12 (bookworm)", "alice", "OpenSSH_9.2p1",
        "Debian-2+deb12u3", root=None, shell_prompt=_DEBIAN_PROMPT, group="sudo",
        in_cloud=False,
        # "correct horse"
        password="$6$labsalt$G7iWEvzejTe/xBSwtH9gD9FfIsFWk4Xfy5GItCgWbAHbleGj502.Wo68eTVbRDczBzl0th4.4gbBOIeLoOcse1",
        settings=(
            "PasswordAuthentication yes", "KbdInteractiveAuthentication yes",
            "TrustedUserCAKeys /etc/ssh/user_ca.pub",
        ),
    ),
)
