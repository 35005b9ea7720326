"""The labels by which docker compose recognises our objects."""

from __future__ import annotations

import hashlib

import pytest

from mcpctl.compose import labels
from mcpctl.compose.hashes import go_json, network_hash, service_hash, volume_hash
from mcpctl.compose.names import container_name, normalise_project_name, resource_name

TEXT = """
services:
  web:
    image: x
    labels: {mine: "1", com.docker.compose.project: stolen}
    depends_on: {db: {condition: service_healthy, restart: true}, cache: {condition: service_started}}
  db: {image: x, volumes: ["data:/d"]}
  cache: {image: x}
volumes: {data: {labels: {own: v}}}
"""


def test_a_container_has_every_label_that_compose_filters_by(read, folder):
    project = read(TEXT)
    found = labels.container_labels(project, project.services["web"], 2, image="sha256:1")
    assert found == {
        "mine": "1",
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "web",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.config-hash": project.services["web"].config_hash,
        "com.docker.compose.container-number": "2",
        "com.docker.compose.project.config_files": str(folder / "compose.yaml"),
        "com.docker.compose.project.working_dir": str(folder),
        "com.docker.compose.depends_on": "cache:service_started:false,db:service_healthy:true",
        "com.docker.compose.image": "sha256:1",
        "com.docker.compose.version": labels.SPOKEN_VERSION,
    }


def test_named_env_files_are_labelled(read, write, folder):
    write("a.env", "")
    project = read(TEXT, env_files=("a.env",))
    found = labels.container_labels(project, project.services["db"], 1)
    assert found["com.docker.compose.project.environment_file"] == str(folder / "a.env")
    assert found["com.docker.compose.depends_on"] == ""


def test_a_run_container_is_a_oneoff_with_a_slug(read):
    project = read(TEXT)
    found = labels.oneoff_labels(project, project.services["db"], "abc")
    assert (found[labels.ONEOFF], found[labels.SLUG]) == ("True", "abc")


def test_networks_volumes_and_images_carry_their_keys(read):
    project = read(TEXT)
    network = labels.network_labels(project, project.networks["default"])
    assert (network[labels.NETWORK], network[labels.PROJECT]) == ("default", "shop")
    volume = labels.volume_labels(project, project.volumes["data"])
    assert (volume[labels.VOLUME], volume["own"]) == ("data", "v")
    assert volume[labels.CONFIG_HASH] == project.volumes["data"].config_hash
    assert labels.image_labels(project, project.services["web"])[labels.SERVICE] == "web"


def test_a_network_without_an_exact_hash_gets_no_hash_label(read):
    project = read("services: {web: {image: x}}\nnetworks: {default: {ipam: {options: {k: v}}}}\n")
    assert labels.CONFIG_HASH not in labels.network_labels(project, project.networks["default"])


def test_volume_and_network_hashes_are_those_of_their_json():
    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    assert volume_hash({"name": "p_data"}) == digest('{"name":"p_data","driver":"local"}')
    assert volume_hash({"name": "n", "driver": "d", "labels": {"a": "b"}}) == digest(
        '{"name":"n","driver":"d","labels":{"a":"b"}}'
    )
    assert network_hash({"name": "p_default", "ipam": {}}) == digest('{"name":"p_default","ipam":{}}')


def test_what_does_not_change_a_container_does_not_change_its_hash():
    base = {"command": None, "entrypoint": None, "image": "x", "deploy": {"resources": {}}}
    other = base | {
        "build": {"context": "/x"},
        "pull_policy": "always",
        "scale": 3,
        "deploy": {"replicas": 3, "resources": {}},
    }
    assert service_hash(base) == service_hash(other)
    assert service_hash(base) != service_hash(base | {"image": "y"})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("<&>", '"\\u003c\\u0026\\u003e"'),
        ("\u2028ä", '"\\u2028ä"'),
        (0.25, "0.25"),
        (1e-7, "1e-7"),
        (1e21, "1e+21"),
        (123456789.5, "123456789.5"),
        ({"a": [None, True, 2]}, '{"a":[null,true,2]}'),
    ],
)
def test_json_is_written_as_go_does(value, written):
    assert go_json(value) == written


def test_names_follow_compose():
    assert normalise_project_name("__My Shop.2") == "myshop2"
    assert container_name("shop", "web", 1) == "shop-web-1"
    assert resource_name("shop", "data") == "shop_data"
