"""Answers to API calls: read and written by AWS's own service models, as botocore ships them."""

from __future__ import annotations

import json
import threading
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from botocore.loaders import Loader
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SERIALIZERS, SerializationContext
from werkzeug.datastructures import MultiDict

from signatures import Received, Refused
from world import Key

# Signing name to the name of the model.
MODELS = {
    "ec2": "ec2", "sts": "sts", "ssm": "ssm", "kms": "kms",
    "ec2-instance-connect": "ec2-instance-connect",
}


@dataclass(frozen=True)
class Call:
    """An API call whose signature was good."""

    key: Key
    service: str
    action: str
    region: str
    parameters: dict
    origin: str  # how the client reached us: http://host:port

    @property
    def account(self):  # noqa: ANN201
        return self.key.account


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    headers: dict[str, str]


class Fault(Exception):
    """An error of the service's own, by its code."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


ANSWERS: dict[str, Callable[[Call], object]] = {}


def answers(name: str) -> Callable:
    """Registers a function for "service:Action"; it may be async."""
    def register(function: Callable) -> Callable:
        ANSWERS[name] = function
        return function
    return register


class Protocols:
    """Requests into parameters, and results into bodies."""

    def __init__(self) -> None:
        self.loader = Loader()
        self.models: dict[str, ServiceModel] = {}
        self.lock = threading.Lock()

    def model(self, service: str) -> ServiceModel:
        with self.lock:
            if service not in self.models:
                name = MODELS[service]
                self.models[service] = ServiceModel(
                    self.loader.load_service_model(name, "service-2"), name,
                )
            return self.models[service]

    def action(self, service: str, request: Received) -> str:
        """Which action is asked for."""
        if _protocol(self.model(service)) == "json":
            prefix, _, action = request.headers.get("x-amz-target", "").partition(".")
            if prefix != self.model(service).metadata["targetPrefix"]:
                raise Fault("UnknownOperationException", "")
            return action
        values = _form(request)
        if values.get("Version") != self.model(service).api_version:
            raise Fault("NoSuchVersion", f"The requested version ({values.get('Version')}) of service {service} does not exist")
        return values.get("Action", "")

    def parameters(self, service: str, action: str, request: Received) -> dict:
        """The parameters, by the model; those it does not have are refused."""
        model = self.model(service)
        if action not in model.operation_names:
            code = "InvalidAction" if _protocol(model) != "json" else "UnknownOperationException"
            raise Fault(code, f"The action {action} is not valid for this web service.")
        operation = model.operation_model(action)
        protocol = _protocol(model)
        if protocol == "json":
            if not request.headers.get("content-type", "").startswith("application/x-amz-json-1.1"):
                raise Fault("SerializationException", "wrong content type")
            try:
                given = json.loads(request.body or b"{}")
            except ValueError as error:
                raise Fault("SerializationException", str(error)) from error
            for name in given:
                if name not in operation.input_shape.members:
                    raise Fault("SerializationException", f"there is no parameter {name}")
        values = _form(request) if protocol != "json" else MultiDict()
        parsed = PROTOCOL_PARSERS[protocol](operation).parse({
            "body": request.body, "headers": request.headers, "method": request.method,
            "url_params": {}, "url_path": "/", "values": values,
        })
        for name in operation.input_shape.required_members if operation.input_shape else []:
            if name not in parsed:
                raise Fault("MissingParameter" if protocol != "json" else "ValidationException",
                            f"The request must contain the parameter {name}")
        return parsed

    def result(self, service: str, action: str, value: object) -> Answer:
        """A good answer."""
        model = self.model(service)
        identity = str(uuid.uuid4())
        made = SERIALIZERS[_protocol(model)](
            model.operation_model(action), SerializationContext(identity),
        ).serialize(value)
        body = made["body"]
        kind = "application/x-amz-json-1.1" if _protocol(model) == "json" else "text/xml;charset=UTF-8"
        return Answer(
            made["status_code"], body if isinstance(body, bytes) else body.encode(),
            {"Content-Type": kind, "x-amzn-RequestId": identity},
        )

    def fault(self, service: str, fault: Fault) -> Answer:
        """An error in the form of the service."""
        identity = str(uuid.uuid4())
        headers = {"x-amzn-RequestId": identity, "Content-Type": "text/xml;charset=UTF-8"}
        code, message = fault.code, fault.message
        if service not in MODELS or _protocol(self.model(service)) == "json":
            headers["Content-Type"] = "application/x-amz-json-1.1"
            body = json.dumps({"__type": code, "message": message})
        elif service == "ec2":
            body = (
                '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
                f"<Code>{_xml(code)}</Code><Message>{_xml(message)}</Message></Error></Errors>"
                f"<RequestID>{identity}</RequestID></Response>"
            )
        else:
            body = (
                '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n'
                f"    <Type>Sender</Type>\n    <Code>{_xml(code)}</Code>\n"
                f"    <Message>{_xml(message)}</Message>\n  </Error>\n"
                f"  <RequestId>{identity}</RequestId>\n</ErrorResponse>\n"
            )
        return Answer(fault.status, body.encode(), headers)


def refusal(refused: Refused, service: str) -> Fault:
    """What each service says of a signature that is not good."""
    text = str(refused)
    kind = refused.kind
    if service == "ec2":
        if kind in ("missing", "incomplete"):
            return Fault("MissingParameter" if kind == "missing" else "IncompleteSignature", text)
        if kind in ("token", "skew"):
            return Fault("RequestExpired", "Request has expired.")
        return Fault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if service == "sts":
        code = {
            "missing": "MissingAuthenticationToken", "incomplete": "IncompleteSignature",
            "unknown": "InvalidClientTokenId", "token": "ExpiredToken",
        }.get(kind, "SignatureDoesNotMatch")
        return Fault(code, text, 403)
    code = {
        "missing": "MissingAuthenticationTokenException",
        "incomplete": "IncompleteSignatureException",
        "unknown": "UnrecognizedClientException", "token": "ExpiredTokenException",
    }.get(kind, "InvalidSignatureException")
    return Fault(code, text)


def denial(call: Call) -> Fault:
    """What each service says to who may not."""
    action = f"{call.service}:{call.action}"
    text = (
        f"User: {call.key.arn} is not authorized to perform: {action} because no identity-based "
        f"policy allows the {action} action"
    )
    if call.service == "ec2":
        return Fault("UnauthorizedOperation", f"You are not authorized to perform this operation. {text}", 403)
    if call.service == "sts":
        return Fault("AccessDenied", text, 403)
    return Fault("AccessDeniedException", text)


def throttling(call: Call) -> Fault:
    """What each service says to who asks too often."""
    if call.service == "ec2":
        return Fault("RequestLimitExceeded", "Request limit exceeded.", 503)
    if call.service == "sts":
        return Fault("Throttling", "Rate exceeded")
    return Fault("ThrottlingException", "Rate exceeded")


def _protocol(model: ServiceModel) -> str:
    return model.metadata["protocol"]


def _form(request: Received) -> MultiDict:
    text = request.body.decode() if request.body else urllib.parse.urlsplit(request.target).query
    return MultiDict(urllib.parse.parse_qsl(text, keep_blank_values=True))


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
