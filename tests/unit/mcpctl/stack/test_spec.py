"""A service in the engine's JSON, key by key. tests/engine compares whole stacks with the real compose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.errors import ConfigError, NotFound
from mcpctl.stack.apply import Applier
from mcpctl.stack.mounts import inherited_volumes
from mcpctl.stack.observe import observe
from mcpctl.stack.references import owners, resolve
from mcpctl.stack.security import with_profiles
from mcpctl.stack.spec import ContainerSpec, Placement, container_spec
from tests.unit.mcpctl.stack.world import Silence

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.mcpctl.stack.world import World

MISSING = object()


def spec(world: World, keys: str, *, top: str = "", **placement: Any) -> ContainerSpec:
    project = world.file(f"services:\n  a: {{image: i, {keys}}}\n{top}")
    return container_spec(
        project, project.services["a"], Placement(**{"number": 1, "labels": {}, **placement})
    )


def at(config: Any, path: str) -> Any:
    for part in path.split("."):
        config = config.get(part, MISSING) if isinstance(config, dict) else MISSING
    return config


@pytest.mark.parametrize(
    ("keys", "path", "expected"),
    [
        ("", "Image", "i"),
        ("", "Hostname", ""),
        ("", "Cmd", None),
        ("", "Healthcheck", MISSING),
        ("", "StopTimeout", MISSING),
        ("", "HostConfig.Init", MISSING),
        ("", "HostConfig.Memory", MISSING),
        ("", "HostConfig.NetworkMode", "p_default"),
        ("hostname: h", "Hostname", "h"),
        ("domainname: d", "Domainname", "d"),
        ("user: '1000:5'", "User", "1000:5"),
        ("tty: true", "Tty", True),
        ("stdin_open: true", "OpenStdin", True),
        ("environment: {A: '1', B: ''}", "Env", ["A=1", "B="]),
        ("command: [a, b]", "Cmd", ["a", "b"]),
        ("command: []", "Cmd", []),
        ("entrypoint: a b", "Entrypoint", ["a", "b"]),
        ("working_dir: /w", "WorkingDir", "/w"),
        ("stop_signal: SIGINT", "StopSignal", "SIGINT"),
        ("stop_grace_period: 1500ms", "StopTimeout", 1),
        ("expose: ['7000', '7001/udp']", "ExposedPorts", {"7000": {}, "7001/udp": {}}),
        ("ports: ['8000']", "HostConfig.PortBindings", {"8000/tcp": [{"HostIp": "", "HostPort": ""}]}),
        (
            "ports: ['127.0.0.1:80:8000/udp']",
            "HostConfig.PortBindings",
            {"8000/udp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]},
        ),
        (
            "healthcheck: {test: a, interval: 1s, timeout: 2s, retries: 3, start_period: 4s}",
            "Healthcheck",
            {
                "Test": ["CMD-SHELL", "a"],
                "Interval": 1_000_000_000,
                "Timeout": 2_000_000_000,
                "Retries": 3,
                "StartPeriod": 4_000_000_000,
            },
        ),
        ("healthcheck: {disable: true}", "Healthcheck.Test", ["NONE"]),
        ("restart: 'on-failure:3'", "HostConfig.RestartPolicy.MaximumRetryCount", 3),
        ("restart: always", "HostConfig.RestartPolicy", {"Name": "always", "MaximumRetryCount": 0}),
        ("network_mode: host", "HostConfig.NetworkMode", "host"),
        ("network_mode: none", "NetworkingConfig.EndpointsConfig", {}),
        ("init: true", "HostConfig.Init", True),
        ("init: false", "HostConfig.Init", False),
        ("privileged: true", "HostConfig.Privileged", True),
        ("read_only: true", "HostConfig.ReadonlyRootfs", True),
        ("cap_add: [A]", "HostConfig.CapAdd", ["A"]),
        ("cap_drop: [ALL]", "HostConfig.CapDrop", ["ALL"]),
        ("group_add: ['5']", "HostConfig.GroupAdd", ["5"]),
        ("security_opt: ['no-new-privileges:true']", "HostConfig.SecurityOpt", ["no-new-privileges:true"]),
        ("security_opt: ['systempaths=unconfined']", "HostConfig.MaskedPaths", []),
        ("security_opt: ['systempaths=unconfined']", "HostConfig.SecurityOpt", None),
        ("dns: 1.1.1.1", "HostConfig.Dns", ["1.1.1.1"]),
        ("dns_search: x", "HostConfig.DnsSearch", ["x"]),
        ("dns_opt: [x]", "HostConfig.DnsOptions", ["x"]),
        ("extra_hosts: ['a:1.2.3.4']", "HostConfig.ExtraHosts", ["a:1.2.3.4"]),
        ("sysctls: {a: 1}", "HostConfig.Sysctls", {"a": "1"}),
        ("storage_opt: {size: 1G}", "HostConfig.StorageOpt", {"size": "1G"}),
        ("annotations: {a: b}", "HostConfig.Annotations", {"a": "b"}),
        ("runtime: r", "HostConfig.Runtime", "r"),
        ("isolation: x", "HostConfig.Isolation", "x"),
        ("pid: host", "HostConfig.PidMode", "host"),
        ("ipc: shareable", "HostConfig.IpcMode", "shareable"),
        ("uts: host", "HostConfig.UTSMode", "host"),
        ("userns_mode: host", "HostConfig.UsernsMode", "host"),
        ("cgroup: private", "HostConfig.CgroupnsMode", "private"),
        ("cgroup_parent: /x", "HostConfig.CgroupParent", "/x"),
        ("logging: {driver: d, options: {a: b}}", "HostConfig.LogConfig.Config", {"a": "b"}),
        ("logging: {driver: d}", "HostConfig.LogConfig.Type", "d"),
        ("mem_limit: 1k", "HostConfig.Memory", 1024),
        ("mem_reservation: 1k", "HostConfig.MemoryReservation", 1024),
        ("memswap_limit: 2k", "HostConfig.MemorySwap", 2048),
        ("mem_swappiness: 5", "HostConfig.MemorySwappiness", 5),
        ("cpus: 0.5", "HostConfig.NanoCpus", 500_000_000),
        ("cpu_shares: 5", "HostConfig.CpuShares", 5),
        ("cpu_quota: 5", "HostConfig.CpuQuota", 5),
        ("cpu_period: 5", "HostConfig.CpuPeriod", 5),
        ("cpu_rt_period: 5", "HostConfig.CpuRealtimePeriod", 5),
        ("cpu_rt_runtime: 5", "HostConfig.CpuRealtimeRuntime", 5),
        ("cpuset: '0,1'", "HostConfig.CpusetCpus", "0,1"),
        ("pids_limit: 5", "HostConfig.PidsLimit", 5),
        ("shm_size: 1k", "HostConfig.ShmSize", 1024),
        ("oom_kill_disable: true", "HostConfig.OomKillDisable", True),
        ("oom_score_adj: 5", "HostConfig.OomScoreAdj", 5),
        ("ulimits: {n: 5}", "HostConfig.Ulimits", [{"Name": "n", "Soft": 5, "Hard": 5}]),
        ("ulimits: {n: {soft: 1, hard: 2}}", "HostConfig.Ulimits", [{"Name": "n", "Soft": 1, "Hard": 2}]),
        ("device_cgroup_rules: ['c 1:3 mr']", "HostConfig.DeviceCgroupRules", ["c 1:3 mr"]),
        (
            "devices: ['/dev/a:/dev/b:r']",
            "HostConfig.Devices",
            [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}],
        ),
        ("blkio_config: {weight: 5}", "HostConfig.BlkioWeight", 5),
        (
            "blkio_config: {weight_device: [{path: /dev/a, weight: 5}]}",
            "HostConfig.BlkioWeightDevice",
            [{"Path": "/dev/a", "Weight": 5}],
        ),
        (
            "blkio_config: {device_read_bps: [{path: /dev/a, rate: 1k}]}",
            "HostConfig.BlkioDeviceReadBps",
            [{"Path": "/dev/a", "Rate": 1024}],
        ),
        (
            "deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: all}]}}}",
            "HostConfig.DeviceRequests",
            [{"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": None}],
        ),
        ("tmpfs: [/a, '/b:size=1m']", "HostConfig.Tmpfs", {"/a": "", "/b": "size=1m"}),
        ("volumes: ['/x:/y:ro']", "HostConfig.Binds", ["/x:/y:ro"]),
        ("volumes: ['/x:/y:ro,z']", "HostConfig.Binds", ["/x:/y:ro,z"]),
        (
            "volumes: [{type: bind, source: /x, target: /y, bind: {propagation: shared}}]",
            "HostConfig.Mounts",
            [{"Type": "bind", "Source": "/x", "Target": "/y", "BindOptions": {"Propagation": "shared"}}],
        ),
        (
            "volumes: [{type: tmpfs, target: /y, tmpfs: {size: 5, mode: 448}}]",
            "HostConfig.Mounts",
            [{"Type": "tmpfs", "Target": "/y", "TmpfsOptions": {"SizeBytes": 5, "Mode": 448}}],
        ),
        ("volumes: [/a]", "HostConfig.Mounts", [{"Type": "volume", "Target": "/a", "VolumeOptions": {}}]),
        ("volumes_from: ['container:x:ro']", "HostConfig.VolumesFrom", ["container:x:ro"]),
        ("mac_address: '02:00:00:00:00:01'", "MacAddress", "02:00:00:00:00:01"),
    ],
)  # fmt: skip
def test_a_key_goes_where_the_engine_looks_for_it(
    world: World, keys: str, path: str, expected: object
) -> None:
    assert at(spec(world, keys).config, path) == expected


def test_compose_labels_go_over_the_files_own(world: World) -> None:
    made = spec(world, "labels: {a: mine, b: mine}", labels={"b": "compose"})
    assert made.config["Labels"] == {"a": "mine", "b": "compose"}


NETS = "networks: {one: {}, two: {}}"
JOINED = "networks: {one: {aliases: [x], ipv4_address: 10.0.0.5}, two: {priority: 7}}"


def test_the_network_of_highest_priority_is_first_and_old_engines_join_the_others_later(world: World) -> None:
    made = spec(world, JOINED, top=NETS)
    endpoints = made.config["NetworkingConfig"]["EndpointsConfig"]
    assert made.config["HostConfig"]["NetworkMode"] == "p_two"
    assert endpoints == {"p_two": {"Aliases": ["p-a-1", "a"], "IPAMConfig": {}}}
    assert made.later_networks == {
        "p_one": {"Aliases": ["p-a-1", "a", "x"], "IPAMConfig": {"IPv4Address": "10.0.0.5"}}
    }


def test_new_engines_are_given_all_networks_at_once_with_the_mac_address_on_the_first(world: World) -> None:
    made = spec(world, JOINED + ", mac_address: '02:00:00:00:00:01'", top=NETS, api_version=(1, 44))
    endpoints = made.config["NetworkingConfig"]["EndpointsConfig"]
    assert list(endpoints) == ["p_two", "p_one"]
    assert endpoints["p_two"]["MacAddress"] == "02:00:00:00:00:01"
    assert "MacAddress" not in made.config
    assert made.later_networks == {}


def test_a_name_of_its_own_is_kept_and_aliased(world: World) -> None:
    made = spec(world, "container_name: special")
    assert made.name == "special"
    assert made.config["NetworkingConfig"]["EndpointsConfig"]["p_default"]["Aliases"] == ["special", "a"]


FILES = "secrets: {s: {file: ./s}}\nconfigs: {c: {file: ./c}}\nvolumes: {data: {}}"


def test_secrets_and_configs_are_read_only_files_at_their_usual_places(world: World) -> None:
    keys = "secrets: [s, {source: s, target: other}, {source: s, target: /abs}], configs: [c]"
    mounts = spec(world, keys, top=FILES).config["HostConfig"]["Mounts"]
    assert [(mount["Target"], mount["Source"], mount["ReadOnly"]) for mount in mounts] == [
        ("/run/secrets/s", str(world.folder / "s"), True),
        ("/run/secrets/other", str(world.folder / "s"), True),
        ("/abs", str(world.folder / "s"), True),
        ("/c", str(world.folder / "c"), True),
    ]


def test_a_mount_of_the_file_goes_before_a_secret_at_the_same_path(world: World) -> None:
    keys = "secrets: [{source: s, target: /x}], volumes: ['data:/x']"
    (mount,) = spec(world, keys, top=FILES).config["HostConfig"]["Mounts"]
    assert (mount["Type"], mount["Source"]) == ("volume", "p_data")


def test_inherited_volumes_stand_where_the_file_leaves_them_open(world: World) -> None:
    made = spec(
        world,
        "volumes: [/anon, 'data:/named']",
        top=FILES,
        inherited={"/anon": "old", "/from_image": "kept", "/named": "replaced"},
    )
    assert {mount["Target"]: mount["Source"] for mount in made.config["HostConfig"]["Mounts"]} == {
        "/anon": "old",
        "/from_image": "kept",
        "/named": "p_data",
    }


def test_only_volumes_without_a_name_in_the_file_are_inherited(world: World) -> None:
    project = world.file(f"services: {{a: {{image: i, volumes: [/anon, 'data:/named']}}}}\n{FILES}")
    world.up()
    container = world.engine.container("p-a-1")
    assert set(inherited_volumes(project.services["a"], container)) == {"/anon"}


def test_what_a_service_refers_to_becomes_a_container_and_part_of_its_hash(world: World) -> None:
    project = world.file(
        """
        services:
          a: {image: i}
          b: {image: i, network_mode: "service:a", ipc: "service:a", volumes_from: ["a:ro", "container:x:rw"]}
        """
    )
    service = project.services["b"]
    assert owners(service) == {"a"}
    found = resolve(service, {"a": "id1"})
    assert (found.network_mode, found.ipc, found.pid) == ("container:id1", "container:id1", None)
    assert found.volumes_from == ("id1", "x")
    assert len({service.config_hash, found.config_hash, resolve(service, {"a": "id2"}).config_hash}) == 3
    plain = project.services["a"]
    assert resolve(plain, {}) is plain
    with pytest.raises(NotFound, match="a has no container"):
        resolve(service, {})


def test_a_seccomp_profile_is_sent_as_json(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text('{ "defaultAction": "SCMP_ACT_ALLOW" }')
    assert with_profiles(["seccomp=profile.json", "seccomp:unconfined", "label=x"], tmp_path) == (
        'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
        "seccomp:unconfined",
        "label=x",
    )
    with pytest.raises(ConfigError, match=r"no\.json cannot be read"):
        with_profiles(["seccomp:no.json"], tmp_path)


def test_a_bind_of_the_file_goes_before_a_secret_at_the_same_path(world: World) -> None:
    host = spec(world, "secrets: [s], volumes: ['/x:/run/secrets/s']", top=FILES).config["HostConfig"]
    assert (host["Binds"], host["Mounts"]) == (["/x:/run/secrets/s:rw"], None)


def test_a_one_off_container_has_the_proxies_that_the_service_has(world: World) -> None:
    project = world.file("services: {a: {image: i, environment: {http_proxy: own}}}")
    world.engine.proxies = {"http_proxy": "http://p:1", "no_proxy": "x"}
    observed = observe(world.engine, project)  # type: ignore[arg-type] - stands in for the engine
    applier = Applier(world.engine, project, observed, Silence(), wait_timeout=0)  # type: ignore[arg-type] - as above
    env = applier.oneoff_spec(project.services["a"], "p-a-run-1", "1").config["Env"]
    assert sorted(env) == ["http_proxy=own", "no_proxy=x"]
