"""Every key of a service, with a value and what a plan says when it is added to a service and taken away."""

from __future__ import annotations

from dataclasses import dataclass

UNSEEN = "the configuration changed"


@dataclass(frozen=True)
class Key:
    """``name`` is the key in the file, ``text`` a service with it, ``value`` how reasons show it.

    ``told`` is the name in reasons where it differs; ``without`` is the service without the key where that is
    more than an image and a command. ``removed`` is what is told of its removal where nothing shows what it
    was, ``added`` likewise. ``by_engine`` is the key's value as some engine may make it.
    """

    name: str
    text: str
    value: str = ""
    told: str = ""
    without: str = ""
    removed: str = ""
    added: str = ""

    @property
    def reason_to_add(self) -> str:
        return self.added or f"{self.told or self.name}: unset -> {self.value}"

    @property
    def reason_to_remove(self) -> str:
        return self.removed or f"{self.told or self.name}: {self.value} -> unset"


TOP = """
volumes: {vol: {}}
networks: {n: {}, m: {}}
secrets: {s: {file: ./file}}
configs: {c: {file: ./file}}
"""
BASE = ("init: true", "command: [run]")
CHECK = "healthcheck: {test: [CMD, 'true']"
JOINED = "networks: {n: {}}"


def service(words: str) -> str:
    """Return a service with these keys over an image, ``init`` and a command."""
    own = {part.partition(":")[0] for part in words.split(", ")}
    given = [part for part in ("image: IMAGE", *BASE) if part.partition(":")[0] not in own]
    return "{" + ", ".join([*given, words] if words else given) + "}"


