"""Takes requests, over HTTP and TLS, and hands them to whoever answers."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from email.utils import formatdate

from aiohttp import web

from answers import (
    ANSWERS, MODELS, Answer, Call, Fault, Protocols, denial, refusal, throttling,
)
from fallback import Fallback
from sessions import open_channel
from signatures import Received, Refused, verify
from tunnel import open_tunnel
from world import World

_GREETING = "the lab's cloud\n"


class Gateway:
    """The HTTP side of the cloud."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.protocols = Protocols()
        self.fallback = Fallback()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1 << 20)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(
            request.method, request.raw_path,
            {name.lower(): value.strip() for name, value in request.headers.items()},
            await request.read() if request.body_exists else b"",
        )
        if received.target.startswith("/openTunnel"):
            return await open_tunnel(self.world, request, received)
        if received.target.startswith("/v1/data-channel/"):
            return await open_channel(self.world, request, received)
        if received.method == "GET" and received.headers.get("host", "").startswith("checkip."):
            return web.Response(text=self.world.client_address + "\n")
        if received.method == "GET" and received.target == "/":
            return web.Response(text=_GREETING)
        answer = await self._answer(request, received)
        headers = {**answer.headers, "Date": self._date(received)}
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    def _date(self, received: Received) -> str:
        """The service's time, by which clients mend their clocks."""
        found = re.search(r"Credential=([^/]+)/", received.headers.get("authorization", ""))
        key = self.world.keys.get(found.group(1)) if found else None
        return formatdate(self.world.now(key.account) if key else time.time(), usegmt=True)

    async def _answer(self, request: web.Request, received: Received) -> Answer:
        service = ""
        try:
            try:
                signed = verify(self.world, received)
            except Refused as refused:
                service = refused.service or _guess_service(received)
                note = f"{service}: {refused.kind}: {str(refused)[:300]}"
                if refused.key:
                    refused.key.account.calls.append({
                        "service": service, "action": "refused", "region": "",
                        "key": refused.key.id, "parameters": refused.kind,
                    })
                else:
                    self.world.anonymous.append(note)
                raise refusal(refused, service) from refused
            service = signed.service
            if service not in MODELS:
                return await self.fallback.answer(service, request, received)
            action = self.protocols.action(service, received)
            parameters = self.protocols.parameters(service, action, received)
            origin = f"{request.scheme}://{request.host}"
            call = Call(signed.key, service, action, signed.region, parameters, origin)
            return await self._carry_out(call, request, received)
        except Fault as fault:
            return self.protocols.fault(service, fault)

    async def _carry_out(self, call: Call, request: web.Request, received: Received) -> Answer:
        account = call.account
        name = f"{call.service}:{call.action}"
        account.calls.append({
            "service": call.service, "action": call.action, "region": call.region,
            "key": call.key.id, "parameters": repr(call.parameters)[:400],
        })
        if name in account.delays:
            await asyncio.sleep(account.delays[name])
        failure = account.ordered_failure(name)
        if failure:
            raise Fault(failure.code, failure.message, failure.status)
        if account.is_throttled(name):
            account.throttled += 1
            raise throttling(call)
        if account.is_denied(name, call.parameters.get("DocumentName")):
            raise denial(call)
        if name not in ANSWERS:
            return await self.fallback.answer(call.service, request, received)
        result = ANSWERS[name](call)
        if inspect.isawaitable(result):
            result = await result
        return self.protocols.result(call.service, call.action, result)


def _guess_service(received: Received) -> str:
    """Whose words an unsigned request is refused in."""
    if "x-amz-target" in received.headers:
        return "ssm"
    return "sts" if b"Version=2011-06-15" in received.body else "ec2"
