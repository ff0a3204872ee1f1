"""Calls this cloud has no answer of its own to: moto's, which takes seconds to load."""

from __future__ import annotations

import asyncio
import threading

from aiohttp import web

from answers import Answer
from signatures import Received


class Fallback:
    """moto in this process, behind its own web application."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, object] = {}

    async def answer(self, service: str, request: web.Request, received: Received) -> Answer:
        """moto's answer to a call whose signature was good."""
        return await asyncio.to_thread(self._ask, service, received)

    def _ask(self, service: str, received: Received) -> Answer:
        with self._lock:
            if service not in self._clients:
                from moto.moto_server.werkzeug_app import create_backend_app  # noqa: PLC0415

                self._clients[service] = create_backend_app(service).test_client()
            hidden = ("host", "content-length", "connection")
            response = self._clients[service].open(
                received.target, method=received.method, data=received.body,
                headers={k: v for k, v in received.headers.items() if k not in hidden},
            )
            kept = {
                name: value for name, value in response.headers.items()
                if name.lower() in ("content-type", "x-amzn-requestid", "x-amzn-errortype")
            }
            return Answer(response.status_code, response.get_data(), kept)
