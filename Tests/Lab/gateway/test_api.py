"""Tests of the API calls: who may make them, and what EC2 answers."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import subprocess
import time
from email.utils import parsedate_to_datetime

import botocore.auth
from botocore.awsrequest import AWSRequest
from case import LAB, REGION, Account, Case, post


class Signatures(Case):
    def test_good_ones_pass_by_both_addresses(self) -> None:
        for tls in (False, True):
            answer = self.account.client("sts", tls=tls).get_caller_identity()
            self.assertEqual(answer["Account"], self.account.id)
            self.account.client("ec2", tls=tls).describe_instances()
            self.account.client("ssm", tls=tls).describe_instance_information()

    def test_wrong_ones_are_refused_in_each_services_words(self) -> None:
        wrong = {**self.account.key, "secret": "x" * 40}
        unknown = {**self.account.key, "id": "AKIAUNKNOWN"}
        for key, ec2, sts, ssm in (
            (wrong, "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException"),
            (unknown, "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"),
        ):
            self.refused(ec2, self.account.client("ec2", key).describe_instances)
            self.refused(sts, self.account.client("sts", key).get_caller_identity)
            self.refused(ssm, self.account.client("ssm", key).describe_instance_information)

    def test_tokens(self) -> None:
        key = self.account.order("key", lifetime=1000, kind="ASIA")["key"]
        self.account.client("sts", key).get_caller_identity()
        stolen = {**key, "token": "other"}
        self.refused("InvalidClientTokenId", self.account.client("sts", stolen).get_caller_identity)
        old = self.account.order("key", lifetime=-1, kind="ASIA")["key"]
        self.refused("ExpiredToken", self.account.client("sts", old).get_caller_identity)
        self.refused("RequestExpired", self.account.client("ec2", old).describe_instances)
        self.refused(
            "ExpiredTokenException", self.account.client("ssm", old).describe_instance_information,
        )

    def test_clocks(self) -> None:
        for ahead in (3600, -3600):
            self.account.order("clock", seconds=ahead)
            self.refused("RequestExpired", self.account.client("ec2").describe_instances)
            error = self.refused("SignatureDoesNotMatch", self.account.client("sts").get_caller_identity)
            date = error.response["ResponseMetadata"]["HTTPHeaders"]["date"]
            told = parsedate_to_datetime(date).timestamp() - time.time()
            self.assertAlmostEqual(told, ahead, delta=5)
        self.account.order("clock", seconds=200)
        self.account.client("ec2").describe_instances()

    def test_a_changed_body_is_noticed(self) -> None:
        client = self.account.client("ec2")

        def change(request: AWSRequest, **_: object) -> None:
            request.body = request.body.replace("DescribeInstances", "DescribeAddresses")

        client.meta.events.register("before-send.ec2", change)
        self.refused("AuthFailure", client.describe_instances)

    def test_a_region_or_service_that_is_not_the_addresss(self) -> None:
        host = f"ec2.{REGION}.amazonaws.com"
        for service, region in (("ec2", "us-east-1"), ("ssm", REGION)):
            request = AWSRequest("POST", f"https://{host}/", {
                "host": host, "content-type": "application/x-www-form-urlencoded",
            }, b"Action=DescribeInstances&Version=2016-11-15")
            botocore.auth.SigV4Auth(self.account.credentials(), service, region).add_auth(request)
            status, _ = asyncio.run(post(f"https://{host}/", dict(request.headers), request.data))
            self.assertNotEqual(status, 200, service)

    def test_counts_and_orders(self) -> None:
        client = self.account.client("ec2")
        client.describe_instances()
        client.describe_instances()
        self.assertEqual(self.account.order("calls", reset=True)["counts"], {"ec2:DescribeInstances": 2})
        self.account.order("deny", actions=["ec2:Describe*"])
        self.refused("UnauthorizedOperation", client.describe_instances)
        self.account.order("deny", actions=[])
        self.account.order(
            "fail", action="ec2:DescribeInstances", code="RequestLimitExceeded", status=503, times=1,
        )
        self.refused("RequestLimitExceeded", client.describe_instances)
        client.describe_instances()

    def test_buckets(self) -> None:
        self.account.order("throttle", action="ec2:*", size=3, refill=20)
        client = self.account.client("ec2")
        for _ in range(3):
            client.describe_instances()
        self.refused("RequestLimitExceeded", client.describe_instances)
        # Another action has another bucket.
        client.describe_images()
        time.sleep(0.1)
        client.describe_instances()
        self.assertEqual(self.account.order("calls")["throttled"], 1)
        self.account.order("throttle", action="ssm:*", size=0, refill=0)
        self.refused(
            "ThrottlingException", self.account.client("ssm").describe_instance_information,
        )

    def test_roles_want_the_code_of_a_device(self) -> None:
        sts = self.account.client("sts")
        role = {"RoleArn": f"arn:aws:iam::{self.account.id}:role/r", "RoleSessionName": "test"}
        sts.assume_role(**role)
        self.account.order("device", serial="arn:aws:iam::1:mfa/jane", code="123456")
        self.refused("AccessDenied", sts.assume_role, **role)
        device = {"SerialNumber": "arn:aws:iam::1:mfa/jane"}
        self.refused("AccessDenied", sts.assume_role, **role, **device, TokenCode="654321")
        given = sts.assume_role(**role, **device, TokenCode="123456")["Credentials"]
        secrets = self.account.order("secrets")["secrets"]
        for name in ("SecretAccessKey", "SessionToken"):
            self.assertIn(given[name], secrets)
        self.assertIn(self.account.key["secret"], secrets)


class Instances(Case):
    def test_filters_and_states(self) -> None:
        one, two = self.account.order("launch", name="web", count=2, ipv6=True, tags={"env": "prod"})["instances"]
        client = self.account.client("ec2")

        def found(name: str, *values: str) -> set[str]:
            answer = client.describe_instances(Filters=[{"Name": name, "Values": list(values)}])
            return {i["InstanceId"] for r in answer["Reservations"] for i in r["Instances"]}

        both = {one["id"], two["id"]}
        self.assertEqual(found("tag:Name", "web-1"), {one["id"]})
        self.assertEqual(found("tag:Name", "web*"), both)
        self.assertEqual(found("tag:env", "prod"), both)
        self.assertEqual(found("tag:env", "dev"), set())
        self.assertEqual(found("ip-address", one["public_address"]), {one["id"]})
        self.assertEqual(found("private-ip-address", two["private_address"]), {two["id"]})
        self.assertEqual(found("ipv6-address", two["ipv6_address"]), {two["id"]})
        self.assertEqual(found("dns-name", one["public_name"]), {one["id"]})
        self.assertEqual(found("private-dns-name", one["private_name"]), {one["id"]})
        self.refused("InvalidParameterValue", client.describe_instances, Filters=[{"Name": "nonsense", "Values": ["x"]}])
        self.refused("InvalidInstanceID.NotFound", client.describe_instances, InstanceIds=["i-0123456789abcdef0"])
        self.refused("InvalidInstanceID.Malformed", client.describe_instances, InstanceIds=["i-xyz"])
        self.account.order("set", instance=one["id"], state="stopped")
        answer = client.describe_instances(InstanceIds=[one["id"]])["Reservations"][0]["Instances"][0]
        self.assertEqual(answer["State"]["Name"], "stopped")
        self.assertNotIn("PublicIpAddress", answer)

    def test_pages(self) -> None:
        self.account.order("launch", name="n", count=7)
        pages = list(self.account.client("ec2").get_paginator("describe_instances").paginate(
            PaginationConfig={"PageSize": 5},
        ))
        self.assertEqual([len(page["Reservations"]) for page in pages], [5, 2])

    def test_accounts_are_apart_and_the_labs_own_are_shared(self) -> None:
        self.account.launch(name="mine")
        other = Account(shared=True)
        names = [
            tag["Value"]
            for reservation in other.client("ec2").describe_instances()["Reservations"]
            for tag in reservation["Instances"][0]["Tags"]
        ]
        other.close()
        self.assertNotIn("mine", names)
        self.assertIn("debian", names)

    def test_console_output_has_the_real_host_keys(self) -> None:
        one = self.account.launch()
        output = self.account.client("ec2").get_console_output(InstanceId=one["id"])["Output"]
        for line in one["host_keys"]:
            self.assertIn(line, output)
        scanned = subprocess.run(
            ["ssh-keyscan", "-t", "ed25519", one["public_address"]], capture_output=True, text=True, check=True,
        ).stdout
        self.assertIn(scanned.split()[2], output)
        self.account.order("set", instance=one["id"], console="")
        self.assertNotIn("Output", self.account.client("ec2").get_console_output(InstanceId=one["id"]))

    def test_key_pairs_have_the_fingerprints_openssl_says(self) -> None:
        pairs = {
            pair["KeyName"]: pair["KeyFingerprint"]
            for pair in self.account.client("ec2").describe_key_pairs()["KeyPairs"]
        }
        rsa = LAB["keys"]["rsa"]

        def digest(kind: str, *command: str) -> str:
            der = subprocess.run(command, capture_output=True, check=True).stdout
            digits = hashlib.new(kind, der).hexdigest()
            return ":".join(digits[i:i + 2] for i in range(0, len(digits), 2))

        self.assertEqual(pairs["my-key"], digest("sha1", "openssl", "pkcs8", "-in", rsa, "-topk8", "-nocrypt", "-outform", "DER"))
        self.assertEqual(pairs["my-key-imported"], digest("md5", "openssl", "rsa", "-in", rsa, "-pubout", "-outform", "DER"))
        said = subprocess.run(
            ["ssh-keygen", "-lf", LAB["keys"]["ed25519"] + ".pub"], capture_output=True, text=True, check=True,
        ).stdout
        self.assertIn("SHA256:" + pairs["my-key-ed25519"].rstrip("="), said)

    def test_moto_answers_the_rest(self) -> None:
        self.assertTrue(self.account.client("ec2").describe_vpcs()["Vpcs"])


class Networks(Case):
    def setUp(self) -> None:
        super().setUp()
        self.ec2 = self.account.client("ec2")
        self.group = f"sg-0{self.account.id}0000"

    def test_the_default_lets_port_22_in(self) -> None:
        server = self.account.launch()
        told = self.ec2.describe_instances(InstanceIds=[server["id"]])["Reservations"][0]["Instances"][0]
        self.assertEqual([group["GroupId"] for group in told["SecurityGroups"]], [self.group])
        rule = self.ec2.describe_security_groups(GroupIds=[self.group])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual((rule["IpProtocol"], rule["FromPort"], rule["ToPort"]), ("tcp", 22, 22))
        acl = self.ec2.describe_network_acls(
            Filters=[{"Name": "association.subnet-id", "Values": [told["SubnetId"]]}],
        )["NetworkAcls"][0]
        self.assertEqual({entry["RuleNumber"] for entry in acl["Entries"]}, {100, 101, 32767})
        table = self.ec2.describe_route_tables(
            Filters=[{"Name": "vpc-id", "Values": [told["VpcId"]]}],
        )["RouteTables"][0]
        self.assertEqual(
            [route.get("DestinationCidrBlock", route.get("DestinationIpv6CidrBlock")) for route in table["Routes"]],
            ["10.14.0.0/16", "0.0.0.0/0", "::/0"],
        )
        self.refused("InvalidGroup.NotFound", self.ec2.describe_security_groups, GroupIds=["sg-1"])

    def test_what_is_ordered_is_told(self) -> None:
        self.account.order(
            "network", rules=[{"ports": [1, 2], "from": ["pl-1", "sg-2", "::/0"]}], lists={"pl-1": ["192.0.2.0/24"]},
            endpoints=["ssm"], routes=[["0.0.0.0/0", "nat-1", True]],
        )
        rule = self.ec2.describe_security_groups(GroupIds=[self.group])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual(rule["PrefixListIds"], [{"PrefixListId": "pl-1"}])
        self.assertEqual(rule["UserIdGroupPairs"][0]["GroupId"], "sg-2")
        self.assertEqual(rule["Ipv6Ranges"], [{"CidrIpv6": "::/0"}])
        entries = self.ec2.get_managed_prefix_list_entries(PrefixListId="pl-1")["Entries"]
        self.assertEqual(entries, [{"Cidr": "192.0.2.0/24"}])
        self.assertEqual(
            self.ec2.describe_vpc_endpoints()["VpcEndpoints"][0]["ServiceName"], f"com.amazonaws.{REGION}.ssm",
        )
        route = self.ec2.describe_route_tables()["RouteTables"][0]["Routes"][1]
        self.assertEqual((route["NatGatewayId"], route["State"]), ("nat-1", "blackhole"))

    def test_a_rule_opens_the_port_for_the_client_and_its_end_closes_it(self) -> None:
        self.account.order("network", rules=[])
        server = self.account.launch(port="drop")
        self.assertFalse(_answers(server["public_address"]))
        for range_, is_open in (("198.51.100.0/24", False), ("203.0.113.2/32", True)):
            rule = {
                "GroupId": self.group,
                "IpPermissions": [{
                    "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": range_}],
                }],
            }
            self.ec2.authorize_security_group_ingress(**rule)
            self.assertEqual(_answers(server["public_address"]), is_open)
            self.refused("InvalidPermission.Duplicate", self.ec2.authorize_security_group_ingress, **rule)
            self.ec2.revoke_security_group_ingress(**rule)
            self.assertFalse(_answers(server["public_address"]))
            self.refused("InvalidPermission.NotFound", self.ec2.revoke_security_group_ingress, **rule)

    def test_instances_are_stopped_and_started(self) -> None:
        server = self.account.launch()
        self.ec2.stop_instances(InstanceIds=[server["id"]])
        self.assertFalse(_answers(server["public_address"]))
        status = self.ec2.describe_instance_status(
            InstanceIds=[server["id"]], IncludeAllInstances=True,
        )["InstanceStatuses"][0]
        self.assertEqual(status["InstanceState"]["Name"], "stopped")
        self.ec2.start_instances(InstanceIds=[server["id"]])
        self.assertTrue(_answers(server["public_address"]))
        self.refused("InvalidInstanceID.NotFound", self.ec2.start_instances, InstanceIds=["i-0fffffffffffffff0"])


def _answers(address: str) -> bool:
    """Whether a server says who it is at port 22."""
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            connection.settimeout(10)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