KEYS = (
    Key("cap_add", "cap_add: [NET_ADMIN]", "NET_ADMIN"),
    Key("cap_drop", "cap_drop: [MKNOD, CHOWN]", "CHOWN, MKNOD"),
    Key("cgroup", "cgroup: host", "host", removed=UNSEEN),
    Key("cgroup_parent", "cgroup_parent: /mcpctl-test-group", "/mcpctl-test-group"),
    Key("command", "command: [sleep, '300', '--token=x']", added="command: run -> sleep 300 --token=***",
        removed="command: sleep 300 --token=*** -> run"),
    Key("configs", "configs: [{source: c, target: /c}]", "PATH/file (ro)", "configs./c"),
    Key("container_name", "container_name: NAME-special", added="", told="container_name"),
    Key("cpu_period", "cpu_period: 50000", "50000"),
    Key("cpu_quota", "cpu_quota: 50000", "50000"),
    Key("cpu_shares", "cpu_shares: 100", "100"),
    Key("cpus", "cpus: 0.5", "0.5"),
    Key("cpuset", "cpuset: '0'", "0"),
    Key("depends_on", "depends_on: {base: {condition: service_healthy, restart: true}}",
        "service_healthy with restart", "depends_on.base"),
    Key("deploy.resources.limits.memory", "deploy: {resources: {limits: {memory: 64m}}}", "67108864",
        removed="mem_limit: 67108864 -> unset"),
    Key("device_cgroup_rules", "device_cgroup_rules: ['c 1:3 mr']", "c 1:3 mr"),
    Key("devices", "devices: ['/dev/null:/dev/mynull:r']", "/dev/null:/dev/mynull:r"),
    Key("dns", "dns: [1.1.1.1]", "1.1.1.1"),
    Key("dns_opt", "dns_opt: ['ndots:2']", "ndots:2"),
    Key("dns_search", "dns_search: [example.org]", "example.org"),
    Key("domainname", "domainname: example.org", "example.org"),
    Key("entrypoint", "entrypoint: [sleep]", "sleep"),
    Key("environment", "environment: {A: '1'}", "1", "environment.A"),
    Key("environment of a secret", "environment: {MY_TOKEN: hush}", "***", "environment.MY_TOKEN"),
    Key("environment of a URL", "environment: {U: 'http://me:hush@host/'}", "http://me:***@host/",
        "environment.U"),
    Key("environment of nothing", "environment: {E: ''}", '""', "environment.E"),
    Key("expose", "expose: ['7000']", "exposed", "expose.7000/tcp"),
    Key("extra_hosts", "extra_hosts: ['foo:1.2.3.4']", "foo:1.2.3.4"),
    Key("group_add", "group_add: ['5']", "5"),
    Key("healthcheck", f"{CHECK}}}", "true", "healthcheck.test"),
    Key("healthcheck.interval", f"{CHECK}, interval: 3s}}", "3s", without=f"{CHECK}}}"),
    Key("healthcheck.timeout", f"{CHECK}, timeout: 90s}}", "90s", without=f"{CHECK}}}"),
    Key("healthcheck.start_period", f"{CHECK}, start_period: 3s}}", "3s", without=f"{CHECK}}}"),
    Key("healthcheck.retries", f"{CHECK}, retries: 3}}", "3", without=f"{CHECK}}}"),
    Key("healthcheck.disable", "healthcheck: {disable: true}", "disabled", "healthcheck.test"),
    Key("hostname", "hostname: me", "me"),
    Key("image", "image: IMAGE-other", "IMAGE-other", removed="image: IMAGE-other -> IMAGE",
        added="image: IMAGE -> IMAGE-other"),
    Key("init", "init: false", removed="init: false -> true", added="init: true -> false"),
    Key("ipc", "ipc: shareable", "shareable"),
    Key("isolation", "isolation: default", removed=UNSEEN, added=UNSEEN),
    Key("labels", "labels: {a.b: c}", "c", "labels.a.b"),
    Key("links", "links: ['base:alias'], depends_on: [base]", "base:alias", without="depends_on: [base]"),
    Key("logging", "logging: {driver: local}", "local", "logging.driver"),
    Key("logging.options", "logging: {driver: json-file, options: {max-size: 1m}}", "1m",
        "logging.options.max-size"),
    Key("mac_address", "mac_address: '02:42:ac:11:65:43'", "02:42:ac:11:65:43"),
    Key("mem_limit", "mem_limit: 64m", "67108864"),
    Key("mem_reservation", "mem_reservation: 32m", "33554432"),
    Key("mem_swappiness", "mem_swappiness: 10", "10"),
    Key("memswap_limit", "mem_limit: 64m, memswap_limit: 64m", "67108864", without="mem_limit: 64m"),
    Key("network_mode", "network_mode: none",
        removed="network_mode: none -> unset;networks.default: unset -> joined",
        added="network_mode: unset -> none;networks.default: joined -> unset"),
    Key("networks", "networks: {n: {}, m: {}}", "joined", "networks.m", without=JOINED),
    Key("networks.aliases", "networks: {n: {aliases: [al]}}", "al", "networks.n.aliases", without=JOINED),
    Key("networks.driver_opts", "networks: {n: {driver_opts: {a: b}}}", "b", "networks.n.driver_opts.a",
        without=JOINED),
    Key("oom_kill_disable", "oom_kill_disable: true", "true"),
    Key("oom_score_adj", "oom_score_adj: 100", "100"),
    Key("pid", "pid: host", "host"),
    Key("pids_limit", "pids_limit: 20", "20"),
    Key("ports", "ports: ['127.0.0.1:0:80']", "127.0.0.1:0", "ports.80/tcp"),
    Key("privileged", "privileged: true", "true"),
    Key("read_only", "read_only: true", "true"),
    Key("restart", "restart: unless-stopped", "unless-stopped"),
    Key("restart with a count", "restart: 'on-failure:2'", "on-failure:2", "restart"),
    Key("deploy.restart_policy", "deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}",
        "on-failure:3", "restart"),
    Key("runtime", "runtime: runc", removed=UNSEEN, added=UNSEEN),
    Key("secrets", "secrets: [s]", "PATH/file (ro)", "secrets./run/secrets/s"),
    Key("security_opt", "security_opt: ['no-new-privileges:true']", "no-new-privileges=true"),
    Key("security_opt of paths", "security_opt: ['systempaths=unconfined']", "systempaths=unconfined",
        "security_opt"),
    Key("shm_size", "shm_size: 32m", "33554432"),
    Key("stdin_open", "stdin_open: true", "true"),
    Key("stop_grace_period", "stop_grace_period: 3s", "3s"),
    Key("stop_signal", "stop_signal: SIGINT", "SIGINT"),
    Key("sysctls", "sysctls: {net.core.somaxconn: '100'}", "100", "sysctls.net.core.somaxconn"),
    Key("tmpfs", "tmpfs: ['/t:size=1m']", "size=1m", "tmpfs./t"),
    Key("tty", "tty: true", "true"),
    Key("ulimits", "ulimits: {nofile: {soft: 100, hard: 200}}", "100:200", "ulimits.nofile"),
    Key("user", "user: '5'", "5"),
    Key("userns_mode", "userns_mode: host", "host"),
    Key("uts", "uts: host", "host"),
    Key("volumes", "volumes: ['vol:/v:ro']", "vol (ro)", "volumes./v"),
    Key("volumes of a bind", "volumes: ['./:/b']", "PATH", "volumes./b"),
    Key("volumes of tmpfs", "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1000000}}]",
        "(tmpfs) (size=1000000)", "volumes./t"),
    Key("volumes without a name", "volumes: [/anon]", "(anonymous)", "volumes./anon"),
    Key("volumes.nocopy", "volumes: [{type: volume, source: vol, target: /v, volume: {nocopy: true}}]",
        removed="volumes./v: vol (nocopy) -> vol", added="volumes./v: vol -> vol (nocopy)",
        without="volumes: ['vol:/v']"),
    Key("volumes_from", "volumes_from: [base], depends_on: [base]", "CONTAINER",
        without="depends_on: [base]"),
    Key("working_dir", "working_dir: /srv", "/srv"),
)  # fmt: skip
"""One key more or less, and nothing else."""

