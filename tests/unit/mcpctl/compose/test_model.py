"""The dataclasses that the other rooms read."""

from __future__ import annotations

import pytest

from mcpctl.compose.load import LoadRequest, find_files, load
from mcpctl.compose.model import Attachment, Dependency, FileReference, Healthcheck, Mount, Port, Ulimit

SECOND = 1_000_000_000


def test_a_service_carries_what_the_engine_needs(read, folder):
    service = read("""
services:
  web:
    image: nginx
    command: serve --port 80
    ports: ["127.0.0.1:8080:80", "9000-9001:90-91/udp"]
    volumes: [data:/data, "./conf:/conf:ro", {type: tmpfs, target: /run, tmpfs: {size: 64m, mode: 0755}}]
    networks: {default: {aliases: [www], priority: 5}}
    healthcheck: {test: "true", interval: 1m30s, timeout: 500ms, retries: 3}
    mem_limit: 512m
    cpus: 0.5
    pids_limit: 100
    stop_grace_period: 1m
    ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}
    extra_hosts: ["db=10.0.0.1", "v6=[::1]"]
    devices: [/dev/fuse]
    secrets: [{source: key, mode: 0400}]
    logging: {driver: json-file, options: {max-size: 10m}}
    restart: unless-stopped
volumes: {data: }
secrets: {key: {file: key.txt}}
""").services["web"]
    assert service.command == ("serve", "--port", "80")
    assert service.entrypoint is None
    assert service.ports == (
        Port(80, "8080", "tcp", "127.0.0.1"),
        Port(90, "9000", "udp"),
        Port(91, "9001", "udp"),
    )
    assert service.mounts == (
        Mount("volume", "/data", "data"),
        Mount("bind", "/conf", str(folder / "conf"), read_only=True, create_host_path=True),
        Mount("tmpfs", "/run", tmpfs_size=64 * 2**20, tmpfs_mode=0o755),
    )
    assert service.networks == {"default": Attachment(aliases=("www",), priority=5)}
    assert service.healthcheck == Healthcheck(("CMD-SHELL", "true"), 90 * SECOND, SECOND // 2, 3)
    assert (service.limits.memory, service.limits.cpus, service.limits.pids) == (512 * 2**20, 0.5, 100)
    assert service.stop_grace_period == 60 * SECOND
    assert service.ulimits == {"nofile": Ulimit(1, 2), "nproc": Ulimit(3, 3)}
    assert service.extra_hosts == ("db:10.0.0.1", "v6:::1")
    assert service.devices == ("/dev/fuse:/dev/fuse:rwm",)
    assert service.secrets == (FileReference("key", "/run/secrets/key", mode=0o400),)
    assert (service.logging_driver, service.logging_options) == ("json-file", {"max-size": "10m"})
    assert service.restart == "unless-stopped"


def test_a_build_carries_absolute_paths_and_resolved_arguments(read, folder):
    service = read(
        """
services:
  web:
    build: {context: ./app, dockerfile: D, target: prod, args: {A: 1, B: , C: }, secrets: [s], shm_size: 1m}
secrets: {s: {environment: S}}
""",
        {"B": "from env"},
    ).services["web"]
    assert service.build is not None
    assert service.build.context == str(folder / "app")
    assert (service.build.dockerfile, service.build.target) == ("D", "prod")
    assert service.build.args == {"A": "1", "B": "from env"}
    assert [use.source for use in service.build.secrets] == ["s"]
    assert service.build.shm_size == 2**20
    assert service.image_name("shop") == "shop-web"


def test_limits_of_deploy_and_its_restart_policy_reach_the_service(read):
    service = read("""
services:
  web:
    image: x
    restart: always
    deploy:
      replicas: 3
      update_config: {order: start-first}
      restart_policy: {condition: on-failure, max_attempts: 3}
      resources:
        limits: {cpus: "0.5", memory: 64m, pids: 9}
        reservations: {memory: 32m, devices: [{capabilities: [gpu]}]}
""").services["web"]
    assert service.scale == 3
    assert service.restart == "on-failure:3"
    assert service.update_order == "start-first"
    assert (service.limits.cpus, service.limits.memory, service.limits.pids) == (0.5, 64 * 2**20, 9)
    assert service.limits.memory_reservation == 32 * 2**20
    assert [(one.capabilities, one.count) for one in service.limits.devices] == [(("gpu",), -1)]


@pytest.mark.parametrize(
    ("condition", "spelled"), [("any", "always"), ("none", "no"), ("on-failure", "on-failure")]
)
def test_restart_conditions_are_spelled_as_the_engine_does(read, condition, spelled):
    project = read(
        f"services: {{web: {{image: x, deploy: {{restart_policy: {{condition: {condition}}}}}}}}}\n"
    )
    assert project.services["web"].restart == spelled


def test_a_disabled_healthcheck_is_the_none_check(read):
    project = read("services: {a: {image: x, healthcheck: {disable: true}}, b: {image: x}}\n")
    assert project.services["a"].healthcheck is not None
    assert project.services["a"].healthcheck.disabled
    assert project.services["b"].healthcheck is None


def test_an_optional_dependency_that_is_off_is_dropped(read):
    project = read("""
services:
  a:
    image: x
    depends_on:
      b: {condition: service_started, required: false}
      c: {condition: service_healthy, restart: true}
  b: {image: x, profiles: [p]}
  c: {image: x}
""")
    assert project.services["a"].depends_on == {"c": Dependency("service_healthy", restart=True)}
    assert project.disabled == ("b",)


def test_profiles_of_the_flag_are_added_to_those_of_the_environment(read):
    services = (f"{name}: {{image: x, profiles: [{name}]}}" for name in ("one", "two", "three"))
    text = f"services: {{{', '.join(services)}}}\n"
    project = read(text, {"COMPOSE_PROFILES": "one"}, profiles=("two",))
    assert set(project.services) == {"one", "two"}
    assert set(read(text, profiles=("*",)).services) == {"one", "two", "three"}


def test_networks_volumes_and_files_have_their_engine_names(read, folder):
    project = read("""
services: {web: {image: x, volumes: ["data:/d", "far:/f"], configs: [c], networks: [front]}}
volumes: {data: {labels: {a: b}}, far: {external: true, name: elsewhere}}
networks: {front: {internal: true, ipam: {config: [{subnet: 10.9.0.0/16}]}}}
configs: {c: {content: hello}}
""")
    assert project.volumes["data"].name == "shop_data"
    assert project.volumes["data"].labels == {"a": "b"}
    assert (project.volumes["far"].name, project.volumes["far"].external) == ("elsewhere", True)
    assert (project.networks["front"].name, project.networks["front"].internal) == ("shop_front", True)
    assert project.networks["front"].ipam_config == ({"subnet": "10.9.0.0/16"},)
    assert project.configs["c"].content == "hello"
    assert "default" not in project.networks
    assert project.directory == folder


def test_a_bare_variable_that_nothing_sets_stays_without_value(read):
    project = read("services: {web: {image: x, environment: [SET, UNSET]}}\n", {"SET": "1"})
    assert project.services["web"].environment == {"SET": "1", "UNSET": None}
    assert project.environment["COMPOSE_PROJECT_NAME"] == "shop"


def test_only_named_env_files_are_listed(read, write, folder):
    write(".env", "A=1\n")
    write("b.env", "A=2\n")
    text = "services: {web: {image: 'x:$A'}}\n"
    assert read(text).env_files == ()
    named = read(text, env_files=("b.env",))
    assert named.env_files == (folder / "b.env",)
    assert named.services["web"].image == "x:2"


def test_files_are_found_upward_without_being_read(folder, write):
    write("compose.yaml", "not: [valid")
    write("compose.override.yml", "either")
    below = folder / "a/b"
    below.mkdir(parents=True)
    assert find_files(LoadRequest(below, {})) == (folder / "compose.yaml", folder / "compose.override.yml")


def test_watch_rules_are_kept(read, folder):
    watch = (
        read(
            "services: {web: {build: ., develop: {watch: [\n"
            "  {path: src, action: sync, target: /app, ignore: [x]}]}}}\n"
        )
        .services["web"]
        .watch
    )
    assert [(rule.path, rule.action, rule.target, rule.ignore) for rule in watch] == [
        (str(folder / "src"), "sync", "/app", ("x",))
    ]


def test_what_has_no_effect_is_warned_about(read):
    project = read(
        """
version: "3"
services:
  web:
    image: x:$NOWHERE
    command: a && b
    deploy: {mode: global, placement: {constraints: [x]}, resources: {reservations: {cpus: 1}}}
"""
    )
    told = "\n".join(project.warnings)
    for part in (
        "NOWHERE is not set",
        "version is obsolete",
        "ends before '&& b'",
        "deploy.mode",
        "deploy.placement",
    ):
        assert part in told
    assert "reservations.cpus" in told


def test_a_plain_file_gives_no_warning(read):
    assert read("services: {web: {image: x, command: [a]}}\n").warnings == ()


def test_two_project_files_side_by_side_are_told(read, write):
    write("docker-compose.yml", "services: {}\n")
    assert "using compose.yaml, not docker-compose.yml" in read("services: {web: {image: x}}\n").warnings[0]


def test_a_bare_last_line_without_newline_is_inherited(write, read):
    write("app.env", "A=1\nHOSTED")
    project = read("services: {web: {image: x, env_file: app.env}}\n", {"HOSTED": "yes"})
    assert project.services["web"].environment == {"A": "1", "HOSTED": "yes"}


def test_ipam_options_are_kept_and_leave_the_network_without_a_hash(read):
    network = read("services: {web: {image: x}}\nnetworks: {default: {ipam: {options: {k: v}}}}\n").networks[
        "default"
    ]
    assert network.ipam_options == {"k": "v"}
    assert network.config_hash == ""


def test_loading_reads_no_environment_of_its_own(read, monkeypatch):
    monkeypatch.setenv("TAG", "from the process")
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "other")
    project = read("services: {web: {image: 'x:${TAG-none}'}}\n")
    assert (project.name, project.services["web"].image) == ("shop", "x:none")


def test_load_gives_the_same_project_twice(read, folder):
    first = read("services: {web: {image: x, environment: {A: 1}}}\n")
    assert load(LoadRequest(folder, {"HOME": "/home/me"})) == first
