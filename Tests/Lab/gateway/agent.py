"""The agent's side of a Systems Manager session: handshake, order, repetition, and what is behind.

It does what the real agent was seen to do. Data that comes before the handshake is complete is
acknowledged and dropped; data that comes before its own connection stands is dropped without a
word, so that only a client that repeats gets through.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import struct
import termios
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import calls
import frames
from answers import Fault
from frames import Frame
from machines import Unreachable
from mux import Mux

if TYPE_CHECKING:
    from sessions import Session

_LAST_WITHOUT_MUX = (3, 0, 196, 0)
_FIRST_CLIENT_WITH_MUX = (1, 1, 70)
_LOOK = 0.1  # seconds between two looks at what is not acknowledged
_TIMEOUT_FIRST, _TIMEOUT_MOST = 0.2, 1.0
_HANDSHAKE_LIMIT = 15
_OUT_OF_ORDER = 10000
_KMS_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e"


class Agent:
    """One session's agent."""

    def __init__(self, session: Session, kind: str, forwarding: str | None, parameters: dict) -> None:
        self.session = session
        self.kind = kind
        self.forwarding = forwarding
        self.parameters = parameters
        self.tasks: set[asyncio.Task] = set()
        self.next_out = 0
        self.expected = 0
        self.early: dict[int, Frame] = {}
        self.unacknowledged: OrderedDict[int, list] = OrderedDict()  # sequence: frame, raw, when
        self.timeout, self.trip, self.variance = _TIMEOUT_FIRST, 0.1, 0.0
        self.room = asyncio.Event()
        self.bytes_up = self.bytes_down = 0
        self.began = time.monotonic()
        self.seal: AESGCM | None = None
        self.open: AESGCM | None = None
        self.challenge = b""
        self.handshake = kind == "Port" or session.plan.kms
        self.complete = not self.handshake
        self.writer: asyncio.StreamWriter | None = None
        self.mux: Mux | None = None
        self.client_version: tuple[int, ...] = ()
        self.lost_connection = False  # the next bytes make a new one
        self.terminal: int | None = None

    # Life.

    def start(self) -> None:
        self._run(self._repeat())
        if self.handshake:
            self._run(self._shake_hands())
        else:
            self._run(self._run_shell())

    def stop(self) -> None:
        for task in self.tasks:
            if task is not asyncio.current_task():
                task.cancel()
        if self.writer is not None:
            self.writer.close()
        if self.mux is not None:
            self.mux.close()
        self._close_terminal()

    def _run(self, work) -> None:  # noqa: ANN001
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.session.account.violate(f"the lab's agent failed: {task.exception()!r}")

    # Sending.

    async def send(self, payload: bytes, kind: int = frames.DATA) -> None:
        """One message of the stream, kept until it is acknowledged."""
        if kind == frames.DATA:
            self.bytes_down += len(payload)
            if self.seal is not None:
                nonce = os.urandom(12)
                payload = nonce + self.seal.encrypt(nonce, payload, None)
        frame = Frame(
            frames.OUTPUT, payload, kind, self.next_out, frames.SYN if self.next_out == 0 else 0,
        )
        self.next_out += 1
        raw = frame.encode()
        self.unacknowledged[frame.sequence] = [frame, raw, time.monotonic()]
        await self.session.deliver(raw, is_data=True)

    async def wait_for_room(self) -> None:
        """Returns when somebody is there and not too much is on the way."""
        session = self.session
        while (
            len(self.unacknowledged) >= session.plan.window or session.socket is None
            or session.quiet
        ):
            self.room.clear()
            try:
                await asyncio.wait_for(self.room.wait(), 0.05)
            except TimeoutError:
                pass

    async def _repeat(self) -> None:
        seen = None
        while True:
            await asyncio.sleep(_LOOK)
            socket = self.session.socket
            if socket is None or self.session.quiet:
                continue
            if socket is not seen:
                # Who comes (back) has missed an unknown part of it.
                seen = socket
                waiting = list(self.unacknowledged.values())
            else:
                waiting = list(self.unacknowledged.values())[:1]
            now = time.monotonic()
            for entry in waiting:
                if now - entry[2] >= self.timeout and entry[0].sequence in self.unacknowledged:
                    entry[2] = now
                    self.session.frames["repeated_down"] += 1
                    await self.session.deliver(entry[1], is_data=True)

    def _acknowledged(self, frame: Frame) -> None:
        try:
            said = json.loads(frame.payload)
            sequence = said["AcknowledgedMessageSequenceNumber"]
            identity = said["AcknowledgedMessageId"]
            good = said["AcknowledgedMessageType"] == frames.OUTPUT and said["IsSequentialMessage"] is True
        except (ValueError, KeyError, TypeError) as error:
            self.session.account.violate(f"acknowledgement that cannot be read: {error!r}")
            return
        if not good or frame.flags != 3 or frame.sequence != 0 or sequence >= self.next_out:
            self.session.account.violate(f"acknowledgement not as it has to be: {said}")
            return
        entry = self.unacknowledged.get(sequence)
        if entry is None:
            return
        if str(entry[0].id) != identity:
            self.session.account.violate(f"acknowledgement of {identity}, which is not number {sequence}")
            return
        del self.unacknowledged[sequence]
        took = time.monotonic() - entry[2]
        self.variance += (abs(took - self.trip) - self.variance) / 4
        self.trip += (took - self.trip) / 8
        self.timeout = min(self.trip + max(0.01, 4 * self.variance), _TIMEOUT_MOST)
        self.room.set()

    # Taking.

    async def take(self, frame: Frame) -> None:
        """A frame from the client."""
        if frame.type == frames.ACKNOWLEDGE:
            self._acknowledged(frame)
        elif frame.type == frames.INPUT:
            await self._take_stream(frame)
        else:
            self.session.account.violate(f"data channel: a client sends {frame.type!r}")

    async def _take_stream(self, frame: Frame) -> None:
        if frame.sequence < self.expected:
            self.session.frames["repeated_up"] += 1
            await self._acknowledge(frame)
        elif frame.sequence > self.expected:
            if len(self.early) < _OUT_OF_ORDER:
                self.early[frame.sequence] = frame
                await self._acknowledge(frame)
        elif await self._process(frame):
            self.expected += 1
            await self._acknowledge(frame)
            while self.expected in self.early and await self._process(self.early[self.expected]):
                del self.early[self.expected]
                self.expected += 1

    async def _acknowledge(self, frame: Frame) -> None:
        payload = json.dumps({
            "AcknowledgedMessageType": frame.type, "AcknowledgedMessageId": str(frame.id),
            "AcknowledgedMessageSequenceNumber": frame.sequence, "IsSequentialMessage": True,
        }, separators=(",", ":")).encode()
        await self.session.deliver(Frame(frames.ACKNOWLEDGE, payload, 0, 0, 3).encode(), is_data=False)

    async def _process(self, frame: Frame) -> bool:
        """Whether the message was taken; one that was not comes again."""
        kind, payload = frame.payload_type, frame.payload
        if kind == frames.HANDSHAKE_RESPONSE:
            await self._take_response(payload)
        elif kind == frames.CHALLENGE_RESPONSE:
            await self._take_challenge(payload)
        elif not self.complete:
            pass  # taken, and lost
        elif kind == frames.FLAG:
            (flag,) = struct.unpack(">I", payload)
            if flag == frames.TERMINATE_SESSION:
                await self.session.end("")
            elif flag == frames.DISCONNECT_TO_PORT and self.writer is not None:
                self.writer.close()
        elif kind == frames.SIZE:
            return self._set_size(payload)
        elif kind == frames.DATA:
            return await self._take_data(payload)
        else:
            self.session.account.violate(f"data channel: a payload of type {kind}")
        return True

    async def _take_data(self, payload: bytes) -> bool:
        if self.open is not None:
            try:
                payload = self.open.decrypt(payload[:12], payload[12:], None)
            except (InvalidTag, ValueError):
                self.session.account.violate("data channel: input that is not encrypted as agreed")
                return True
        if self.mux is not None:
            await self.mux.take(payload)
        elif self.writer is not None:
            if self.lost_connection and not await self._connect_again():
                return False
            if self.writer.is_closing():
                return False
            self.writer.write(payload)
            try:
                await self.writer.drain()
            except ConnectionError:
                return True
        elif self.terminal is not None:
            try:
                os.write(self.terminal, payload)
            except OSError:
                return False
        else:
            return False
        self.bytes_up += len(payload)
        return True

    # The handshake.

    async def _shake_hands(self) -> None:
        properties = dict(self.parameters)
        if self.forwarding:
            properties["type"] = self.forwarding
        actions: list[dict] = [{
            "ActionType": "SessionType",
            "ActionParameters": {"SessionType": self.kind, "Properties": properties},
        }]
        if self.session.plan.kms and self.kind != "Port":
            self.random = base64.b64encode(os.urandom(32)).decode()
            actions.append({
                "ActionType": "KMSEncryption",
                "ActionParameters": {"KMSKeyId": _KMS_KEY, "Challenge": self.random},
            })
        request = {"AgentVersion": self.session.plan.agent, "RequestedClientActions": actions}
        await self.send(json.dumps(request).encode(), frames.HANDSHAKE_REQUEST)
        while self.session.socket is None:
            await asyncio.sleep(0.05)
        await asyncio.sleep(_HANDSHAKE_LIMIT)
        if not self.complete:
            await self.session.end(
                "Handshake timed out. Please ensure that you have the latest version of the "
                "session manager plugin.",
            )

    async def _take_response(self, payload: bytes) -> None:
        try:
            said = json.loads(payload)
            done = {a["ActionType"]: a for a in said["ProcessedClientActions"]}
            version = said["ClientVersion"]
        except (ValueError, KeyError, TypeError) as error:
            self.session.account.violate(f"handshake response that cannot be read: {error!r}")
            return
        if done.get("SessionType", {}).get("ActionStatus") != 1 or version.count(".") != 3:
            self.session.account.violate(f"handshake response not as it has to be: {said}")
        self.client_version = tuple(int(part) for part in version.split("."))
        if self.session.plan.kms and self.kind != "Port":
            await self._agree_on_key(done.get("KMSEncryption", {}))
        else:
            await self._finish()

    async def _agree_on_key(self, action: dict) -> None:
        result = action.get("ActionResult") or {}
        if action.get("ActionStatus") != 1:
            await self.session.end(f"KMSEncryption failed on client: {action.get('Error')}")
            return
        context = {"aws:ssm:SessionId": self.session.id, "aws:ssm:TargetId": self.session.server.id}
        if result.get("ChallengeAcknowledgement"):
            context["aws:ssm:RandomChallenge"] = self.random
        try:
            key = calls.unseal(
                self.session.account, context, base64.b64decode(result["KMSCipherTextKey"]),
            )
        except (Fault, KeyError, ValueError) as error:
            await self.session.end(f"Fetching data key failed: {error}")
            return
        self.challenge = os.urandom(64)
        nonce = os.urandom(12)
        seal = AESGCM(key[:32])
        self.open_later = AESGCM(key[32:])
        sealed = nonce + seal.encrypt(nonce, self.challenge, None)
        text = json.dumps({"Challenge": base64.b64encode(sealed).decode()})
        await self.send(text.encode(), frames.CHALLENGE_REQUEST)
        self.seal_later = seal

    async def _take_challenge(self, payload: bytes) -> None:
        try:
            answer = base64.b64decode(json.loads(payload)["Challenge"])
            plain = self.open_later.decrypt(answer[:12], answer[12:], None)
        except (ValueError, KeyError, InvalidTag):
            plain = b""
        if plain != self.challenge:
            await self.session.end("Encryption challenge does not match!")
            return
        self.open, self.seal = self.open_later, self.seal_later
        await self._finish()

    async def _finish(self) -> None:
        if self.complete:
            return
        message = "This session is encrypted using AWS KMS." if self.seal else ""
        text = json.dumps({
            "HandshakeTimeToComplete": int((time.monotonic() - self.began) * 1e9),
            "CustomerMessage": message,
        })
        self.complete = True
        await self.send(text.encode(), frames.HANDSHAKE_COMPLETE)
        if self.session.plan.spoil:
            await self.session.spoil(self.session.plan.spoil)
        if self.kind != "Port":
            self._run(self._run_shell())
        elif self.forwarding and self._has_mux():
            self.mux = Mux(self)
        else:
            self._run(self._run_connection())

    def _has_mux(self) -> bool:
        """Whether both sides know of many connections."""
        version = tuple(int(part) for part in self.session.plan.agent.split("."))
        return version > _LAST_WITHOUT_MUX and self.client_version >= _FIRST_CLIENT_WITH_MUX

    # What is behind it.

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection the session is for; raises Unreachable."""
        server = self.session.server
        port = int(self.parameters["portNumber"])
        if not server.is_up:
            raise Unreachable("i/o timeout")
        machine = self.session.account.world.machines[server.machine]
        return await machine.connect(self.parameters.get("host", server.private), port)

    async def _run_connection(self) -> None:
        await asyncio.sleep(self.session.plan.dial)
        try:
            reader, writer = await self.dial()
        except Unreachable as error:
            port = self.parameters["portNumber"]
            await self.session.end(f"dial tcp 127.0.0.1:{port}: connect: {error}")
            return
        self.writer = writer
        await self._carry_down(reader)
        if self.forwarding:
            # Nobody is told that the server has closed.
            writer.close()
            self.lost_connection = True
            return
        await self._end_when_all_is_taken()

    async def _connect_again(self) -> bool:
        try:
            reader, self.writer = await self.dial()
        except Unreachable as error:
            await self.session.end(f"Unable to connect to specified port: {error}")
            return False
        self.lost_connection = False

        async def carry() -> None:
            await self._carry_down(reader)
            self.writer.close()
            self.lost_connection = True

        self._run(carry())
        return True

    async def _carry_down(self, reader: asyncio.StreamReader) -> None:
        while True:
            await self.wait_for_room()
            try:
                piece = await reader.read(self.session.plan.payload)
            except ConnectionError:
                break
            if not piece:
                break
            await self.wait_for_room()
            await self.send(piece)
            if self.session.plan.pause:
                await asyncio.sleep(self.session.plan.pause)

    async def _end_when_all_is_taken(self) -> None:
        limit = time.monotonic() + 10
        while self.unacknowledged and time.monotonic() < limit:
            await asyncio.sleep(0.005)
        await self.session.end("")

    async def _run_shell(self) -> None:
        server = self.session.server
        machine = self.session.account.world.machines[server.machine]
        try:
            _, self.terminal = await machine.ask({
                "do": "shell", "environment": {"LAB_INSTANCE": server.id},
                "command": self.parameters.get("command"),
            })
        except Unreachable as error:
            await self.session.end(f"Unable to start shell: {error}")
            return
        os.set_blocking(self.terminal, False)
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self.terminal, readable.set)
        while True:
            await self.wait_for_room()
            try:
                piece = os.read(self.terminal, min(self.session.plan.payload, 1024))
            except BlockingIOError:
                readable.clear()
                await readable.wait()
                continue
            except OSError:
                break
            if not piece:
                break
            await self.send(piece)
            if self.session.plan.pause:
                await asyncio.sleep(self.session.plan.pause)
        self._close_terminal()
        await self._end_when_all_is_taken()

    def _close_terminal(self) -> None:
        if self.terminal is not None:
            asyncio.get_running_loop().remove_reader(self.terminal)
            os.close(self.terminal)
            self.terminal = None

    def _set_size(self, payload: bytes) -> bool:
        try:
            said = json.loads(payload)
            size = struct.pack("HHHH", said["rows"], said["cols"], 0, 0)
        except (ValueError, KeyError, TypeError, struct.error) as error:
            self.session.account.violate(f"data channel: a size that cannot be read: {error!r}")
            return True
        if self.terminal is None:
            return False
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, size)
        return True