ENGINES_DIFFER = {
    "annotations": "engines before API 1.43 do not know them",
    "blkio_config": "needs a block device, or a kernel with the weight",
    "cpu_rt_period": "needs a kernel with real-time groups",
    "cpu_rt_runtime": "likewise",
    "storage_opt": "needs a file system with project quotas",
}
"""Keys that not every engine accepts: told by unit tests alone."""

IN_MEMORY = (
    Key("annotations", "annotations: {a: b}", "b", "annotations.a"),
    Key("blkio_config", "blkio_config: {weight: 300}", "300", "blkio_config.weight"),
    Key("blkio_config.device_read_bps", "blkio_config: {device_read_bps: [{path: /dev/x, rate: 1mb}]}",
        "/dev/x=1048576"),
    Key("cpu_rt_period", "cpu_rt_period: 1000", "1000"),
    Key("cpu_rt_runtime", "cpu_rt_runtime: 1000", "1000"),
    Key("storage_opt", "storage_opt: {size: 1G}", "1G", "storage_opt.size"),
    Key("deploy.resources.reservations.devices",
        "deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: 2}]}}}", "count=2 gpu"),
    Key("healthcheck.start_interval", f"{CHECK}, start_period: 3s, start_interval: 2s}}", "2s",
        without=f"{CHECK}, start_period: 3s}}"),
    Key("volumes.subpath", "volumes: [{type: volume, source: vol, target: /v, volume: {subpath: a}}]",
        removed="volumes./v: vol (subpath=a) -> vol", added="volumes./v: vol -> vol (subpath=a)",
        without="volumes: ['vol:/v']"),
    Key("networks.ipv4_address", "networks: {n: {ipv4_address: 10.1.2.3}}", "10.1.2.3",
        "networks.n.ipv4_address", without=JOINED),
    Key("networks.ipv6_address", "networks: {n: {ipv6_address: 'fd00::3'}}", "fd00::3",
        "networks.n.ipv6_address", without=JOINED),
    Key("networks.link_local_ips", "networks: {n: {link_local_ips: [169.254.1.1]}}", "169.254.1.1",
        "networks.n.link_local_ips", without=JOINED),
)  # fmt: skip

NO_TRACE = {
    "attach": "attach: false",
    "develop": "develop: {watch: [{path: ., action: rebuild}]}",
    "platform": "platform: linux/amd64",
    "profiles": "profiles: [p]",
}
"""Keys that a container does not show: that one came is told, that one went or changed is not."""

NOT_COMPARED = {"build", "pull_policy", "scale"}
"""Keys that compose's own hash leaves out: changing them recreates nothing."""

ELSEWHERE = {"deploy", "env_file", "label_file"}
"""``deploy`` has its own keys; the others are told as what they bring, ``environment`` and ``labels``."""
