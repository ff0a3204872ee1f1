"""The API calls about an account's VPC, answered from what vpc.py holds."""

from __future__ import annotations

import ipaddress

from answers import Call, Fault, answers
from vpc import EVERYWHERE


def group_id(call: Call) -> str:
    return f"sg-0{call.account.id}0000"


@answers("ec2:DescribeSecurityGroups")
def describe_security_groups(call: Call) -> dict:
    asked = call.parameters.get("GroupIds", [])
    lost = [name for name in asked if name != group_id(call)]
    if lost:
        raise Fault("InvalidGroup.NotFound", f"The security group '{lost[0]}' does not exist")
    return {"SecurityGroups": [{
        "GroupId": group_id(call), "GroupName": "default", "OwnerId": call.account.id,
        "VpcId": call.account.vpc(call.region), "Description": "default VPC security group",
        "IpPermissions": [_permission(call, rule) for rule in call.account.network.rules],
        "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    }]}


def _permission(call: Call, rule: dict) -> dict:
    found: dict[str, object] = {
        "IpProtocol": rule.get("protocol", "tcp"), "IpRanges": [], "Ipv6Ranges": [],
        "PrefixListIds": [], "UserIdGroupPairs": [],
    }
    if rule.get("ports"):
        found["FromPort"], found["ToPort"] = rule["ports"]
    for source in rule["from"]:
        if source.startswith("pl-"):
            found["PrefixListIds"].append({"PrefixListId": source})
        elif source.startswith("sg-"):
            found["UserIdGroupPairs"].append({"GroupId": source, "UserId": call.account.id})
        elif ":" in source:
            found["Ipv6Ranges"].append({"CidrIpv6": source})
        else:
            found["IpRanges"].append({"CidrIp": source})
    return found


@answers("ec2:DescribeNetworkAcls")
def describe_network_acls(call: Call) -> dict:
    last = [
        [32767, outbound, False, range_, None, "-1"]
        for range_ in EVERYWHERE for outbound in (False, True)
    ]
    entries = []
    for number, outbound, allow, range_, ports, protocol in [*call.account.network.acl, *last]:
        entry = {
            "RuleNumber": number, "Egress": outbound, "Protocol": protocol,
            "RuleAction": "allow" if allow else "deny",
            "Ipv6CidrBlock" if ":" in range_ else "CidrBlock": range_,
        }
        if ports:
            entry["PortRange"] = {"From": ports[0], "To": ports[1]}
        entries.append(entry)
    return {"NetworkAcls": [{
        "NetworkAclId": f"acl-0{call.account.id}0000", "VpcId": call.account.vpc(call.region),
        "IsDefault": True, "Entries": entries, "OwnerId": call.account.id,
        "Associations": [{"SubnetId": name} for name in _wanted(call, "association.subnet-id")],
    }]}


@answers("ec2:DescribeRouteTables")
def describe_route_tables(call: Call) -> dict:
    routes = [{
        "DestinationCidrBlock": "10.14.0.0/16", "GatewayId": "local", "State": "active",
        "Origin": "CreateRouteTable",
    }]
    for destination, target, blackhole in call.account.network.routes:
        kind = target.split("-")[0]
        routes.append({
            "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock": destination,
            {"nat": "NatGatewayId", "tgw": "TransitGatewayId",
             "eigw": "EgressOnlyInternetGatewayId"}.get(kind, "GatewayId"): target,
            "State": "blackhole" if blackhole else "active", "Origin": "CreateRoute",
        })
    return {"RouteTables": [{
        "RouteTableId": f"rtb-0{call.account.id}0000", "VpcId": call.account.vpc(call.region),
        "Associations": [{"Main": True, "RouteTableId": f"rtb-0{call.account.id}0000"}],
        "Routes": routes, "OwnerId": call.account.id,
    }]}


@answers("ec2:DescribeVpcEndpoints")
def describe_vpc_endpoints(call: Call) -> dict:
    return {"VpcEndpoints": [
        {
            "VpcEndpointId": f"vpce-0{call.account.id}{number:04x}", "State": "available",
            "ServiceName": f"com.amazonaws.{call.region}.{service}", "VpcEndpointType": "Interface",
            "VpcId": call.account.vpc(call.region),
        } for number, service in enumerate(call.account.network.endpoints)
    ]}


@answers("ec2:GetManagedPrefixListEntries")
def get_managed_prefix_list_entries(call: Call) -> dict:
    name = call.parameters["PrefixListId"]
    if name not in call.account.network.lists:
        raise Fault("InvalidPrefixListID.NotFound", f"The prefix list ID '{name}' does not exist")
    return {"Entries": [{"Cidr": range_} for range_ in call.account.network.lists[name]]}


@answers("ec2:AuthorizeSecurityGroupIngress")
async def authorize_security_group_ingress(call: Call) -> dict:
    rules = _asked(call)
    for rule in rules:
        if rule in call.account.network.rules:
            raise Fault("InvalidPermission.Duplicate", "the specified rule already exists")
    call.account.network.rules += rules
    await enforce(call)
    return {"Return": True, "SecurityGroupRules": []}


@answers("ec2:RevokeSecurityGroupIngress")
async def revoke_security_group_ingress(call: Call) -> dict:
    for rule in _asked(call):
        if rule not in call.account.network.rules:
            raise Fault(
                "InvalidPermission.NotFound", "The specified rule does not exist in this security group.",
            )
        call.account.network.rules.remove(rule)
    await enforce(call)
    return {"Return": True}


def _asked(call: Call) -> list[dict]:
    """The permissions of a call, as this world keeps them: one for each source."""
    if call.parameters.get("GroupId") != group_id(call):
        raise Fault("InvalidGroup.NotFound", "The security group does not exist")
    rules = []
    for permission in call.parameters["IpPermissions"]:
        ports = [permission["FromPort"], permission["ToPort"]]
        sources = [item["CidrIp"] for item in permission.get("IpRanges", [])]
        sources += [item["CidrIpv6"] for item in permission.get("Ipv6Ranges", [])]
        rules += [{"ports": ports, "from": [source]} for source in sources]
    return rules


async def enforce(call: Call) -> None:
    """Opens or closes port 22 of the account's instances, as the rules say for the client."""
    client = ipaddress.ip_address(call.account.world.client_address)
    is_open = any(
        rule["ports"][0] <= 22 <= rule["ports"][1] and client in ipaddress.ip_network(source)
        for rule in call.account.network.rules for source in rule["from"]
        if "/" in source and ":" not in source
    )
    for server in call.account.servers.values():
        machine = call.account.world.machines[server.machine]
        addresses = [a for a in (server.private, server.public) if a]
        state = "open" if is_open and server.is_up else "drop"
        await machine.ask({"do": "port", "addresses": addresses, "state": state})


@answers("ec2:StartInstances")
async def start_instances(call: Call) -> dict:
    return await _turn(call, "StartingInstances", "stopped", "running")


@answers("ec2:StopInstances")
async def stop_instances(call: Call) -> dict:
    return await _turn(call, "StoppingInstances", "running", "stopped")


async def _turn(call: Call, name: str, before: str, after: str) -> dict:
    changes = []
    for identifier in call.parameters["InstanceIds"]:
        server = call.account.find(identifier, call.region)
        if server is None:
            raise Fault(
                "InvalidInstanceID.NotFound", f"The instance ID '{identifier}' does not exist",
            )
        if server.state not in (before, after):
            raise Fault(
                "IncorrectInstanceState",
                f"The instance '{identifier}' is not in a state from which it can be changed.",
            )
        changes.append({
            "InstanceId": identifier, "PreviousState": {"Name": server.state},
            "CurrentState": {"Name": "pending" if after == "running" else "stopping"},
        })
        server.state = after
    await enforce(call)
    return {name: changes}


def _wanted(call: Call, name: str) -> list[str]:
    for condition in call.parameters.get("Filters", []):
        if condition["Name"] == name:
            return condition["Values"]
    return []
