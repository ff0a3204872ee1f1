"""The API calls about an account's VPC, answered from what vpc.py holds."""

from __future__ import annotations

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


def _wanted(call: Call, name: str) -> list[str]:
    for condition in call.parameters.get("Filters", []):
        if condition["Name"] == name:
            return condition["Values"]
    return []
