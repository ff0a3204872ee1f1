"""Tests of what instances and other machines tell of themselves: consoles, key pairs, commands."""

from __future__ import annotations

import base64
import hashlib
import time

from botocore.exceptions import ClientError
from case import LAB, Account, Case


class Machines(Case):
    def test_key_pairs_are_filtered_and_their_public_keys_may_be_missing(self) -> None:
        ec2 = self.account.client("ec2")
        asked = {"Filters": [{"Name": "key-name", "Values": ["my-key"]}], "IncludePublicKey": True}
        pairs = ec2.describe_key_pairs(**asked)["KeyPairs"]
        self.assertEqual([pair["KeyName"] for pair in pairs], ["my-key"])
        self.assertTrue(pairs[0]["PublicKey"].startswith("ssh-rsa "))
        self.account.order("pairs", public=False)
        self.assertNotIn("PublicKey", ec2.describe_key_pairs(**asked)["KeyPairs"][0])

    def test_the_console_names_the_user_and_the_keys(self) -> None:
        ec2 = self.account.client("ec2")
        one = self.account.launch(image="rocky")
        output = ec2.get_console_output(InstanceId=one["id"])["Output"]
        self.assertRegex(output, r"ci-info: \++Authorized keys from /home/rocky/\S+ for user rocky\++\r\n")
        with open(LAB["keys"]["rsa"] + ".pub", encoding="ascii") as file:
            digest = hashlib.sha256(base64.b64decode(file.read().split()[1])).hexdigest()
        self.assertIn(":".join(digest[i:i + 2] for i in range(0, 64, 2)), output)
        other = self.account.launch(accepts_key=False)
        output = ec2.get_console_output(InstanceId=other["id"])["Output"]
        self.assertIn("no authorized SSH keys fingerprints found for user ubuntu", output)

    def test_a_command_runs_on_the_instance_that_is_meant(self) -> None:
        ssm = self.account.client("ssm")
        shared = Account(shared=True)
        self.addCleanup(shared.close)
        lab = next(found for found in LAB["instances"] if found["id"] and found["public_address"])
        with open(f"{lab['host_keys']}/ssh_host_ed25519_key.pub", encoding="ascii") as file:
            own = file.read().strip()
        one = self.account.launch()
        for client, instance, key in (
            (ssm, one["id"], one["host_keys"][0]), (shared.client("ssm"), lab["id"], own),
        ):
            sent = client.send_command(
                InstanceIds=[instance], DocumentName="AWS-RunShellScript",
                Parameters={"commands": ["cat /etc/ssh/ssh_host_*_key.pub", "id -un"]},
            )["Command"]["CommandId"]
            self.refused("InvocationDoesNotExist", client.get_command_invocation, CommandId=sent, InstanceId=instance)
            done = self._finished(client, sent, instance)
            self.assertEqual((done["Status"], done["ResponseCode"]), ("Success", 0))
            self.assertIn(key, done["StandardOutputContent"])
            self.assertTrue(done["StandardOutputContent"].endswith("\nroot\n"))
        failing = ssm.send_command(
            InstanceIds=[one["id"]], DocumentName="AWS-RunShellScript", Parameters={"commands": ["echo no >&2; exit 3"]},
        )["Command"]["CommandId"]
        done = self._finished(ssm, failing, one["id"])
        self.assertEqual((done["Status"], done["ResponseCode"], done["StandardErrorContent"]), ("Failed", 3, "no\n"))
        self.account.order("set", instance=one["id"], ssm="ConnectionLost")
        self.refused(
            "InvalidInstanceId", ssm.send_command, InstanceIds=[one["id"]],
            DocumentName="AWS-RunShellScript", Parameters={"commands": ["true"]},
        )

    def _finished(self, client, command: str, instance: str) -> dict:  # noqa: ANN001
        while True:
            time.sleep(0.05)
            try:
                done = client.get_command_invocation(CommandId=command, InstanceId=instance)
            except ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "InvocationDoesNotExist")
                continue
            if done["Status"] != "InProgress":
                return done

    def test_machines_that_are_not_ec2s(self) -> None:
        shop = self.account.launch(name="shop", managed=True, public=False)
        web = self.account.launch(name="web")
        self.assertTrue(shop["id"].startswith("mi-"))
        ec2, ssm = self.account.client("ec2"), self.account.client("ssm")
        found = [i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
        self.assertEqual(found, [web["id"]])
        self.refused("InvalidInstanceID.NotFound", ec2.get_console_output, InstanceId=shop["id"])
        kinds = {
            i["InstanceId"]: (i["ResourceType"], i.get("Name"))
            for i in ssm.describe_instance_information()["InstanceInformationList"]
        }
        self.assertEqual(kinds, {
            shop["id"]: ("ManagedInstance", "shop"), web["id"]: ("EC2Instance", None),
        })
        own = ssm.describe_instance_information(Filters=[{"Key": "ResourceType", "Values": ["ManagedInstance"]}])
        self.assertEqual([i["InstanceId"] for i in own["InstanceInformationList"]], [shop["id"]])

    def test_the_shipped_policy_is_all_there_is(self) -> None:
        self.account.order("policy")
        self.account.client("ec2").describe_instances()
        self.account.client("sts").get_caller_identity()
        self.refused("UnauthorizedOperation", self.account.client("ec2").describe_vpcs)
        one = self.account.launch()
        self.refused(
            "AccessDeniedException", self.account.client("ssm").send_command, InstanceIds=[one["id"]],
            DocumentName="AWS-RunPatchBaseline",
        )
