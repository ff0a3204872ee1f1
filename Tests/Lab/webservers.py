#!/usr/bin/env python3
"""webservers.py - web servers and proxies, well-behaved and not.

usage: webservers.py

Prints one line of JSON: the ports of `plain` (the paths below), `tls` (the same over TLS, as
ec2.eu-central-1.amazonaws.com, by the certificate in the file `ca`), `proxy` and `login` (a proxy
that wants "me" and "p@ss"). Both proxies take whatever host is asked for to be that server. Others
die when they should carry something (`dying`), never answer (`mute`), or never end their answer
(`torrent`). Runs until standard input ends.
"""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

NAME = "ec2.eu-central-1.amazonaws.com"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
_DATE = b"Date: Thu, 02 Jan 2025 03:04:05 GMT\r\n"


def read_head(stream: object) -> list[str]:
    """The lines of a request up to the empty one."""
    lines = []
    while line := stream.readline(65536).decode("latin-1").rstrip("\r\n"):
        lines.append(line)
    return lines


_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"


def send(stream: object, head: bytes, begin: bytes, piece: bytes, times: int, end: bytes) -> None:
    """An answer with a long body: its middle is the same piece, over and over."""
    length = len(begin) + len(piece) * times + len(end)
    stream.write(head + b"Content-Length: %d\r\n\r\n" % length + begin)
    for _ in range(times):
        stream.write(piece)
    stream.write(end)


def answer_badly(path: str, stream: object) -> None:
    """Answers that are well-formed to HTTP and mean no good."""
    if path == "/json":
        # 100 MB.
        send(stream, _JSON, b'{"SessionId":"', bytes(1 << 20).replace(b"\0", b"x"), 100, b'"}')
    elif path == "/json-deep":
        send(stream, _JSON, b'{"SessionId":', b"[" * (1 << 20), 20, b"")
    elif path == "/json-many":
        send(stream, _JSON, b'{"a":[', b'{"b":1},' * (1 << 16), 40, b"1]}")
    elif path == "/xml":
        send(stream, _HEAD, b"<a>", b"x" * (1 << 20), 100, b"</a>")
    elif path == "/xml-many":
        send(stream, _HEAD, b"<a>", b"<b/>" * (1 << 18), 28, b"</a>")
    elif path == "/xml-deep":
        send(stream, _HEAD, b"<a>", b"<b>" * (1 << 18), 28, b"</a>")
    elif path == "/entities":
        lines = [b'<!DOCTYPE a [<!ENTITY e0 "ha">']
        for n in range(1, 30):
            lines.append(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10))
        body = b'<?xml version="1.0"?>' + b"".join(lines) + b"]><a>&e29;</a>"
        send(stream, _HEAD, body, b"", 0, b"")
    elif path == "/outside":
        body = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'
        send(stream, _HEAD, body, b"", 0, b"")
    elif path == "/redirects":
        stream.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/redirects\r\n"
            b"Content-Length: 0\r\n\r\n"
        )
    elif path == "/headers":
        stream.write(b"HTTP/1.1 200 OK\r\n")
        for n in range(1_000_000):
            stream.write(b"X-%d: %s\r\n" % (n, b"x" * 1000))


def answer(path: str, stream: object, body: bytes) -> None:
    """What each path does; it is the last thing on its connection."""
    path = path.rstrip("/")
    answer_badly(path, stream)
    if path == "/ok":
        stream.write(_HEAD + _DATE + b"Content-Length: 8\r\n\r\n<a>1</a>")
    elif path == "/echo":
        stream.write(_HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    elif path == "/redirect":
        stream.write(b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n")
    elif path == "/long":
        stream.write(_HEAD + b"Content-Length: 67108864\r\n\r\n")
        for _ in range(64):
            stream.write(bytes(1 << 20))
    elif path == "/endless":
        stream.write(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            stream.write(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
    elif path == "/cut":
        stream.write(_HEAD + b"Content-Length: 100\r\n\r\nhalf")
    elif path == "/garbage":
        stream.write(b"\x00\xff not HTTP at all\r\n\r\n")
    elif path == "/silent":
        time.sleep(60)
    elif path == "/drip":
        stream.write(_HEAD + b"Content-Length: 1000000\r\n\r\n")
        while True:
            stream.write(b"x")
            stream.flush()
            time.sleep(0.05)


class Server(socketserver.ThreadingTCPServer):
    """A server of one port."""

    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no news."""


class Web(socketserver.StreamRequestHandler):
    """Answers one request."""

    tls: ssl.SSLContext | None = None

    def setup(self) -> None:
        """Speaks TLS first, if it must."""
        if self.tls:
            self.request = self.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        """Reads a request, answers and closes."""
        serve(self.rfile, self.wfile)


def serve(reader: object, writer: object, lines: list[str] | None = None) -> None:
    """Answers the request that comes next, or whose head was read."""
    lines = lines or read_head(reader)
    target = lines[0].split()[1]
    path = "/" + target.split("/", 3)[-1] if "://" in target else target
    length = [line.split(":")[1] for line in lines if line.lower().startswith("content-length:")]
    answer(path, writer, reader.read(int(length[0])) if length else b"")
    writer.flush()


class Proxy(socketserver.StreamRequestHandler):
    """Takes CONNECT and whole URLs, whatever host they name."""

    login: str | None = None

    def handle(self) -> None:
        """Refuses strangers; then is the server itself."""
        lines = read_head(self.rfile)
        if self.login and f"proxy-authorization: basic {self.login}" not in [
            line.lower() for line in lines
        ]:
            self.wfile.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            return
        if not lines[0].startswith("CONNECT"):
            serve(self.rfile, self.wfile, lines)
            return
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self.wfile.flush()
        if not lines[0].split()[1].endswith(":443"):
            serve(self.rfile, self.wfile)
            return
        with TLS.wrap_socket(self.request, server_side=True) as stream:
            serve(stream.makefile("rb"), stream.makefile("wb"))


class BadProxy(socketserver.StreamRequestHandler):
    """Takes CONNECT, and is of no use then."""

    manner = ""

    def handle(self) -> None:
        """Reads what is asked for, and behaves badly."""
        read_head(self.rfile)
        if self.manner == "mute":
            time.sleep(120)
        elif self.manner == "torrent":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for n in range(1_000_000):
                self.wfile.write(b"X-%d: %s\r\n" % (n, b"x" * 1000))
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            self.wfile.flush()
            self.rfile.read(1)


def start(handler: type, **values: object) -> int:
    """Starts a server with a handler that knows these values; gives its port."""
    server = Server(("127.0.0.1", 0), type("Handler", (handler,), values))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


with tempfile.TemporaryDirectory() as folder:
    CA = f"{folder}/ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", f"{folder}/key.pem", "-out", CA, "-days", "2", "-subj", f"/CN={NAME}",
         "-addext", f"subjectAltName=DNS:{NAME}"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    TLS.load_cert_chain(CA, f"{folder}/key.pem")
    login = base64.b64encode(b"me:p@ss").decode().lower()
    print(json.dumps({
        "plain": start(Web), "tls": start(Web, tls=TLS), "proxy": start(Proxy),
        "login": start(Proxy, login=login), "ca": CA,
        **{manner: start(BadProxy, manner=manner) for manner in ("dying", "mute", "torrent")},
    }), flush=True)
    sys.stdin.read()
