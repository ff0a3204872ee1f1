"""The API calls this cloud answers from its own world: EC2, STS, KMS and Instance Connect."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import os
import re
import time
from datetime import datetime, timezone

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answers import Call, Fault, answers
from world import IMAGES, Account, Server

_STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_ID = re.compile(r"^i-([0-9a-f]{8}|[0-9a-f]{17})$")
_KMS_KEY = os.urandom(32)


def image_id(account: Account, image: str) -> str:
    """The AMI's id; the same in every lab."""
    return "ami-0" + hashlib.sha256(image.encode()).hexdigest()[:16]


@answers("ec2:DescribeInstances")
def describe_instances(call: Call) -> dict:
    account = call.account
    chosen = account.visible(call.region)
    ids = call.parameters.get("InstanceIds")
    if ids:
        for name in ids:
            if not _ID.match(name):
                raise Fault("InvalidInstanceID.Malformed", f'Invalid id: "{name}"')
        known = {server.id for server in chosen}
        lost = [name for name in ids if name not in known]
        if lost:
            verb = "does" if len(lost) == 1 else "do"
            noun = f"ID '{lost[0]}'" if len(lost) == 1 else f"IDs '{', '.join(lost)}'"
            raise Fault("InvalidInstanceID.NotFound", f"The instance {noun} {verb} not exist")
        chosen = [server for server in chosen if server.id in ids]
        if "MaxResults" in call.parameters:
            raise Fault("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
    for condition in call.parameters.get("Filters", []):
        chosen = [server for server in chosen if _passes(server, condition)]
    size = min(call.parameters.get("MaxResults") or account.page, account.page)
    if "MaxResults" in call.parameters and not 5 <= call.parameters["MaxResults"] <= 1000:
        raise Fault("InvalidParameterValue", "Value for parameter maxResults must be between 5 and 1000")
    start = 0
    token = call.parameters.get("NextToken")
    if token:
        try:
            start = int(base64.b64decode(token))
        except ValueError as error:
            raise Fault("InvalidNextToken", "The token is not valid.") from error
    result = {"Reservations": [
        {
            "ReservationId": "r-" + server.id[2:], "OwnerId": account.id,
            "Instances": [_instance(server)],
        } for server in chosen[start:start + size]
    ]}
    if start + size < len(chosen):
        result["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return result


def _fields(server: Server) -> dict[str, list[str]]:
    """What filters can ask for."""
    addresses = [server.private]
    fields = {
        "instance-id": [server.id],
        "instance-state-name": [server.state],
        "private-ip-address": addresses,
        "network-interface.addresses.private-ip-address": addresses,
        "ip-address": [server.public] if server.public else [],
        "network-interface.association.public-ip": [server.public] if server.public else [],
        "ipv6-address": [server.ipv6] if server.ipv6 else [],
        "network-interface.ipv6-addresses.ipv6-address": [server.ipv6] if server.ipv6 else [],
        "private-dns-name": [
            server.private_name,
            f"{server.id}.{server.private_name.split('.', 1)[1]}",
        ],
        "dns-name": [server.public_name] if server.public_name else [],
        "vpc-id": [server.vpc_id],
        "subnet-id": [server.subnet_id],
        "availability-zone": [server.zone],
        "key-name": [server.key_name] if server.key_name else [],
        "image-id": [image_id(server.account, server.image)],
        "tag-key": list(_tags(server)),
    }
    for key, value in _tags(server).items():
        fields[f"tag:{key}"] = [value]
    return fields


def _passes(server: Server, condition: dict) -> bool:
    name = condition["Name"]
    fields = _fields(server)
    if name not in fields and not name.startswith("tag:"):
        raise Fault("InvalidParameterValue", f"The filter '{name}' is invalid")
    values = condition.get("Values", [])
    if len(values) > 200:
        raise Fault("FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200.")
    # Brackets are no wildcards to EC2.
    patterns = [value.replace("[", "[[]") for value in values]
    return any(
        fnmatch.fnmatchcase(have, pattern)
        for have in fields.get(name, []) for pattern in patterns
    )


def _tags(server: Server) -> dict[str, str]:
    named = {"Name": server.name} if server.name is not None else {}
    return {**named, **server.tags}


def _instance(server: Server) -> dict:
    interface: dict[str, object] = {
        "NetworkInterfaceId": "eni-" + server.id[2:],
        "SubnetId": server.subnet_id, "VpcId": server.vpc_id, "Status": "in-use",
        "PrivateIpAddress": server.private, "PrivateDnsName": server.private_name,
        "OwnerId": server.account.id, "SourceDestCheck": True,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": server.private}],
        "Ipv6Addresses": [{"Ipv6Address": server.ipv6}] if server.ipv6 else [],
    }
    found: dict[str, object] = {
        "InstanceId": server.id, "ImageId": image_id(server.account, server.image),
        "InstanceType": "t3.micro", "Architecture": "x86_64", "AmiLaunchIndex": 0,
        "LaunchTime": moment(server.launched), "PlatformDetails": "Linux/UNIX",
        "State": {"Code": _STATES[server.state], "Name": server.state},
        "Placement": {"AvailabilityZone": server.zone, "GroupName": "", "Tenancy": "default"},
        "PrivateDnsName": server.private_name, "PublicDnsName": server.public_name,
        "StateReason": {"Code": "", "Message": ""},
        "StateTransitionReason": "" if server.is_up else "User initiated",
        "SecurityGroups": [{"GroupId": "sg-0" + server.account.id + "0000", "GroupName": "default"}],
        "Tags": [{"Key": key, "Value": value} for key, value in _tags(server).items()],
        "VirtualizationType": "hvm", "Hypervisor": "xen", "RootDeviceName": "/dev/xvda",
        "RootDeviceType": "ebs", "EbsOptimized": False, "Monitoring": {"State": "disabled"},
    }
    if server.key_name:
        found["KeyName"] = server.key_name
    if server.platform:
        found["Platform"] = server.platform
    if server.profile:
        found["IamInstanceProfile"] = {
            "Id": "AIPA" + server.account.id,
            "Arn": f"arn:aws:iam::{server.account.id}:instance-profile/{server.profile}",
        }
    if server.state != "terminated":
        found |= {
            "PrivateIpAddress": server.private, "SubnetId": server.subnet_id,
            "VpcId": server.vpc_id, "NetworkInterfaces": [interface],
        }
    if server.ipv6:
        found["Ipv6Address"] = server.ipv6
    if server.public and server.state in ("running", "pending"):
        found["PublicIpAddress"] = server.public
        interface["Association"] = {
            "PublicIp": server.public, "PublicDnsName": server.public_name, "IpOwnerId": "amazon",
        }
    if server.state not in ("running", "pending"):
        found["PublicDnsName"] = ""
        found["StateReason"] = {
            "Code": "Client.UserInitiatedShutdown",
            "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
        }
    return found


@answers("ec2:DescribeInstanceStatus")
def describe_instance_status(call: Call) -> dict:
    chosen = [
        server for server in call.account.visible(call.region)
        if server.id in call.parameters.get("InstanceIds", [server.id])
        and (server.is_up or call.parameters.get("IncludeAllInstances"))
    ]
    return {"InstanceStatuses": [
        {
            "InstanceId": server.id, "AvailabilityZone": server.zone,
            "InstanceState": {"Code": _STATES[server.state], "Name": server.state},
            "InstanceStatus": _status(server, "instance"),
            "SystemStatus": _status(server, "system"),
        } for server in chosen
    ]}


def _status(server: Server, check: str) -> dict:
    status, word = "ok", "passed"
    if server.initializing:
        status = word = "initializing"
    elif server.impaired == check:
        status, word = "impaired", "failed"
    elif not server.is_up:
        status = word = "not-applicable"
    return {"Status": status, "Details": [{"Name": "reachability", "Status": word}]}


@answers("ec2:DescribeImages")
def describe_images(call: Call) -> dict:
    asked = call.parameters.get("ImageIds")
    images = []
    for image, (name, owner) in IMAGES.items():
        identity = image_id(call.account, image)
        if asked and identity not in asked:
            continue
        images.append({
            "ImageId": identity, "Name": name, "State": "available", "Architecture": "x86_64",
            "OwnerId": call.account.id if owner == "self" else owner,
            "Public": owner != "self", "CreationDate": "2025-01-15T10:00:00.000Z",
            "Description": f"image of {image}", "ImageType": "machine", "Hypervisor": "xen",
            "PlatformDetails": "Linux/UNIX", "RootDeviceName": "/dev/xvda",
            "RootDeviceType": "ebs", "VirtualizationType": "hvm",
            "ImageLocation": f"amazon/{name}", "Tags": [],
        })
    lost = set(asked or []) - {image["ImageId"] for image in images}
    if lost:
        raise Fault("InvalidAMIID.NotFound", f"The image id '[{', '.join(sorted(lost))}]' does not exist")
    return {"Images": images}


@answers("ec2:DescribeKeyPairs")
def describe_key_pairs(call: Call) -> dict:
    pairs = call.account.world.key_pairs
    asked = call.parameters.get("KeyNames") or list(pairs)
    found = []
    for name in asked:
        if name not in pairs:
            raise Fault("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
        pair = pairs[name]
        fields = {"key-name": name, "fingerprint": pair["fingerprint"]}
        for condition in call.parameters.get("Filters", []):
            if condition["Name"] not in fields:
                raise Fault("InvalidParameterValue", f"The filter '{condition['Name']}' is invalid")
        if not all(
            fields[c["Name"]] in c.get("Values", []) for c in call.parameters.get("Filters", [])
        ):
            continue
        described = {
            "KeyPairId": "key-0" + hashlib.sha256(name.encode()).hexdigest()[:16],
            "KeyName": name, "KeyType": pair["type"], "KeyFingerprint": pair["fingerprint"],
            "CreateTime": moment(time.time()), "Tags": [],
        }
        if call.parameters.get("IncludePublicKey") and call.account.has_public_keys:
            described["PublicKey"] = pair["public"]
        found.append(described)
    return {"KeyPairs": found}


@answers("ec2:GetConsoleOutput")
def get_console_output(call: Call) -> dict:
    server = _need(call, call.parameters["InstanceId"])
    text = server.console if server.console is not None else console_text(server)
    return {
        "InstanceId": server.id, "Timestamp": moment(time.time()),
        # The newest 64 KB, in base64.
        **({"Output": base64.b64encode(text.encode()[-65536:]).decode()} if text else {}),
    }


def console_text(server: Server) -> str:
    """A boot as cloud-init tells it: noise, the user's keys in a table, the host keys'
    fingerprints behind syslog's prefix, then bare keys."""
    noise = "".join(
        f"[    {n / 7:.6f}] systemd[1]: Started unit number {n} of the boot.\r\n" for n in range(30)
    )
    prefix = "<14>Apr  9 22:06:30 cloud-init: "
    prints = []
    for line in server.host_keys:
        kind, blob, comment = line.split(" ", 2)
        digest = base64.b64encode(hashlib.sha256(base64.b64decode(blob)).digest()).decode().rstrip("=")
        short = kind.removeprefix("ssh-").split("-")[0].upper()
        prints.append(f"{prefix}256 SHA256:{digest} {comment} ({short})\r\n")
    return (
        noise + _table(server)
        + f"{prefix}{'#' * 61}\r\n{prefix}-----BEGIN SSH HOST KEY FINGERPRINTS-----\r\n"
        + "".join(prints)
        + f"{prefix}-----END SSH HOST KEY FINGERPRINTS-----\r\n{prefix}{'#' * 61}\r\n"
        + "-----BEGIN SSH HOST KEY KEYS-----\r\n" + "".join(f"{k}\r\n" for k in server.host_keys)
        + "-----END SSH HOST KEY KEYS-----\r\n"
        + "[   27.507070] cloud-init[1727]: Cloud-init v. 24.1 finished. Up 27.50 seconds\r\n"
    )


def _table(server: Server) -> str:
    """The keys that log in, as cloud-init draws them in the last stage of a first boot."""
    if not server.authorized:
        return f"ci-info: no authorized SSH keys fingerprints found for user {server.user}.\r\n"
    rows = [("Keytype", "Fingerprint (sha256)", "Options", "Comment")]
    for line in server.authorized:
        kind, blob, *comment = line.split(" ", 2)
        digest = hashlib.sha256(base64.b64decode(blob)).hexdigest()
        pairs = ":".join(digest[n:n + 2] for n in range(0, len(digest), 2))
        rows.append((kind, pairs, "-", comment[0] if comment else "-"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    bar = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    drawn = ["| " + " | ".join(c.center(w) for c, w in zip(row, widths)) + " |" for row in rows]
    title = f"Authorized keys from /home/{server.user}/.ssh/authorized_keys for user {server.user}"
    lines = [title.center(len(bar), "+"), bar, drawn[0], bar, *drawn[1:], bar]
    return "".join(f"ci-info: {line}\r\n" for line in lines)


@answers("ec2:DescribeInstanceConnectEndpoints")
def describe_endpoints(call: Call) -> dict:
    found = []
    for endpoint in call.account.endpoints.values():
        fields = {
            "state": endpoint.state, "vpc-id": endpoint.vpc, "subnet-id": endpoint.subnet,
            "instance-connect-endpoint-id": endpoint.id, "availability-zone": endpoint.zone,
        }
        for condition in call.parameters.get("Filters", []):
            if condition["Name"] not in fields:
                raise Fault("InvalidParameterValue", f"The filter '{condition['Name']}' is invalid")
        if endpoint.region != call.region or not all(
            fields[c["Name"]] in c.get("Values", []) for c in call.parameters.get("Filters", [])
        ):
            continue
        asked = call.parameters.get("InstanceConnectEndpointIds")
        if asked and endpoint.id not in asked:
            continue
        found.append({
            "OwnerId": call.account.id, "InstanceConnectEndpointId": endpoint.id,
            "InstanceConnectEndpointArn": f"arn:aws:ec2:{endpoint.region}:{call.account.id}:"
            f"instance-connect-endpoint/{endpoint.id}",
            "State": endpoint.state, "StateMessage": "", "DnsName": endpoint.name,
            "NetworkInterfaceIds": ["eni-" + endpoint.id[5:]], "VpcId": endpoint.vpc,
            "AvailabilityZone": endpoint.zone, "CreatedAt": moment(time.time()),
            "SubnetId": endpoint.subnet, "PreserveClientIp": False, "SecurityGroupIds": [],
            "IpAddressType": "ipv4", "Tags": [],
        })
    return {"InstanceConnectEndpoints": found}


@answers("sts:GetCallerIdentity")
def get_caller_identity(call: Call) -> dict:
    return {"UserId": "AIDA" + call.account.id, "Account": call.account.id, "Arn": call.key.arn}


@answers("sts:AssumeRole")
def assume_role(call: Call) -> dict:
    given = (call.parameters.get("SerialNumber"), call.parameters.get("TokenCode"))
    if call.account.device is not None and given != call.account.device:
        raise Fault(
            "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.",
            403,
        )
    return _assumed(call, call.parameters["RoleArn"], call.parameters["RoleSessionName"])


@answers("sts:GetSessionToken")
def get_session_token(call: Call) -> dict:
    key = call.account.add_key("ASIA", call.parameters.get("DurationSeconds", 43200), call.key.arn)
    return {"Credentials": _credentials(key)}


def _assumed(call: Call, role: str, session: str) -> dict:
    name = role.rsplit("/", 1)[-1]
    arn = f"arn:aws:sts::{call.account.id}:assumed-role/{name}/{session}"
    key = call.account.add_key("ASIA", call.parameters.get("DurationSeconds", 3600), arn)
    return {
        "Credentials": _credentials(key), "PackedPolicySize": 6,
        "AssumedRoleUser": {"AssumedRoleId": f"AROA{call.account.id}:{session}", "Arn": arn},
    }


def _credentials(key) -> dict:  # noqa: ANN001
    return {
        "AccessKeyId": key.id, "SecretAccessKey": key.secret, "SessionToken": key.token,
        "Expiration": moment(key.expires),
    }


def seal(account: Account, context: dict[str, str], plain: bytes) -> bytes:
    """What KMS makes of a data key; it opens with the same context only."""
    nonce = os.urandom(12)
    return nonce + AESGCM(_KMS_KEY).encrypt(nonce, plain, _context(account, context))


def unseal(account: Account, context: dict[str, str], blob: bytes) -> bytes:
    """Opens it again; raises Fault."""
    try:
        return AESGCM(_KMS_KEY).decrypt(blob[:12], blob[12:], _context(account, context))
    except (InvalidTag, ValueError) as error:
        raise Fault("InvalidCiphertextException", "") from error


def _context(account: Account, context: dict[str, str]) -> bytes:
    return json.dumps([account.id, context], sort_keys=True).encode()


@answers("kms:GenerateDataKey")
def generate_data_key(call: Call) -> dict:
    size = call.parameters.get("NumberOfBytes") or {"AES_128": 16}.get(call.parameters.get("KeySpec"), 32)
    plain = os.urandom(size)
    context = call.parameters.get("EncryptionContext") or {}
    return {
        "Plaintext": plain, "KeyId": call.parameters["KeyId"],
        "CiphertextBlob": seal(call.account, context, plain),
    }


@answers("kms:Decrypt")
def decrypt(call: Call) -> dict:
    blob = call.parameters["CiphertextBlob"]
    return {
        "KeyId": call.parameters.get("KeyId", ""),
        "Plaintext": unseal(call.account, call.parameters.get("EncryptionContext") or {}, blob),
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }


def _need(call: Call, instance: str) -> Server:
    server = call.account.find(instance, call.region)
    if server is None or server.is_managed:
        raise Fault("InvalidInstanceID.NotFound", f"The instance ID '{instance}' does not exist")
    return server


@answers("ec2-instance-connect:SendSSHPublicKey")
async def send_ssh_public_key(call: Call) -> dict:
    server = call.account.find(call.parameters["InstanceId"], call.region)
    key = call.parameters["SSHPublicKey"].strip()
    user = call.parameters["InstanceOSUser"]
    if server is None or server.is_managed:
        raise Fault("EC2InstanceNotFoundException", f"Instance {call.parameters['InstanceId']} not found")
    if not server.is_up:
        raise Fault("EC2InstanceStateInvalidException", f"Instance is not in running state: {server.state}")
    zone = call.parameters.get("AvailabilityZone")
    if zone not in (None, server.zone):
        raise Fault("EC2InstanceNotFoundException", f"there is no such instance in {zone}")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_@.\\-]{0,31}", user) or not 80 <= len(key) <= 4096:
        raise Fault("InvalidArgsException", "a parameter is not valid")
    if len(key.split(" ")) < 2 or "\n" in key:
        raise Fault("InvalidArgsException", "SSHPublicKey is not an OpenSSH public key")
    # The script on instances looks at keys whose kind begins with ssh only.
    if server.instance_connect and key.startswith("ssh"):
        await call.account.world.machines[server.machine].push(
            server, user, key, time.time() + call.account.plan.keys,
        )
    return {"RequestId": "0", "Success": True}


def moment(seconds: float) -> datetime:
    """A time as answers have it."""
    return datetime.fromtimestamp(seconds, timezone.utc)
