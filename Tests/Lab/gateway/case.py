"""What the tests of the gateway have in common: an account of the lab's cloud for each."""

from __future__ import annotations

import json
import os
import socket
import ssl
import unittest

import aiohttp
import botocore.config
import botocore.session
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

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


def connector() -> aiohttp.TCPConnector:
    """Trusts the lab's authority."""
    return aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=LAB["aws"]["ca"]))


async def post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    """Sends a request as it is."""
    async with aiohttp.ClientSession(connector=connector()) as http:
        async with http.post(url, headers=headers, data=body) as response:
            return response.status, await response.text()
