"""EC2 Instance Connect endpoints: a websocket that carries raw bytes to port 22 of an instance."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
import uuid

from aiohttp import WSMsgType, web

from answers import refusal
from machines import Unreachable
from signatures import Received, Refused, verify
from world import Account, Endpoint, Server, World

_PIECE = 65000
_USABLE = ("create-complete", "update-in-progress", "update-failed", "update-complete")


class _Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


async def open_tunnel(world: World, request: web.Request, received: Received) -> web.StreamResponse:
    """Answers GET /openTunnel."""
    try:
        account, endpoint, server, port, seconds = _judge(world, received)
    except _Refusal as refused:
        return web.Response(
            status=refused.status,
            text=json.dumps({"ErrorCode": refused.code, "Message": str(refused)}),
            content_type="application/json", headers={"x-amzn-RequestId": str(uuid.uuid4())},
        )
    socket = web.WebSocketResponse(max_msg_size=0, compress=False, autoping=True)
    await socket.prepare(request)
    endpoint.open += 1
    account.tunnels.add(socket)
    # So that tests can break it: the websocket alone cannot be cut off without a farewell.
    socket.wire = request.transport
    try:
        await _carry(account, endpoint, server, port, seconds, socket)
    finally:
        endpoint.open -= 1
        account.tunnels.discard(socket)
    return socket


def _judge(
    world: World, received: Received,
) -> tuple[Account, Endpoint, Server | None, int, float]:
    """Whether the tunnel is granted."""
    try:
        signed = verify(world, received)
    except Refused as refused:
        if refused.key:
            refused.key.account.violate(f"openTunnel: {refused.kind}: {str(refused)[:200]}")
        else:
            world.anonymous.append(f"openTunnel: {refused.kind}")
        raise _Refusal(403, refusal(refused, "ec2").code, str(refused)) from refused
    account = signed.key.account
    query = {
        name: value[0]
        for name, value in urllib.parse.parse_qs(urllib.parse.urlsplit(received.target).query).items()
    }
    account.secrets.append(query["X-Amz-Signature"])
    if signed.service != "ec2-instance-connect":
        raise _Refusal(403, "AuthFailure", f"signed for {signed.service}")
    if not 1 <= int(query["X-Amz-Expires"]) <= 60:
        account.violate("openTunnel: signed for longer than 60 seconds")
    note = {"service": "ec2-instance-connect", "action": "OpenTunnel", "region": signed.region,
            "key": signed.key.id, "parameters": query.get("privateIpAddress", "")}
    account.calls.append(note)
    action = "ec2-instance-connect:OpenTunnel"
    if account.is_denied(action):
        raise _Refusal(403, "AccessDenied", f"User: {signed.key.arn} is not authorized to perform: {action}")
    failure = account.ordered_failure(action)
    if failure:
        raise _Refusal(failure.status, failure.code, failure.message)
    endpoint = account.endpoints.get(query.get("instanceConnectEndpointId", ""))
    if endpoint is None or endpoint.state not in _USABLE:
        raise _Refusal(400, "ResourceNotFound", "The instance connect endpoint does not exist or is not usable.")
    host = received.headers.get("host", "").removesuffix(":443")
    if host != endpoint.name and host.endswith("amazonaws.com"):
        raise _Refusal(400, "InvalidParameter", f"{host} is not the name of the endpoint")
    port = query.get("remotePort", "")
    if port not in ("22", "3389"):
        raise _Refusal(
            400, "InvalidParameter",
            "The specified RemotePort is not valid. Specify either 22 or 3389 as the RemotePort and "
            "retry your request.",
        )
    seconds = query.get("maxTunnelDuration", "3600")
    if not seconds.isdigit() or not 1 <= int(seconds) <= 3600:
        raise _Refusal(400, "InvalidParameter", "The specified MaxTunnelDuration is not valid.")
    address = query.get("privateIpAddress", "")
    if not address:
        raise _Refusal(400, "InvalidParameter", "PrivateIpAddress is missing")
    if endpoint.open >= endpoint.refuse_after:
        raise _Refusal(429, "TooManyConnections", "The endpoint has too many open connections.")
    server = next(
        (s for s in account.visible(endpoint.region) if address in (s.private, s.ipv6)), None,
    )
    return account, endpoint, server, int(port), min(int(seconds), account.plan.tunnel)


async def _carry(
    account: Account, endpoint: Endpoint, server: Server | None, port: int, seconds: float,
    socket: web.WebSocketResponse,
) -> None:
    if server is None or not server.is_up or not endpoint.reaches:
        await asyncio.sleep(0.2)
        await socket.close(code=1011, message=b"Unable to connect to target")
        return
    try:
        machine = account.world.machines[server.machine]
        reader, writer = await machine.connect(server.private, port)
    except Unreachable:
        await socket.close(code=1011, message=b"Unable to connect to target")
        return

    async def down() -> None:
        while piece := await reader.read(_PIECE):
            await socket.send_bytes(piece)
        await socket.close()

    async def up() -> None:
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                account.violate(f"tunnel: a message of type {message.type!r}")
                return
            if len(message.data) > _PIECE:
                account.violate(f"tunnel: {len(message.data)} bytes in one message")
                return
            writer.write(message.data)
            await writer.drain()

    tasks = [asyncio.create_task(down()), asyncio.create_task(up())]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            await socket.close(code=1000, message=b"Max tunnel duration reached")
    finally:
        for task in tasks:
            task.cancel()
        writer.close()
        await asyncio.gather(*tasks, return_exceptions=True)
