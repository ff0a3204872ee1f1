"""Systems Manager: its API calls, and the service's side of a data channel."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import secrets
import urllib.parse
import uuid
from collections.abc import Callable

from aiohttp import WSMsgType, web

import frames
import spoilt
from agent import Agent
from answers import Call, Fault, answers
from frames import Frame
from signatures import Received, Refused, verify
from world import Account, Server, World

_OLDEST_CLIENT = (1, 2, 764, 0)
_DOCUMENTS = {
    "AWS-StartSSHSession": ("Port", None),
    "AWS-StartPortForwardingSession": ("Port", "LocalPortForwarding"),
    "AWS-StartPortForwardingSessionToRemoteHost": ("Port", "LocalPortForwarding"),
    "SSM-SessionManagerRunShell": ("Standard_Stream", None),
    "AWS-StartInteractiveCommand": ("InteractiveCommands", None),
}
_KNOWN = {"Port": {"portNumber", "localPortNumber", "host"}, "InteractiveCommands": {"command"}}


class Session:
    """One session: what is between the client's websockets, which come and go, and the agent."""

    def __init__(self, account: Account, server: Server, region: str, document: str, parameters: dict) -> None:
        self.account = account
        self.server = server
        self.region = region
        self.id = f"jane-{secrets.token_hex(9)[:17]}"
        self.token = self.new_token()
        self.plan = account.plan
        self.chance = random.Random(self.plan.seed)
        self.socket: web.WebSocketResponse | None = None
        self.state = "Connected"
        self.attached = 0
        self.cuts = 0
        self.next_cut = self._choose_cut()
        self.passed = 0
        self.late: list[bytes] = []  # what is overtaken by the next frame
        self.frames = {"up": 0, "down": 0, "repeated_up": 0, "repeated_down": 0}
        self.quiet = False  # the agent is away: nothing reaches it, publication is paused
        kind, forwarding = _DOCUMENTS[document]
        self.agent = Agent(self, kind, forwarding, parameters)
        self.agent.start()

    def new_token(self) -> str:
        self.token = base64.b64encode(secrets.token_bytes(60)).decode()
        self.account.secrets.append(self.token)
        return self.token

    def _choose_cut(self) -> int:
        return self.chance.randint(*self.plan.cut_between)

    # From the agent to the client.

    async def deliver(self, raw: bytes, is_data: bool) -> None:
        """Sends a frame, if a client is there."""
        socket = self.socket
        if socket is None or self.quiet:
            return
        if is_data and self.plan.lose and self.chance.random() < self.plan.lose:
            return
        batch = [raw]
        if is_data and self.plan.disorder:
            batch = self._disorder(raw)
        for message in batch:
            self.frames["down"] += 1
            try:
                await socket.send_bytes(message)
            except (ConnectionError, RuntimeError):
                self._detach(socket)
                return
            self._count(len(message))

    def _disorder(self, raw: bytes) -> list[bytes]:
        """One comes twice, another behind the one that follows it."""
        if self.chance.random() < self.plan.disorder:
            batch = [raw, raw]
        elif not self.late and self.chance.random() < self.plan.disorder:
            self.late = [raw]
            return []
        else:
            batch = [raw]
        batch += self.late
        self.late = []
        return batch

    async def spoil(self, kind: str) -> None:
        """Sends what no service should."""
        socket = self.socket
        try:
            for message in spoilt.messages(kind):
                if socket is not None and isinstance(message, str):
                    await socket.send_str(message)
                elif socket is not None:
                    await socket.send_bytes(message)
        except (ConnectionError, RuntimeError):
            self._detach(socket)

    def _count(self, size: int) -> None:
        """Cuts the websocket where the plan says so."""
        self.passed += size
        if self.cuts < self.plan.cuts and self.passed >= self.next_cut:
            self.cuts += 1
            self.next_cut = self.passed + self._choose_cut()
            self.cut()

    def cut(self) -> None:
        """The connection is gone, without a farewell."""
        if self.socket is not None and self.socket.wire is not None:
            self.socket.wire.abort()

    def _detach(self, socket: web.WebSocketResponse) -> None:
        if self.socket is socket:
            self.socket = None

    async def end(self, text: str) -> None:
        """The session is over: the client is told, and why."""
        if self.state == "Terminated":
            return
        self.state = "Terminated"
        self.agent.stop()
        if self.socket is not None:
            payload = {
                "MessageType": "channel_closed", "MessageId": str(uuid.uuid4()),
                "DestinationId": self.server.id, "SessionId": self.id, "SchemaVersion": 1,
                "CreatedDate": "", "Output": text,
            }
            socket = self.socket
            try:
                await socket.send_bytes(
                    Frame(frames.CLOSED, json.dumps(payload).encode(), flags=3).encode(),
                )
                await asyncio.wait_for(socket.close(), 2)
            except (ConnectionError, RuntimeError, TimeoutError):
                pass

    # From the client to the agent.

    async def attach(self, socket: web.WebSocketResponse) -> None:
        """Serves one websocket until it ends."""
        before, self.socket = self.socket, None
        if before is not None:
            await before.close()
        if not await self._opened(socket):
            await socket.close(code=1008, message=b"Invalid token")
            return
        self.socket = socket
        self.attached += 1
        if self.state == "Terminated":
            await self.end("")
            return
        await self.deliver(Frame(frames.START, flags=3).encode(), is_data=False)
        hour = asyncio.get_running_loop().call_later(self.plan.hour, self._say_bye, socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.account.violate("data channel: a text after the first")
                elif message.type is WSMsgType.BINARY:
                    await self._take(message.data)
        finally:
            hour.cancel()
            self._detach(socket)

    def _say_bye(self, socket: web.WebSocketResponse) -> None:
        asyncio.ensure_future(socket.close(code=1000, message=b"Bye"))

    async def _opened(self, socket: web.WebSocketResponse) -> bool:
        """Reads the first message, which has the token."""
        try:
            message = await socket.receive(timeout=10)
        except asyncio.TimeoutError:
            self.account.violate("data channel: no first message in 10 seconds")
            return False
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            # Who was given up while he was connecting says nothing.
            return False
        try:
            said = json.loads(message.data)
            version = tuple(int(part) for part in said["ClientVersion"].split("."))
            uuid.UUID(said["RequestId"])
            uuid.UUID(said["ClientId"])
            good = message.type is WSMsgType.TEXT and said["MessageSchemaVersion"] == "1.0"
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.account.violate(f"data channel: a first message that cannot be read: {error!r}")
            return False
        if not good or len(version) != 4 or version < _OLDEST_CLIENT:
            self.account.violate(f"data channel: first message not as it has to be: {version}")
            return False
        if said["TokenValue"] != self.token:
            self.account.violate("data channel: a token that is not valid, or not any more")
            return False
        self.token = ""  # good for one websocket
        return True

    async def _take(self, raw: bytes) -> None:
        try:
            frame = frames.decode(raw)
        except frames.Malformed as error:
            self.account.violate(f"data channel: {error}")
            return
        self._count(len(raw))
        if self.quiet:
            return
        if frame.type == frames.INPUT:
            if self.plan.lose and self.chance.random() < self.plan.lose:
                return
            self.frames["up"] += 1
        await self.agent.take(frame)

    async def set_quiet(self, quiet: bool) -> None:
        """The agent goes away, or comes back."""
        if quiet:
            await self.deliver(Frame(frames.PAUSE, flags=3).encode(), is_data=False)
        self.quiet = quiet
        if not quiet:
            await self.deliver(Frame(frames.START, flags=3).encode(), is_data=False)

    def describe(self) -> dict:
        """What tests want to know of it."""
        return {
            "id": self.id, "instance": self.server.id, "state": self.state,
            "attached": self.attached, "cuts": self.cuts, **self.frames,
            "bytes_up": self.agent.bytes_up, "bytes_down": self.agent.bytes_down,
        }


async def open_channel(world: World, request: web.Request, received: Received) -> web.StreamResponse:
    """Answers GET /v1/data-channel/ID, which has to be signed."""
    path, _, query = received.target.partition("?")
    identity = urllib.parse.unquote(path.rsplit("/", 1)[-1])
    role = urllib.parse.parse_qs(query).get("role", [""])[0]
    try:
        signed = verify(world, received)
    except Refused as refused:
        if refused.key:
            refused.key.account.violate(f"data channel: {refused.kind}: {str(refused)[:300]}")
        else:
            world.anonymous.append(f"data channel: {refused.kind}")
        return web.json_response({"message": str(refused)}, status=403)
    account = signed.key.account
    session = account.sessions.get(identity)
    account.calls.append({
        "service": "ssmmessages", "action": "OpenDataChannel", "region": signed.region,
        "key": signed.key.id, "parameters": identity,
    })
    if account.is_denied("ssmmessages:OpenDataChannel"):
        return web.json_response({"message": "not authorized"}, status=403)
    if signed.service != "ssmmessages" or session is None or session.region != signed.region:
        account.violate(f"data channel: signed for {signed.service}, session {identity}")
        return web.json_response({"message": "no such session"}, status=403)
    if role != "publish_subscribe":
        return web.json_response({"message": "no role"}, status=400)
    socket = web.WebSocketResponse(max_msg_size=0, compress=False, autoping=True)
    await socket.prepare(request)
    socket.wire = request.transport
    await session.attach(socket)
    return socket


def _stream_url(call: Call, session: Session) -> str:
    if "amazonaws.com" in call.origin:
        base = f"wss://ssmmessages.{session.region}.amazonaws.com"
    else:
        base = call.origin.replace("http", "ws", 1)
    return f"{base}/v1/data-channel/{session.id}?role=publish_subscribe&cell-number=AAEAAa1b2"


def _own(call: Call) -> Session:
    session = call.account.sessions.get(call.parameters["SessionId"])
    if session is None:
        raise Fault("DoesNotExistException", f"Session {call.parameters['SessionId']} does not exist")
    return session


@answers("ssm:StartSession")
def start_session(call: Call) -> dict:
    target = call.parameters["Target"]
    document = call.parameters.get("DocumentName") or "SSM-SessionManagerRunShell"
    given = call.parameters.get("Parameters") or {}
    server = call.account.find(target, call.region)
    if server is None or not server.is_up or server.ssm != "Online":
        raise Fault("TargetNotConnected", f"{target} is not connected.")
    if document not in _DOCUMENTS:
        raise Fault("InvalidDocument", f"Document with name {document} does not exist.")
    if call.account.is_denied(f"document:{document}"):
        raise Fault(
            "AccessDeniedException",
            f"User: {call.key.arn} is not authorized to perform: ssm:StartSession on resource: "
            f"arn:aws:ssm:{call.region}::document/{document} because no identity-based policy "
            "allows the ssm:StartSession action",
        )
    known = _KNOWN.get(_DOCUMENTS[document][0], set())
    for name, values in given.items():
        if name not in known or not isinstance(values, list):
            raise Fault("InvalidParameters", f"Parameter {name} is not defined in the document.")
    parameters = {name: values[0] for name, values in given.items()}
    if document.endswith("ToRemoteHost") and not parameters.get("host"):
        raise Fault("InvalidParameters", "Parameter host is not given.")
    if _DOCUMENTS[document][0] == "Port":
        parameters.setdefault("portNumber", "22" if document == "AWS-StartSSHSession" else "80")
    session = Session(call.account, server, call.region, document, parameters)
    call.account.sessions[session.id] = session
    return {"SessionId": session.id, "TokenValue": session.token, "StreamUrl": _stream_url(call, session)}


@answers("ssm:ResumeSession")
def resume_session(call: Call) -> dict:
    session = _own(call)
    if session.state == "Terminated":
        # A session that is over has no token.
        return {"SessionId": session.id}
    return {
        "SessionId": session.id, "TokenValue": session.new_token(),
        "StreamUrl": _stream_url(call, session),
    }


@answers("ssm:TerminateSession")
async def terminate_session(call: Call) -> dict:
    session = _own(call)
    await session.end("")
    return {"SessionId": session.id}


@answers("ssm:GetConnectionStatus")
def get_connection_status(call: Call) -> dict:
    server = call.account.find(call.parameters["Target"], call.region)
    connected = server is not None and server.is_up and server.ssm == "Online"
    return {"Target": call.parameters["Target"], "Status": "connected" if connected else "notconnected"}


@answers("ssm:DescribeInstanceInformation")
def describe_instance_information(call: Call) -> dict:
    chosen = [server for server in call.account.machines(call.region) if server.ssm is not None]
    for condition in call.parameters.get("Filters") or []:
        if condition["Key"] == "InstanceIds":
            chosen = [server for server in chosen if server.id in condition["Values"]]
        elif condition["Key"] == "PingStatus":
            chosen = [server for server in chosen if server.ssm in condition["Values"]]
        elif condition["Key"] == "ResourceType":
            chosen = [server for server in chosen if _kind(server) in condition["Values"]]
        else:
            raise Fault("InvalidFilterKey", "")
    size = min(call.parameters.get("MaxResults") or 10, 50)
    start = int(call.parameters.get("NextToken") or 0)
    result: dict[str, object] = {"InstanceInformationList": [
        {
            "InstanceId": server.id, "PingStatus": server.ssm, "AgentVersion": "3.3.1611.0",
            "IsLatestVersion": True, "PlatformType": "Linux", "PlatformName": server.image,
            "PlatformVersion": "1", "ResourceType": _kind(server), "IPAddress": server.private,
            "ComputerName": server.private_name,
            # The name given at the activation; instances have tags.
            **({"Name": server.name} if server.is_managed and server.name else {}),
        } for server in chosen[start:start + size]
    ]}
    if start + size < len(chosen):
        result["NextToken"] = str(start + size)
    return result


def _kind(server: Server) -> str:
    return "ManagedInstance" if server.is_managed else "EC2Instance"


def every(account: Account, change: Callable[[Session], object]) -> list[object]:
    """Does something to each session of an account that is alive."""
    return [change(s) for s in account.sessions.values() if s.state != "Terminated"]


