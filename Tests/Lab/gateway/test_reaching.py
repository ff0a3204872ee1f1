"""Tests of what leads to port 22: the network, pushed keys, and endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

import aiohttp
import botocore.auth
from botocore.awsrequest import AWSRequest
from case import LAB, REGION, Case, connector
from yarl import URL


class Reaching(Case):
    """Port 22 of a launched instance."""

    def reaches(self, address: str) -> str:
        try:
            with socket.create_connection((address, 22), 1) as connection:
                return connection.makefile("rb").readline().decode().strip()
        except TimeoutError:
            return "silent"
        except OSError as error:
            return error.strerror

    def test_ports(self) -> None:
        one = self.account.launch(image="debian")
        address = one["public_address"]
        self.assertEqual(self.reaches(address), "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3")
        for state, seen in (
            ("drop", "silent"), ("refuse", "Connection refused"), ("reject", "No route to host"),
        ):
            self.account.order("set", instance=one["id"], port=state)
            self.assertEqual(self.reaches(address), seen)
        self.account.order("set", instance=one["id"], port="open")
        self.assertTrue(self.reaches(address).startswith("SSH-2.0"))
        self.assertEqual(self.reaches(one["private_address"]), "silent")
        self.account.order("set", instance=one["id"], public=False)
        self.assertEqual(self.reaches(address), "silent")

    def test_a_pending_instance_answers_when_it_runs(self) -> None:
        one = self.account.launch(state="pending")
        self.assertEqual(self.reaches(one["public_address"]), "silent")
        self.account.order("set", instance=one["id"], state="running")
        self.assertTrue(self.reaches(one["public_address"]).startswith("SSH-2.0"))

    def test_a_pushed_key_lets_in_and_expires(self) -> None:
        one = self.account.launch(accepts_key=False)
        self.account.order("plan", keys=3)
        with tempfile.TemporaryDirectory() as directory:
            key = f"{directory}/key"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            command = [
                "ssh", "-i", key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
                f"{one['user']}@{one['public_address']}", "echo $LAB_INSTANCE",
            ]

            def logs_in() -> str:
                return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

            self.assertEqual(logs_in(), "")
            with open(f"{key}.pub", encoding="ascii") as file:
                public = file.read()
            connect = self.account.client("ec2-instance-connect")
            connect.send_ssh_public_key(
                InstanceId=one["id"], InstanceOSUser=one["user"], SSHPublicKey=public,
            )
            pushed = time.time()
            self.assertEqual(logs_in(), one["id"])
            time.sleep(max(0, pushed + 3.2 - time.time()))
            self.assertEqual(logs_in(), "")
            self.refused(
                "EC2InstanceNotFoundException", connect.send_ssh_public_key,
                InstanceId="i-0123456789abcdef0", InstanceOSUser="x", SSHPublicKey=public,
            )


class Tunnels(Case):
    def setUp(self) -> None:
        super().setUp()
        self.instance = self.account.launch(public=False)
        self.endpoint = self.account.order("endpoint")

    def url(self, **changes: str) -> str:
        query = {
            "instanceConnectEndpointId": self.endpoint["endpoint"], "remotePort": "22",
            "privateIpAddress": self.instance["private_address"], **changes,
        }
        request = AWSRequest("GET", f"https://{self.endpoint['name']}/openTunnel?" + urllib.parse.urlencode(query))
        botocore.auth.SigV4QueryAuth(
            self.account.credentials(), "ec2-instance-connect", REGION, expires=60,
        ).add_auth(request)
        return request.prepare().url.replace("https", "wss", 1)

    def opened(self, url: str) -> tuple[bytes, int | None, str]:
        """The first bytes, or how it ends."""
        async def run() -> tuple[bytes, int | None, str]:
            async with aiohttp.ClientSession(connector=connector()) as http:
                try:
                    async with http.ws_connect(URL(url, encoded=True), compress=0) as tunnel:
                        message = await tunnel.receive(10)
                        data = message.data if message.type is aiohttp.WSMsgType.BINARY else b""
                        return data, tunnel.close_code, str(message.extra or "")
                except aiohttp.WSServerHandshakeError as error:
                    return b"", error.status, ""
        return asyncio.run(run())

    def test_it_reaches_an_instance_without_an_address(self) -> None:
        data, _, _ = self.opened(self.url())
        self.assertTrue(data.startswith(b"SSH-2.0-OpenSSH_9.6p1 Ubuntu"), data)
        self.no_violations()

    def test_what_is_refused(self) -> None:
        self.assertEqual(self.opened(self.url(remotePort="80"))[1], 400)
        self.assertEqual(self.opened(self.url(instanceConnectEndpointId="eice-0"))[1], 400)
        self.assertEqual(self.opened(self.url() + "0")[1], 403)
        self.assertEqual(self.opened(self.url(privateIpAddress="10.14.255.1"))[1:], (1011, "Unable to connect to target"))
        self.account.order("deny", actions=["ec2-instance-connect:OpenTunnel"])
        self.assertEqual(self.opened(self.url())[1], 403)

    def test_a_stopped_sshd_is_told_by_a_close(self) -> None:
        self.account.order("set", instance=self.instance["id"], port="refuse")
        self.assertEqual(self.opened(self.url())[1:], (1011, "Unable to connect to target"))

    def test_the_aws_commands_own_tunnel(self) -> None:
        command = shutil.which("aws")
        version = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout if command else ""
        if not version.startswith("aws-cli/2"):
            self.skipTest("there is no aws command with open-tunnel")
        environment = {
            **os.environ, "AWS_ACCESS_KEY_ID": self.account.key["id"],
            "AWS_SECRET_ACCESS_KEY": self.account.key["secret"], "AWS_REGION": REGION,
            "AWS_CA_BUNDLE": LAB["aws"]["ca"],
        }
        with contextlib.closing(subprocess.Popen(
            [command, "ec2-instance-connect", "open-tunnel", "--instance-id", self.instance["id"]],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ).stdout) as output:
            self.assertTrue(output.readline().startswith(b"SSH-2.0-"))
