"""What is in the sandbox's account. Seeding it again changes nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION: Final = "us-east-1"
ALIAS: Final = "mcpctl-sandbox"
BUCKETS: Final[Mapping[str, Mapping[str, str]]] = {
    "sandbox-reports": {
        "2025/q4.csv": "month,cost\noctober,12.50\nnovember,11.75\ndecember,13.20\n",
        "2026/q1.csv": "month,cost\njanuary,12.10\nfebruary,10.95\nmarch,12.60\n",
    },
    "sandbox-uploads": {"incoming/readme.txt": "Files that users send arrive here.\n"},
    "sandbox-logs": {"app/day-1.log": "started\nserved 3 requests\nstopped\n", "app/day-2.log": "started\n"},
}
USERS: Final = ("alice", "bob", "ci-deploy")
ROLE: Final = "sandbox-reader"
LOG_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "/sandbox/web": ("GET /health 200", "GET /orders 200", "POST /orders 201", "GET /orders/7 404"),
    "/sandbox/worker": ("job 1 done in 120 ms", "job 2 failed: no such order", "job 2 done in 95 ms"),
}
#: Names and values that are obviously no real secrets.
SECRETS: Final[Mapping[str, str]] = {
    "sandbox/database": json.dumps({"username": "app", "password": "sandbox-only"}),
    "sandbox/api-key": "sandbox-only",
    "sandbox/signing-key": "sandbox-only",
}
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def seed(endpoint: str) -> None:
    """Fill the account behind ``endpoint``."""
    from botocore.session import Session

    def client(service: str) -> Any:
        session = cast("Any", Session())
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",  # noqa: S106 - the sandbox takes any key
        )

    _seed_s3(client("s3"))
    _seed_iam(client("iam"))
    _seed_logs(client("logs"))
    _seed_secrets(client("secretsmanager"))


def _seed_s3(s3: Any) -> None:
    for bucket, objects in BUCKETS.items():
        s3.create_bucket(Bucket=bucket)
        for key, text in objects.items():
            s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="text/plain")


def _seed_iam(iam: Any) -> None:
    iam.create_account_alias(AccountAlias=ALIAS)
    users = {user["UserName"] for user in iam.list_users()["Users"]}
    for name in USERS:
        if name not in users:
            iam.create_user(UserName=name)
    roles = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    if ROLE not in roles:
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))


def _seed_logs(logs: Any) -> None:
    groups = {group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]}
    # CloudWatch takes no events older than 14 days, so their times follow the clock.
    now = int(time.time() * 1000)
    for name, lines in LOG_GROUPS.items():
        if name in groups:
            continue
        logs.create_log_group(logGroupName=name)
        logs.create_log_stream(logGroupName=name, logStreamName="main")
        events = [{"timestamp": now - 60_000 + index, "message": line} for index, line in enumerate(lines)]
        logs.put_log_events(logGroupName=name, logStreamName="main", logEvents=events)


def _seed_secrets(secrets: Any) -> None:
    names = {secret["Name"] for secret in secrets.list_secrets()["SecretList"]}
    for name, value in SECRETS.items():
        if name not in names:
            secrets.create_secret(Name=name, SecretString=value)
