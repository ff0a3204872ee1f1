"""The lab's gateway: AWS as far as ec2sh needs it, for the instances of the lab.

usage: python gateway <DESCRIPTION

DESCRIPTION is a line of JSON, written by the lab (cloud/gateway.py). A line on standard output
says that it listens.

    world        accounts, keys, instances, endpoints
    signatures   who signed a request; botocore signs it again
    answers      requests into parameters and results into bodies, by AWS's own models
    calls        EC2, STS, KMS, Instance Connect
    commands     Systems Manager's Run Command
    policy       the IAM policy that ec2sh ships
    sessions     Systems Manager, and the service's side of the data channel
    spoilt       what no service should send over it
    agent, mux   the agent's side of it
    tunnel       Instance Connect endpoints
    fallback     moto, for everything else
    control      how tests steer all that
    machine      a program of its own: works inside the instances
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from aiohttp import web

import calls  # noqa: F401: registers its answers
import commands  # noqa: F401: registers its answers
import networks  # noqa: F401: registers its answers
from authority import Authority
from control import Control
from keypairs import describe_key_pairs
from machines import Machine
from server import Gateway
from world import Server, World


async def main() -> None:
    given = json.loads(await asyncio.to_thread(sys.stdin.readline))
    world = World()
    world.address = given["address"]
    world.client_address = given["client_address"]
    world.public_keys = given["public_keys"]
    world.key_pairs = describe_key_pairs(given["key_pairs"])
    world.machines = {
        name: Machine(path, given["directory"]) for name, path in given["machines"].items()
    }
    _add_lab_servers(world, given)
    authority = Authority(given["directory"])
    runner = web.AppRunner(
        Gateway(world).application(), access_log=None, shutdown_timeout=1, handler_cancellation=True,
    )
    await runner.setup()
    await web.TCPSite(runner, given["address"], given["port"], backlog=1024).start()
    await web.TCPSite(
        runner, given["address"], 443, ssl_context=authority.context(), backlog=1024,
    ).start()
    control = Control(world, given["flavours"], given["hosts"])
    await asyncio.start_unix_server(control.serve, given["control"])
    os.chmod(given["control"], 0o600)
    print(json.dumps({"ca": authority.file}), flush=True)
    await asyncio.Event().wait()


def _add_lab_servers(world: World, given: dict) -> None:
    """The lab's own instances, for accounts that want to see them."""
    owner = world.new_account()
    for found in given["instances"]:
        keys = []
        for kind in ("ed25519", "ecdsa", "rsa"):
            with open(f"{found['host_keys']}/ssh_host_{kind}_key.pub", encoding="ascii") as file:
                keys.append(file.read().strip())
        server = Server(
            found["id"], owner, given["region"], found["name"], found["user"], found["name"],
            found["private_address"], found["public_address"], found["ipv6_address"],
            found["name"], host_keys=keys, authorized=world.public_keys,
            subnet="public" if found["public_address"] else "private",
        )
        world.lab_servers.append(server)


if __name__ == "__main__":
    asyncio.run(main())
