"""The sandbox's account, over HTTP."""

from __future__ import annotations

import urllib.request
from typing import Any

import boto3
import pytest

from server.sandbox.application import HEALTH_PATH, SandboxApplication
from server.sandbox.seed import BUCKETS, LOG_GROUPS, ROLE, SECRETS, USERS, seed


def client(service: str, url: str) -> Any:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    return session.client(service, endpoint_url=url)


def contents(url: str) -> dict[str, Any]:
    s3, iam, logs = client("s3", url), client("iam", url), client("logs", url)
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    return {
        "objects": {
            name: [item["Key"] for item in s3.list_objects_v2(Bucket=name)["Contents"]] for name in buckets
        },
        "aliases": iam.list_account_aliases()["AccountAliases"],
        "users": [user["UserName"] for user in iam.list_users()["Users"]],
        "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
        "events": {
            name: [item["message"] for item in logs.filter_log_events(logGroupName=name)["events"]]
            for name in groups
        },
        "secrets": [item["Name"] for item in client("secretsmanager", url).list_secrets()["SecretList"]],
    }


def test_the_account_holds_what_the_seed_says(sandbox_url: str) -> None:
    assert contents(sandbox_url) == {
        "objects": {name: sorted(objects) for name, objects in sorted(BUCKETS.items())},
        "aliases": ["mcpctl-sandbox"],
        "users": list(USERS),
        "roles": [ROLE],
        "events": {name: list(lines) for name, lines in LOG_GROUPS.items()},
        "secrets": list(SECRETS),
    }
    assert (len(BUCKETS), len(USERS), len(LOG_GROUPS), len(SECRETS)) == (3, 3, 2, 3)


def test_seeding_again_changes_nothing(sandbox_url: str) -> None:
    before = contents(sandbox_url)
    seed(sandbox_url)
    assert contents(sandbox_url) == before


def test_it_is_healthy(sandbox_url: str) -> None:
    with urllib.request.urlopen(sandbox_url + HEALTH_PATH) as answer:
        assert answer.read() == b'{"status":"ok"}'


@pytest.mark.parametrize(("seeded", "status"), [(False, "503 Service Unavailable"), (True, "200 OK")])
def test_it_is_not_healthy_before_it_is_seeded(seeded: bool, status: str) -> None:
    application = SandboxApplication(lambda environ, start: [b"moto"])
    if seeded:
        application.seeded.set()
    heard: list[str] = []
    application({"PATH_INFO": HEALTH_PATH}, lambda line, headers, *rest: heard.append(line))
    assert heard == [status]
    assert application({"PATH_INFO": "/bucket"}, lambda *rest: None) == [b"moto"]
