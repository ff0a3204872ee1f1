#!/usr/bin/env python3
"""Says which credentials botocore finds in a given environment, and plays the services it asks.

Standard input has one setup a line: {"env": {...}, "home": "...", "profile": null}. Each is answered
with one line: {"keys": [id, secret, token]}, {"none": true} or {"error": "..."}; the first line,
before any, is {"port": N}: there, STS, single sign-on, a container's endpoint and the metadata of an
instance answer, each with keys that are made of what it was asked with.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import pathlib
import re
import sys
import threading
import urllib.parse

try:
    import botocore.credentials
    import botocore.session
    import botocore.tokens
    from botocore.utils import JSONFileCache
except ImportError:
    lab = pathlib.Path(__file__).resolve().parents[2] / ".build/lab-python/bin/python3"
    if not lab.exists() or os.environ.get("EC2SH_ORACLE"):
        print(json.dumps({"missing": True}), flush=True)
        sys.exit()
    os.environ["EC2SH_ORACLE"] = "1"
    os.execv(lab, [str(lab), *sys.argv])

END = "2099-01-01T00:00:00Z"


def digest(*parts: str | None) -> str:
    """A name for what was asked."""
    return hashlib.sha1(json.dumps(parts).encode()).hexdigest()[:16]


class Services(http.server.BaseHTTPRequestHandler):
    """Everything that gives credentials, on one port."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def answer(self, status: int, body: str | dict, kind: str = "application/json") -> None:
        """Sends an answer."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self) -> None:
        """The token of an instance's metadata."""
        if self.path == "/imds/latest/api/token":
            self.answer(200, "imds-token", "text/plain")
        else:
            self.answer(404, "")

    def do_GET(self) -> None:
        """Metadata, container, and single sign-on's keys."""
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        roles = "/imds/latest/meta-data/iam/security-credentials/"
        if url.path.startswith("/imds/") and self.headers["x-aws-ec2-metadata-token"] != "imds-token":
            self.answer(401, "")
        elif url.path == roles:
            self.answer(200, "role-of-instance", "text/plain")
        elif url.path == roles + "role-of-instance":
            self.answer(200, self.keys("IMDS"))
        elif url.path == "/container":
            self.answer(200, self.keys("CONTAINER" + digest(self.headers["Authorization"])))
        elif url.path == "/federation/credentials":
            token = self.headers["x-amz-sso_bearer_token"]
            if token == "bad":
                self.answer(401, {"message": "no"})
            else:
                name = "SSO" + digest(query["role_name"], query["account_id"], token)
                self.answer(200, {"roleCredentials": {
                    "accessKeyId": name, "secretAccessKey": f"s-{name}",
                    "sessionToken": f"t-{name}", "expiration": 4070908800000,
                }})
        else:
            self.answer(404, "")

    def keys(self, name: str) -> dict:
        """As a metadata service gives them."""
        return {
            "Code": "Success", "AccessKeyId": name, "SecretAccessKey": f"s-{name}",
            "Token": f"t-{name}", "Expiration": END,
        }

    def do_POST(self) -> None:
        """STS, and single sign-on's tokens."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        if self.path == "/token":
            asked = json.loads(body)
            if asked["refreshToken"] == "bad":
                self.answer(400, {"error": "invalid_grant"})
            else:
                names = ["clientId", "clientSecret", "grantType", "refreshToken"]
                self.answer(200, {
                    "accessToken": "fresh" + digest(*(asked[name] for name in names)),
                    "expiresIn": 28800, "refreshToken": "next", "tokenType": "Bearer",
                })
            return
        asked = dict(urllib.parse.parse_qsl(body))
        action = asked["Action"]
        signer = re.search(r"Credential=([^/]+)/", self.headers["Authorization"] or "")
        if re.match(r"(botocore-session|ec2sh)-\d+$", asked.get("RoleSessionName", "")):
            asked["RoleSessionName"] = "generated"
        name = "ROLE" + digest(signer and signer.group(1), *sorted(map("=".join, asked.items())))
        if "denied" in asked["RoleArn"]:
            self.answer(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                        "<Message>no</Message></Error></ErrorResponse>", "text/xml")
            return
        self.answer(200, f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <{action}Result><AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId>
            <Arn>arn:aws:sts::123456789012:assumed-role/r/b</Arn></AssumedRoleUser>
            <Credentials><AccessKeyId>{name}</AccessKeyId><SecretAccessKey>s-{name}</SecretAccessKey>
            <SessionToken>t-{name}</SessionToken><Expiration>{END}</Expiration></Credentials>
            </{action}Result></{action}Response>""", "text/xml")


def find(setup: dict) -> dict:
    """botocore's answer, with the AWS CLI's caches."""
    home = setup["home"]
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = f"{home}/.aws/sso/cache"
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = f"{home}/.aws/sso/cache"
    # Only renewing a login needs it.
    botocore.credentials.EC = botocore.credentials.EC or object()
    os.environ.clear()
    os.environ.update(setup["env"], HOME=home)
    try:
        session = botocore.session.Session(profile=setup.get("profile"))
        resolver = session.get_component("credential_provider")
        for name in ["assume-role", "assume-role-with-web-identity", "sso"]:
            resolver.get_provider(name).cache = JSONFileCache(f"{home}/.aws/cli/cache")
        resolver.get_provider("assume-role")._prompter = lambda _: "123456"
        found = session.get_credentials()
        if found is None:
            return {"none": True}
        keys = found.get_frozen_credentials()
        return {"keys": [keys.access_key, keys.secret_key, keys.token]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answers setup by setup, each in a process of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Services)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answer = json.dumps(find(json.loads(line))) + "\n"
            os.write(1, answer.encode())
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
