"""A client of Systems Manager's data channel, to test the gateway with: small, slow, and strict."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
import urllib.parse
import uuid

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import frames
from frames import Frame


class Closed(Exception):
    """The channel is closed; its text is what the service said."""


class Client:
    """One session, over as many websockets as it takes."""

    def __init__(self, ssm, credentials: Credentials, region: str) -> None:  # noqa: ANN001
        self.ssm = ssm
        self.credentials = credentials
        self.region = region
        self.identity = str(uuid.uuid4())
        self.next_out = 0
        self.expected = 0
        self.unacknowledged: dict[int, list] = {}
        self.early: dict[int, Frame] = {}
        self.received = bytearray()
        self.arrived = asyncio.Event()
        self.ready = asyncio.Event()
        self.closed: str | None = None
        self.closings: list[tuple[int | None, str]] = []
        self.publishing: list[str] = []
        self.repeats = 0
        self.handshake: dict = {}
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.keep_coming_back = True
        self.before_ready = b""  # sent too early on purpose
        self.kms = None  # a client of KMS, to agree on a key with
        self.seal: AESGCM | None = None
        self.open: AESGCM | None = None

    async def run(self, started: dict) -> None:
        """Holds the session until it is closed; comes back when a websocket is lost."""
        self.session_id = started["SessionId"]
        token, url = started["TokenValue"], started["StreamUrl"]
        repeater = asyncio.ensure_future(self._repeat())
        async with aiohttp.ClientSession() as http:
            try:
                while self.closed is None:
                    await self._attach(http, url, token)
                    if self.closed is not None or not self.keep_coming_back:
                        return
                    again = await asyncio.to_thread(
                        self.ssm.resume_session, SessionId=self.session_id,
                    )
                    if not again.get("TokenValue"):
                        self.closed = "the session is over"
                        return
                    token, url = again["TokenValue"], again["StreamUrl"]
            finally:
                self.arrived.set()
                repeater.cancel()

    async def _attach(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        headers = self.signed(url)
        try:
            async with http.ws_connect(url, headers=headers, max_msg_size=0, compress=0) as socket:
                await socket.send_str(json.dumps({
                    "MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4()),
                    "TokenValue": token, "ClientId": self.identity,
                    "ClientVersion": "1.2.896.0",
                }))
                self.socket = socket
                if self.before_ready:
                    await self.send(self.before_ready)
                async for message in socket:
                    await self._take(frames.decode(message.data))
                    if self.closed is not None:
                        return
                self.closings.append((socket.close_code, ""))
        except (ConnectionError, aiohttp.ClientConnectionError):
            self.closings.append((None, ""))
        finally:
            self.socket = None

    def signed(self, url: str) -> dict[str, str]:
        """The headers of the upgrade."""
        parts = urllib.parse.urlsplit(url)
        request = AWSRequest(
            method="GET", url=url.replace("ws", "http", 1), headers={"host": parts.netloc},
        )
        SigV4Auth(self.credentials, "ssmmessages", self.region).add_auth(request)
        return {name: value for name, value in request.headers.items() if name.lower() != "host"}

    async def _take(self, frame: Frame) -> None:
        if frame.type == frames.ACKNOWLEDGE:
            said = json.loads(frame.payload)
            self.unacknowledged.pop(said["AcknowledgedMessageSequenceNumber"], None)
        elif frame.type == frames.CLOSED:
            self.closed = json.loads(frame.payload)["Output"]
        elif frame.type in (frames.START, frames.PAUSE):
            self.publishing.append(frame.type)
        else:
            payload = json.dumps({
                "AcknowledgedMessageType": frame.type, "AcknowledgedMessageId": str(frame.id),
                "AcknowledgedMessageSequenceNumber": frame.sequence, "IsSequentialMessage": True,
            }).encode()
            await self._write(Frame(frames.ACKNOWLEDGE, payload, flags=3).encode())
            if frame.sequence >= self.expected:
                self.early[frame.sequence] = frame
            while self.expected in self.early:
                await self._use(self.early.pop(self.expected))
                self.expected += 1

    async def _use(self, frame: Frame) -> None:
        if frame.payload_type == frames.HANDSHAKE_REQUEST:
            self.handshake = json.loads(frame.payload)
            done = []
            for action in self.handshake["RequestedClientActions"]:
                result = None
                if action["ActionType"] == "KMSEncryption":
                    result = self._agree(action["ActionParameters"])
                done.append({
                    "ActionType": action["ActionType"], "ActionStatus": 1, "ActionResult": result,
                    "Error": "",
                })
            await self.send(json.dumps({
                "ClientVersion": "1.2.896.0", "Errors": None, "ProcessedClientActions": done,
            }).encode(), frames.HANDSHAKE_RESPONSE)
        elif frame.payload_type == frames.CHALLENGE_REQUEST:
            sealed = base64.b64decode(json.loads(frame.payload)["Challenge"])
            plain = self.open.decrypt(sealed[:12], sealed[12:], None)
            answer = base64.b64encode(self._sealed(plain)).decode()
            await self.send(json.dumps({"Challenge": answer}).encode(), frames.CHALLENGE_RESPONSE)
        elif frame.payload_type == frames.HANDSHAKE_COMPLETE:
            self.ready.set()
        elif frame.payload_type == frames.DATA:
            payload = frame.payload
            if self.open is not None:
                payload = self.open.decrypt(payload[:12], payload[12:], None)
            self.received += payload
            self.arrived.set()

    def _agree(self, asked: dict) -> dict:
        """A data key from KMS: its first half opens what comes, its second seals what goes."""
        made = self.kms.generate_data_key(
            KeyId=asked["KMSKeyId"], NumberOfBytes=64, EncryptionContext={
                "aws:ssm:SessionId": self.session_id, "aws:ssm:TargetId": self.target,
                "aws:ssm:RandomChallenge": asked["Challenge"],
            },
        )
        self.open, self.seal = AESGCM(made["Plaintext"][:32]), AESGCM(made["Plaintext"][32:])
        blob = made["CiphertextBlob"]
        return {
            "KMSCipherTextKey": base64.b64encode(blob).decode(),
            "KMSCipherTextHash": base64.b64encode(hashlib.sha256(blob).digest()).decode(),
            "ChallengeAcknowledgement": True,
        }

    def _sealed(self, plain: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self.seal.encrypt(nonce, plain, None)

    async def send(self, payload: bytes, kind: int = frames.DATA) -> None:
        """One message of the stream."""
        if kind == frames.DATA and self.seal is not None:
            payload = self._sealed(payload)
        frame = Frame(frames.INPUT, payload, kind, self.next_out)
        self.next_out += 1
        raw = frame.encode()
        self.unacknowledged[frame.sequence] = [raw, time.monotonic()]
        await self._write(raw)

    async def _write(self, raw: bytes) -> None:
        try:
            if self.socket is not None:
                await self.socket.send_bytes(raw)
        except (ConnectionError, aiohttp.ClientConnectionError, RuntimeError):
            pass

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            now = time.monotonic()
            for entry in list(self.unacknowledged.values())[:200]:
                if now - entry[1] > 0.2:
                    entry[1] = now
                    self.repeats += 1
                    await self._write(entry[0])

    async def expect(self, size: int, limit: float = 20) -> bytes:
        """Takes exactly so many bytes of what came."""
        async with asyncio.timeout(limit):
            while len(self.received) < size:
                if self.closed is not None:
                    raise Closed(self.closed)
                self.arrived.clear()
                await self.arrived.wait()
        taken = bytes(self.received[:size])
        del self.received[:size]
        return taken
