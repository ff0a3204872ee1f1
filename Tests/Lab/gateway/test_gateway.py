#!/usr/bin/env python3
"""Tests of the gateway itself, in the lab: lab.py run --cloud --root -- PYTHON test_gateway.py"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
from email.utils import parsedate_to_datetime

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import aiohttp  # noqa: E402
import botocore.auth  # noqa: E402
import botocore.config  # noqa: E402
import botocore.session  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from yarl import URL  # noqa: E402

import frames  # noqa: E402
from ssmclient import Client, Closed  # noqa: E402

LAB = json.loads(os.environ["LAB_JSON"])
REGION = "eu-central-1"


class Account:
    """An account of the lab's cloud, by the control socket."""

    def __init__(self, **more: object) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(LAB["aws"]["control"])
        self.file = self.socket.makefile("rw")
        self.id = None
        answer = self.order("account", **more)
        self.id, self.key = answer["account"], answer["key"]

    def order(self, what: str, **fields: object) -> dict:
        order = {"do": what, **({"account": self.id} if self.id else {}), **fields}
        self.file.write(json.dumps(order) + "\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer

    def launch(self, **fields: object) -> dict:
        return self.order("launch", **fields)["instances"][0]

    def credentials(self, key: dict | None = None) -> Credentials:
        key = key or self.key
        return Credentials(key["id"], key["secret"], key["token"])

    def client(self, service: str, key: dict | None = None, tls: bool = False, region: str = REGION):  # noqa: ANN201
        key = key or self.key
        where = {"verify": LAB["aws"]["ca"]} if tls else {"endpoint_url": LAB["aws"]["endpoint"]}
        return botocore.session.get_session().create_client(
            service, region_name=region, aws_access_key_id=key["id"],
            aws_secret_access_key=key["secret"], aws_session_token=key["token"],
            config=botocore.config.Config(retries={"total_max_attempts": 1}), **where,
        )

    def close(self) -> None:
        self.file.close()
        self.socket.close()


class Case(unittest.TestCase):
    """A test with an account; whatever a client must not do fails it."""

    def setUp(self) -> None:
        self.account = Account()

    def tearDown(self) -> None:
        self.account.close()

    def refused(self, code: str, call, **parameters: object) -> ClientError:  # noqa: ANN001
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception

    def no_violations(self) -> None:
        self.assertEqual(self.account.order("calls")["violations"], [])


class Signatures(Case):
    def test_good_ones_pass_by_both_addresses(self) -> None:
        for tls in (False, True):
            answer = self.account.client("sts", tls=tls).get_caller_identity()
            self.assertEqual(answer["Account"], self.account.id)
            self.account.client("ec2", tls=tls).describe_instances()
            self.account.client("ssm", tls=tls).describe_instance_information()

    def test_wrong_ones_are_refused_in_each_services_words(self) -> None:
        wrong = {**self.account.key, "secret": "x" * 40}
        unknown = {**self.account.key, "id": "AKIAUNKNOWN"}
        for key, ec2, sts, ssm in (
            (wrong, "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException"),
            (unknown, "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"),
        ):
            self.refused(ec2, self.account.client("ec2", key).describe_instances)
            self.refused(sts, self.account.client("sts", key).get_caller_identity)
            self.refused(ssm, self.account.client("ssm", key).describe_instance_information)

    def test_tokens(self) -> None:
        key = self.account.order("key", lifetime=1000, kind="ASIA")["key"]
        self.account.client("sts", key).get_caller_identity()
        stolen = {**key, "token": "other"}
        self.refused("InvalidClientTokenId", self.account.client("sts", stolen).get_caller_identity)
        old = self.account.order("key", lifetime=-1, kind="ASIA")["key"]
        self.refused("ExpiredToken", self.account.client("sts", old).get_caller_identity)
        self.refused("RequestExpired", self.account.client("ec2", old).describe_instances)
        self.refused(
            "ExpiredTokenException", self.account.client("ssm", old).describe_instance_information,
        )

    def test_clocks(self) -> None:
        for ahead in (3600, -3600):
            self.account.order("clock", seconds=ahead)
            self.refused("RequestExpired", self.account.client("ec2").describe_instances)
            error = self.refused("SignatureDoesNotMatch", self.account.client("sts").get_caller_identity)
            date = error.response["ResponseMetadata"]["HTTPHeaders"]["date"]
            told = parsedate_to_datetime(date).timestamp() - time.time()
            self.assertAlmostEqual(told, ahead, delta=5)
        self.account.order("clock", seconds=200)
        self.account.client("ec2").describe_instances()

    def test_a_changed_body_is_noticed(self) -> None:
        client = self.account.client("ec2")

        def change(request: AWSRequest, **_: object) -> None:
            request.body = request.body.replace("DescribeInstances", "DescribeAddresses")

        client.meta.events.register("before-send.ec2", change)
        self.refused("AuthFailure", client.describe_instances)

    def test_a_region_or_service_that_is_not_the_addresss(self) -> None:
        host = f"ec2.{REGION}.amazonaws.com"
        for service, region in (("ec2", "us-east-1"), ("ssm", REGION)):
            request = AWSRequest("POST", f"https://{host}/", {
                "host": host, "content-type": "application/x-www-form-urlencoded",
            }, b"Action=DescribeInstances&Version=2016-11-15")
            botocore.auth.SigV4Auth(self.account.credentials(), service, region).add_auth(request)
            status, _ = asyncio.run(_post(f"https://{host}/", dict(request.headers), request.data))
            self.assertNotEqual(status, 200, service)

    def test_counts_and_orders(self) -> None:
        client = self.account.client("ec2")
        client.describe_instances()
        client.describe_instances()
        self.assertEqual(self.account.order("calls", reset=True)["counts"], {"ec2:DescribeInstances": 2})
        self.account.order("deny", actions=["ec2:Describe*"])
        self.refused("UnauthorizedOperation", client.describe_instances)
        self.account.order("deny", actions=[])
        self.account.order(
            "fail", action="ec2:DescribeInstances", code="RequestLimitExceeded", status=503, times=1,
        )
        self.refused("RequestLimitExceeded", client.describe_instances)
        client.describe_instances()


class Instances(Case):
    def test_filters_and_states(self) -> None:
        one, two = self.account.order("launch", name="web", count=2, ipv6=True, tags={"env": "prod"})["instances"]
        client = self.account.client("ec2")

        def found(name: str, *values: str) -> set[str]:
            answer = client.describe_instances(Filters=[{"Name": name, "Values": list(values)}])
            return {i["InstanceId"] for r in answer["Reservations"] for i in r["Instances"]}

        both = {one["id"], two["id"]}
        self.assertEqual(found("tag:Name", "web-1"), {one["id"]})
        self.assertEqual(found("tag:Name", "web*"), both)
        self.assertEqual(found("tag:env", "prod"), both)
        self.assertEqual(found("tag:env", "dev"), set())
        self.assertEqual(found("ip-address", one["public_address"]), {one["id"]})
        self.assertEqual(found("private-ip-address", two["private_address"]), {two["id"]})
        self.assertEqual(found("ipv6-address", two["ipv6_address"]), {two["id"]})
        self.assertEqual(found("dns-name", one["public_name"]), {one["id"]})
        self.assertEqual(found("private-dns-name", one["private_name"]), {one["id"]})
        self.refused("InvalidParameterValue", client.describe_instances, Filters=[{"Name": "nonsense", "Values": ["x"]}])
        self.refused("InvalidInstanceID.NotFound", client.describe_instances, InstanceIds=["i-0123456789abcdef0"])
        self.refused("InvalidInstanceID.Malformed", client.describe_instances, InstanceIds=["i-xyz"])
        self.account.order("set", instance=one["id"], state="stopped")
        answer = client.describe_instances(InstanceIds=[one["id"]])["Reservations"][0]["Instances"][0]
        self.assertEqual(answer["State"]["Name"], "stopped")
        self.assertNotIn("PublicIpAddress", answer)

    def test_pages(self) -> None:
        self.account.order("launch", name="n", count=7)
        pages = list(self.account.client("ec2").get_paginator("describe_instances").paginate(
            PaginationConfig={"PageSize": 5},
        ))
        self.assertEqual([len(page["Reservations"]) for page in pages], [5, 2])

    def test_accounts_are_apart_and_the_labs_own_are_shared(self) -> None:
        self.account.launch(name="mine")
        other = Account(shared=True)
        names = [
            tag["Value"]
            for reservation in other.client("ec2").describe_instances()["Reservations"]
            for tag in reservation["Instances"][0]["Tags"]
        ]
        other.close()
        self.assertNotIn("mine", names)
        self.assertIn("debian", names)

    def test_console_output_has_the_real_host_keys(self) -> None:
        one = self.account.launch()
        output = self.account.client("ec2").get_console_output(InstanceId=one["id"])["Output"]
        for line in one["host_keys"]:
            self.assertIn(line, output)
        scanned = subprocess.run(
            ["ssh-keyscan", "-t", "ed25519", one["public_address"]], capture_output=True, text=True, check=True,
        ).stdout
        self.assertIn(scanned.split()[2], output)
        self.account.order("set", instance=one["id"], console="")
        self.assertNotIn("Output", self.account.client("ec2").get_console_output(InstanceId=one["id"]))

    def test_key_pairs_have_the_fingerprints_openssl_says(self) -> None:
        pairs = {
            pair["KeyName"]: pair["KeyFingerprint"]
            for pair in self.account.client("ec2").describe_key_pairs()["KeyPairs"]
        }
        rsa = LAB["keys"]["rsa"]

        def digest(kind: str, *command: str) -> str:
            der = subprocess.run(command, capture_output=True, check=True).stdout
            digits = hashlib.new(kind, der).hexdigest()
            return ":".join(digits[i:i + 2] for i in range(0, len(digits), 2))

        self.assertEqual(pairs["my-key"], digest("sha1", "openssl", "pkcs8", "-in", rsa, "-topk8", "-nocrypt", "-outform", "DER"))
        self.assertEqual(pairs["my-key-imported"], digest("md5", "openssl", "rsa", "-in", rsa, "-pubout", "-outform", "DER"))
        said = subprocess.run(
            ["ssh-keygen", "-lf", LAB["keys"]["ed25519"] + ".pub"], capture_output=True, text=True, check=True,
        ).stdout
        self.assertIn("SHA256:" + pairs["my-key-ed25519"].rstrip("="), said)

    def test_moto_answers_the_rest(self) -> None:
        self.assertTrue(self.account.client("ec2").describe_vpcs()["Vpcs"])


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
            async with aiohttp.ClientSession(connector=_connector()) as http:
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


class Sessions(Case):
    def setUp(self) -> None:
        super().setUp()
        self.instance = self.account.launch(public=False)
        self.ssm = self.account.client("ssm")

    def start(self, document: str | None = "AWS-StartSSHSession", **parameters: str) -> dict:
        more = {"DocumentName": document} if document else {}
        if parameters:
            more["Parameters"] = {name: [value] for name, value in parameters.items()}
        return self.ssm.start_session(Target=self.instance["id"], **more)

    def drive(self, work, started: dict | None = None, **settings: object) -> Client:  # noqa: ANN001
        async def run() -> Client:
            client = Client(self.ssm, self.account.credentials(), REGION)
            for name, value in settings.items():
                setattr(client, name, value)
            holding = asyncio.ensure_future(client.run(started or self.start()))
            async with asyncio.timeout(60):
                await work(client)
            client.keep_coming_back = False
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            return client
        return asyncio.run(run())

    def test_frames_are_those_of_the_recordings(self) -> None:
        path = os.path.join(os.path.dirname(__file__), "..", "..", "Vectors", "ssm")
        count = 0
        for name in os.listdir(path):
            with open(f"{path}/{name}", encoding="utf-8") as file:
                for line in map(json.loads, file):
                    if "frame" in line:
                        raw = bytes.fromhex(line["frame"])
                        self.assertEqual(frames.decode(raw).encode(), raw)
                        count += 1
        self.assertGreater(count, 20)
        with self.assertRaises(frames.Malformed):
            frames.decode(raw[:-1])

    def test_ssh_comes_through_and_early_data_needs_repeating(self) -> None:
        self.account.order("plan", dial=0.3)

        async def work(client: Client) -> None:
            await client.ready.wait()
            await client.send(b"SSH-2.0-test\r\n")
            self.assertTrue((await client.expect(20)).startswith(b"SSH-2.0-OpenSSH_9.6p"))
            while client.unacknowledged:
                await asyncio.sleep(0.01)

        client = self.drive(work)
        self.assertGreaterEqual(client.repeats, 1)
        self.assertEqual(client.handshake["RequestedClientActions"][0]["ActionParameters"],
                         {"SessionType": "Port", "Properties": {"portNumber": "22"}})
        self.assertEqual(client.publishing[0], frames.START)
        self.no_violations()

    def test_what_is_sent_before_the_handshake_is_lost(self) -> None:
        async def work(client: Client) -> None:
            await client.ready.wait()
            await client.expect(20)
            await asyncio.sleep(0.3)

        self.drive(work, before_ready=b"SSH-2.0-lost\r\n")
        (session,) = self.account.order("sessions")["sessions"]
        self.assertEqual(session["bytes_up"], 0)

    def test_refusals(self) -> None:
        started = self.start()
        for change in (
            {"TokenValue": "other"}, {"StreamUrl": started["StreamUrl"].replace("jane-", "joe-")},
        ):
            self.drive(lambda client: asyncio.sleep(0.3), {**started, **change}, keep_coming_back=False)
            self.assertNotEqual(self.account.order("calls", reset=True)["violations"], [])
        self.refused("InvalidDocument", self.ssm.start_session, Target=self.instance["id"], DocumentName="Nonsense")
        self.account.order("deny", actions=["document:AWS-StartSSHSession"])
        self.refused("AccessDeniedException", self.ssm.start_session, Target=self.instance["id"], DocumentName="AWS-StartSSHSession")
        self.account.order("set", instance=self.instance["id"], ssm="ConnectionLost")
        self.refused("TargetNotConnected", self.ssm.start_session, Target=self.instance["id"])
        status = self.ssm.get_connection_status(Target=self.instance["id"])
        self.assertEqual(status["Status"], "notconnected")
        self.refused("DoesNotExistException", self.ssm.resume_session, SessionId="jane-0")

    def test_a_stopped_sshd_closes_the_channel_with_a_text(self) -> None:
        self.account.order("set", instance=self.instance["id"], port="refuse")

        async def work(client: Client) -> None:
            with self.assertRaises(Closed) as caught:
                await client.expect(1)
            self.assertIn("connection refused", str(caught.exception))

        self.drive(work)

    def test_an_hour_ends_in_bye_and_the_session_goes_on(self) -> None:
        self.account.order("plan", hour=0.3)

        async def work(client: Client) -> None:
            await client.expect(20)
            while len(client.closings) < 3:
                await asyncio.sleep(0.05)

        client = self.drive(work)
        self.assertEqual({code for code, _ in client.closings}, {1000})
        self.no_violations()

    def test_not_a_byte_is_lost_when_websockets_are_cut(self) -> None:
        echo = _Echo()
        self.account.order(
            "plan", cuts=20, cut_between=[4000, 40000], seed=3, pause=0, window=64, lose=0.01,
        )
        sent = random.Random(1).randbytes(400_000)

        async def work(client: Client) -> None:
            await client.ready.wait()
            for start in range(0, len(sent), 1024):
                while len(client.unacknowledged) > 64:
                    await asyncio.sleep(0.002)
                await client.send(sent[start:start + 1024])
            self.assertEqual(await client.expect(len(sent), 60), sent)

        client = self.drive(work, self.start(portNumber=str(echo.port)))
        (session,) = self.account.order("sessions")["sessions"]
        self.assertEqual(session["cuts"], 20)
        self.assertGreater(session["attached"], 10)
        self.assertGreater(client.repeats, 0)
        echo.close()
        self.no_violations()

    def test_pace(self) -> None:
        echo = _Echo()
        sizes = {}
        for name, plan, size in (
            ("real", {}, 100_000), ("fast", {"payload": 32768, "pause": 0}, 8_000_000),
        ):
            self.account.order("plan", **plan)

            async def work(client: Client, size: int = size, name: str = name) -> None:
                await client.ready.wait()
                await asyncio.sleep(0.1)
                await client.send(f"give {size}\n".encode())
                began = time.monotonic()
                await client.expect(size, 30)
                sizes[name] = size / (time.monotonic() - began) / 1e6

            self.drive(work, self.start(portNumber=str(echo.port)))
        echo.close()
        print(f"pace: {sizes['real']:.2f} MB/s as the real agent, {sizes['fast']:.1f} MB/s unthrottled")
        self.assertLess(sizes["real"], 1.1)
        # Both depend on how busy the machine is.
        self.assertGreater(sizes["fast"], 4 * sizes["real"])

    def test_a_shell(self) -> None:
        async def work(client: Client) -> None:
            await client.expect(2)
            await client.send(json.dumps({"cols": 91, "rows": 33}).encode(), frames.SIZE)
            await client.send(b"stty size; id -un; echo $LAB_INSTANCE; exit\n")
            while client.closed is None:
                await asyncio.sleep(0.02)

        client = self.drive(work, self.start(None))
        text = client.received.decode()
        for wanted in ("33 91", "ssm-user", self.instance["id"]):
            self.assertIn(wanted, text)
        self.no_violations()

    def test_a_shell_encrypted_with_kms(self) -> None:
        self.account.order("plan", kms=True)

        async def work(client: Client) -> None:
            await client.ready.wait()
            await client.send(b"echo $((40 + 2))-x; exit\n")
            while client.closed is None:
                await asyncio.sleep(0.02)

        client = self.drive(
            work, self.start(None), kms=self.account.client("kms"), target=self.instance["id"],
        )
        self.assertIn(b"42-x", client.received)
        self.no_violations()

    def test_a_shell_whose_key_is_for_another_target_ends(self) -> None:
        self.account.order("plan", kms=True)

        async def work(client: Client) -> None:
            while client.closed is None:
                await asyncio.sleep(0.02)
            self.assertIn("data key failed", client.closed)

        self.drive(work, self.start(None), kms=self.account.client("kms"), target="i-0")

    def test_many_connections_in_a_port_forwarding_session(self) -> None:
        echo = _Echo()

        def piece(command: int, stream: int, body: bytes = b"") -> bytes:
            return struct.pack("<BBHI", 1, command, len(body), stream) + body

        async def work(client: Client) -> None:
            await client.ready.wait()
            await client.send(b"".join((
                piece(0, 3), piece(0, 5), piece(2, 3, b"three"), piece(2, 5, b"fives"),
                piece(1, 3), piece(1, 5),
            )))
            answers = {}
            for _ in range(4):
                version, command, size, stream = struct.unpack("<BBHI", await client.expect(8))
                self.assertEqual(version, 1)
                answers.setdefault(stream, []).append((command, await client.expect(size)))
            self.assertEqual(answers, {
                3: [(2, b"three"), (1, b"")], 5: [(2, b"fives"), (1, b"")],
            })

        client = self.drive(work, self.start("AWS-StartPortForwardingSession", portNumber=str(echo.port)))
        echo.close()
        properties = client.handshake["RequestedClientActions"][0]["ActionParameters"]["Properties"]
        self.assertEqual(properties["type"], "LocalPortForwarding")
        self.no_violations()

    def test_silence_of_the_agent(self) -> None:
        async def work(client: Client) -> None:
            await client.expect(20)
            await asyncio.to_thread(self.account.order, "quiet", quiet=True)
            await client.send(b"SSH-2.0-later\r\n")
            await asyncio.sleep(0.3)
            self.assertEqual(len(client.unacknowledged), 1)
            await asyncio.to_thread(self.account.order, "quiet", quiet=False)
            while client.unacknowledged:
                await asyncio.sleep(0.02)

        client = self.drive(work)
        self.assertEqual(client.publishing, [frames.START, frames.PAUSE, frames.START])


class _Echo:
    """echo.py, in the machine of the launched instances."""

    def __init__(self) -> None:
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "echo.py")
        self._process = subprocess.Popen(
            [sys.executable, "-B", program, str(LAB["aws"]["fleet"])],
            stdout=subprocess.PIPE, stdin=subprocess.PIPE,
        )
        self.port = int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def _connector() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=LAB["aws"]["ca"]))


async def _post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    async with aiohttp.ClientSession(connector=_connector()) as http:
        async with http.post(url, headers=headers, data=body) as response:
            return response.status, await response.text()


if __name__ == "__main__":
    unittest.main()
