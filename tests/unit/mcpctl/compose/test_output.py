"""The model as people and programs see it."""

from __future__ import annotations

import json

import pytest
import yaml

from mcpctl.compose.output import MASK, document, looks_secret, mask_secrets, mask_value, to_yaml


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "MCP_AUTH_TOKEN",
        "DB_PASSWORD",
        "PGPASS",
        "api_key",
        "SENTRY_DSN",
    ],
)
def test_a_name_that_sounds_secret_is_secret(name):
    assert looks_secret(name)
    assert mask_value(name, "hunter2") == MASK


@pytest.mark.parametrize(
    "name", ["MCP_AWS_SECRET_ID", "KEY_FILE", "LOG_LEVEL", "AUTH_URL", "PATH", "TOKEN_TTL"]
)
def test_a_name_that_points_to_a_secret_is_none(name):
    assert mask_value(name, "value") == "value"


def test_an_empty_value_is_shown_as_empty():
    assert mask_value("TOKEN", "") == ""


def test_secrets_leave_the_model_and_nothing_else_changes(read):
    project = read(
        """
services:
  web:
    image: x
    command: [run, "postgres://me:hunter2@db/x"]
    environment: {TOKEN: hunter2, LEVEL: info, URL: "https://me:hunter2@host/p"}
    build: {context: ., args: {NPM_TOKEN: hunter2, MODE: a}}
    configs: [c]
configs: {c: {content: "password=hunter2"}}
"""
    )
    masked = mask_secrets(project.model)
    assert "hunter2" not in json.dumps(masked)
    web = masked["services"]["web"]
    assert web["environment"] == {"TOKEN": MASK, "LEVEL": "info", "URL": f"https://me:{MASK}@host/p"}
    assert web["build"]["args"] == {"NPM_TOKEN": MASK, "MODE": "a"}
    assert masked["configs"]["c"]["content"] == MASK
    assert project.services["web"].environment["TOKEN"] == "hunter2"


def test_the_document_can_be_read_again(read, folder):
    project = read(
        "services: {web: {image: x, environment: {A: 'a$$b', B: '$${C}'}, command: [echo, '$$HOME']}}\n"
    )
    assert project.services["web"].environment == {"A": "a$b", "B": "${C}"}
    assert read(json.dumps(document(project.model))).services == project.services


def test_the_yaml_form_can_be_read_again(read):
    project = read(
        "services: {web: {image: x, ports: ['80:80'], environment: {A: '$$x', N: 'yes', O: '010'}}}\n"
    )
    written = to_yaml(project.model)
    assert "command" not in yaml.safe_load(written)["services"]["web"]
    assert read(written).model == project.model
