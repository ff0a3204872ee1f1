"""Systems Manager's Run Command: shell commands that an instance's agent really runs."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass

from answers import Call, Fault, answers
from calls import moment
from machines import Unreachable
from world import Account, Server

_DOCUMENT = "AWS-RunShellScript"
# How long the service does not know of a command that it has just taken, in seconds.
_UNKNOWN = 0.1


@dataclass(eq=False)
class Command:
    """One command on one machine."""

    id: str
    server: Server
    text: str
    begun: float
    status: str = "InProgress"
    code: int = -1
    output: str = ""
    errors: str = ""


def _commands(account: Account) -> dict[str, Command]:
    return account.__dict__.setdefault("commands", {})


@answers("ssm:SendCommand")
async def send_command(call: Call) -> dict:
    document = call.parameters["DocumentName"]
    if document != _DOCUMENT:
        raise Fault("InvalidDocument", f"Document with name {document} does not exist.")
    ids = call.parameters.get("InstanceIds") or []
    if len(ids) != 1:
        raise Fault("ValidationException", "the lab runs a command on one machine")
    server = call.account.find(ids[0], call.region)
    if server is None or not server.is_up or server.ssm != "Online":
        raise Fault(
            "InvalidInstanceId",
            f"Instances [[{ids[0]}]] not in a valid state for account {call.account.id}",
        )
    if not 30 <= call.parameters.get("TimeoutSeconds", 3600) <= 2592000:
        raise Fault("ValidationException", "timeoutSeconds is not between 30 and 2592000")
    lines = call.parameters.get("Parameters", {}).get("commands")
    if not lines or set(call.parameters["Parameters"]) - {"commands", "workingDirectory", "executionTimeout"}:
        raise Fault("InvalidParameters", "the document takes commands")
    command = Command(str(uuid.uuid4()), server, "\n".join(lines), time.time())
    _commands(call.account)[command.id] = command
    asyncio.ensure_future(_run(call.account, command))
    return {"Command": {
        "CommandId": command.id, "DocumentName": document, "Status": "Pending",
        "InstanceIds": ids, "RequestedDateTime": moment(command.begun),
        "Comment": call.parameters.get("Comment", ""), "TargetCount": 1, "CompletedCount": 0,
    }}


async def _run(account: Account, command: Command) -> None:
    server = command.server
    machine = account.world.machines[server.machine]
    try:
        answer, _ = await machine.ask({
            "do": "run", "command": command.text, "keys": server.host_key_directory,
        })
    except Unreachable as error:
        command.status, command.errors = "Failed", str(error)
        return
    command.code, command.output, command.errors = (
        answer["status"], answer["output"], answer["errors"],
    )
    command.status = "Success" if command.code == 0 else "Failed"


@answers("ssm:GetCommandInvocation")
def get_command_invocation(call: Call) -> dict:
    command = _commands(call.account).get(call.parameters["CommandId"])
    if (
        command is None or command.server.id != call.parameters["InstanceId"]
        or time.time() < command.begun + _UNKNOWN
    ):
        raise Fault("InvocationDoesNotExist", "")
    return {
        "CommandId": command.id, "InstanceId": command.server.id, "DocumentName": _DOCUMENT,
        "PluginName": "aws:runShellScript", "Status": command.status,
        "StatusDetails": command.status, "ResponseCode": command.code,
        # What is longer goes to S3, if one has said where.
        "StandardOutputContent": command.output[:24000],
        "StandardErrorContent": command.errors[:8000],
    }
