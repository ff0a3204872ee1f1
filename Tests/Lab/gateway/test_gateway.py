#!/usr/bin/env python3
"""Tests of the gateway itself, in the lab: lab.py run --cloud --root -- PYTHON test_gateway.py

Those of Systems Manager are here; test_api.py, test_machines.py and test_reaching.py have the others.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import frames  # noqa: E402
import spoilt  # noqa: E402
import test_api  # noqa: E402
import test_machines  # noqa: E402
import test_reaching  # noqa: E402
from case import LAB, REGION, Case  # noqa: E402
from ssmclient import Client, Closed  # noqa: E402


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

    def test_disorder_is_none_to_who_keeps_order(self) -> None:
        echo = _Echo()
        self.account.order("plan", disorder=0.2, pause=0, window=64)
        sent = random.Random(2).randbytes(100_000)

        async def work(client: Client) -> None:
            await client.ready.wait()
            for start in range(0, len(sent), 1024):
                await client.send(sent[start:start + 1024])
            self.assertEqual(await client.expect(len(sent), 60), sent)

        self.drive(work, self.start(portNumber=str(echo.port)))
        (session,) = self.account.order("sessions")["sessions"]
        # Data and acknowledgements, and a fifth of the data once more.
        self.assertGreater(session["down"], 2 * 98 + 5)
        echo.close()
        self.no_violations()

    def test_a_service_gone_mad(self) -> None:
        for kind in ("short", "header", "length", "schema", "digest"):
            (raw,) = spoilt.messages(kind)
            with self.assertRaises(frames.Malformed, msg=kind):
                frames.decode(raw)
        for kind in ("ahead", "numbers", "acknowledgements"):
            for raw in spoilt.messages(kind):
                frames.decode(raw)
        self.account.order("plan", spoil="numbers")

        async def work(client: Client) -> None:
            self.assertTrue((await client.expect(20)).startswith(b"SSH-2.0-"))

        self.drive(work)

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
            )))
            answers = {}
            for turn in range(4):
                if turn == 2:
                    await client.send(piece(1, 3) + piece(1, 5))
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

    def test_an_old_agent_carries_one_connection_after_the_other(self) -> None:
        echo = _Echo()
        self.account.order("plan", agent="3.0.196.0")

        async def work(client: Client) -> None:
            await client.ready.wait()
            for word in (b"first", b"again"):
                await client.send(word)
                self.assertEqual(await client.expect(5), word)
                await client.send(struct.pack(">I", frames.DISCONNECT_TO_PORT), frames.FLAG)
                while client.unacknowledged:
                    await asyncio.sleep(0.02)

        self.drive(work, self.start("AWS-StartPortForwardingSession", portNumber=str(echo.port)))
        echo.close()
        self.no_violations()

    def test_a_command_on_a_terminal(self) -> None:
        async def work(client: Client) -> None:
            while client.closed is None:
                await asyncio.sleep(0.02)

        started = self.start("AWS-StartInteractiveCommand", command="test -t 0 && echo on a $((40 + 2))")
        self.assertIn(b"on a 42", self.drive(work, started).received)
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


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, _: object) -> unittest.TestSuite:
    """All of them."""
    for module in (test_api, test_machines, test_reaching):
        tests.addTests(loader.loadTestsFromModule(module))
    return tests


if __name__ == "__main__":
    unittest.main()
