"""Verifies signatures (SigV4, in headers and in queries) by signing again with botocore."""

from __future__ import annotations

import hmac
import re
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timezone

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from world import Key, World

_TOLERANCE = 300  # seconds a clock may be wrong
_HOST = re.compile(r"^(?:[a-z0-9-]+\.)*?([a-z0-9-]+?)(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.")


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    method: str
    target: str  # path and query, untouched
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True)
class Signed:
    """What a good signature says."""

    key: Key
    service: str
    region: str


class Refused(Exception):
    """A signature that is not good. The kind is translated to the words of each service."""

    def __init__(self, kind: str, message: str, service: str = "", key: Key | None = None) -> None:
        super().__init__(message)
        self.kind = kind  # missing, unknown, token, signature, skew, expired, scope
        self.service = service
        self.key = key


def verify(world: World, request: Received) -> Signed:
    """Who signed it, for which service and region; raises Refused."""
    query = urllib.parse.parse_qs(
        urllib.parse.urlsplit(request.target).query, keep_blank_values=True,
    )
    if "X-Amz-Signature" in query:
        return _verify_query(world, request, {name: value[0] for name, value in query.items()})
    header = request.headers.get("authorization", "")
    if not header:
        raise Refused("missing", "Request is missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    fields = dict(
        part.strip().split("=", 1) for part in rest.split(",") if "=" in part
    )
    names = ("Credential", "SignedHeaders", "Signature")
    if algorithm != "AWS4-HMAC-SHA256" or any(name not in fields for name in names):
        raise Refused("incomplete", "Authorization header is not complete: " + header[:40])
    signing = _Signing(world, request, fields["Credential"], fields["SignedHeaders"])
    signing.check_token(request.headers.get("x-amz-security-token"))
    moment = request.headers.get("x-amz-date", "")
    for name in request.headers:
        if name.startswith("x-amz-") and name not in signing.names and name != "x-amz-target":
            raise signing.refused("signature", f"{name} is not among the signed headers")
    signing.check_signature(request.target, moment, fields["Signature"])
    signing.check_clock(moment, _TOLERANCE)
    return signing.result()


def _verify_query(world: World, request: Received, query: dict[str, str]) -> Signed:
    for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires"):
        if name not in query:
            raise Refused("incomplete", f"{name} is missing")
    signing = _Signing(
        world, request, query["X-Amz-Credential"], query.get("X-Amz-SignedHeaders", ""),
    )
    signing.check_token(query.get("X-Amz-Security-Token"))
    path, _, text = request.target.partition("?")
    rest = "&".join(p for p in text.split("&") if not p.startswith("X-Amz-Signature="))
    signing.check_signature(f"{path}?{rest}", query["X-Amz-Date"], query["X-Amz-Signature"])
    limit = int(query["X-Amz-Expires"])
    signing.check_clock(query["X-Amz-Date"], limit)
    return signing.result()


class _Signing:
    """One signature under test."""

    def __init__(self, world: World, request: Received, scope: str, names: str) -> None:
        parts = scope.split("/")
        if len(parts) != 5 or parts[4] != "aws4_request":
            raise Refused("incomplete", "Credential is not of the form KEY/DATE/REGION/SERVICE/aws4_request")
        self.request = request
        self.identity, self.date, self.region, self.service, _ = parts
        self.names = names.split(";")
        key = world.keys.get(self.identity)
        if key is None:
            raise self.refused("unknown", "The security token included in the request is invalid.")
        self.key = key
        self.now = world.now(key.account)
        if "host" not in self.names or self.names != sorted(self.names):
            raise self.refused("signature", "host is not signed, or the names are not sorted")
        self._check_host(world)

    def refused(self, kind: str, message: str) -> Refused:
        return Refused(kind, message, self.service, getattr(self, "key", None))

    def _check_host(self, world: World) -> None:
        """An address of AWS's says which service and region the signature must be for."""
        if self.region not in world.regions:
            raise self.refused("scope", f"Credential should be scoped to a valid region, not '{self.region}'.")
        host = self.request.headers.get("host", "")
        found = _HOST.match(host)
        if not host.endswith("amazonaws.com") or not found:
            return
        service, region = found.groups()
        if service == "ec2-instance-connect-endpoint":
            service = "ec2-instance-connect"
        if service != self.service:
            raise self.refused("scope", f"Credential should be scoped to correct service: '{service}'.")
        if region != self.region:
            raise self.refused("scope", f"Credential should be scoped to a valid region, not '{self.region}'.")

    def check_token(self, token: str | None) -> None:
        if (self.key.token or None) != token:
            raise self.refused("unknown", "The security token included in the request is invalid.")
        if self.key.expires is not None and self.now > self.key.expires:
            raise self.refused("token", "The security token included in the request is expired")

    def check_signature(self, target: str, moment: str, signature: str) -> None:
        request = self.request
        missing = [name for name in self.names if name not in request.headers]
        if missing or not moment.startswith(self.date):
            raise self.refused("signature", f"not there: {missing}, or not of this day: {moment}")
        signer = SigV4Auth(
            Credentials(self.key.id, self.key.secret, None), self.service, self.region,
        )
        again = AWSRequest(
            method=request.method,
            url=f"https://{request.headers['host']}{target}",
            data=request.body,
            headers={name: request.headers[name] for name in self.names},
        )
        again.context["timestamp"] = moment
        canonical = signer.canonical_request(again)
        expected = signer.signature(signer.string_to_sign(again, canonical), again)
        if not hmac.compare_digest(expected, signature):
            raise self.refused(
                "signature",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service "
                f"documentation for details.\n\nThe Canonical String for this request should have "
                f"been\n'{canonical}'\n",
            )

    def check_clock(self, moment: str, limit: int) -> None:
        then = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        if then > self.now + _TOLERANCE:
            raise self.refused("skew", f"Signature not yet current: {moment} is still later than {stamp(self.now)}")
        if then < self.now - limit:
            raise self.refused("skew", f"Signature expired: {moment} is now earlier than {stamp(self.now - limit)}")

    def result(self) -> Signed:
        return Signed(self.key, self.service, self.region)


def stamp(moment: float) -> str:
    """A moment in the form of X-Amz-Date."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
