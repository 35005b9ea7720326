"""`inspect --security`: what a container may do that it need not. Pure.

Source: CIS Docker Benchmark 1.6, sections 4 and 5, as docker-bench-security checks them; the rules about AWS
and secrets are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcpctl.compose.output import looks_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Json = dict[str, Any]

STRONG_CAPABILITIES = frozenset(
    {
        *("ALL", "BPF", "DAC_READ_SEARCH", "MKNOD", "NET_ADMIN", "NET_RAW", "PERFMON", "SYSLOG", "SYS_ADMIN"),
        *("SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME"),
    }
)
HOST_FOLDERS = ("/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/sys", "/usr", "/var/lib/docker")
EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what is looked for, not listened on


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied to one container: what was found, why it matters, what to set."""

    name: str
    ok: bool
    message: str
    why: str
    hint: str

    def to_json(self) -> dict[str, object]:
        """Return the form that `inspect --security -o json` prints."""
        return {
            "name": self.name,
            "ok": self.ok,
            "message": self.message,
            "why": self.why,
            "hint": None if self.ok else self.hint,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """``look`` returns what is wrong with a container's inspect document, or nothing."""

    name: str
    look: Callable[[Mapping[str, Any]], str]
    why: str
    hint: str


def check_container(raw: Mapping[str, Any]) -> tuple[Check, ...]:
    """Apply every rule to one answer of ``GET /containers/{id}/json``."""
    found = [(rule, rule.look(raw)) for rule in RULES]
    return tuple(Check(rule.name, not fault, fault or "ok", rule.why, rule.hint) for rule, fault in found)


def _host(raw: Mapping[str, Any], key: str) -> Any:
    return cast("Json", raw["HostConfig"]).get(key)


def _options(raw: Mapping[str, Any]) -> list[str]:
    return [option.replace("=", ":", 1) for option in cast("list[str]", _host(raw, "SecurityOpt") or [])]


def _mounts(raw: Mapping[str, Any]) -> list[Json]:
    return cast("list[Json]", raw.get("Mounts") or [])


def _joined(items: Iterable[str]) -> str:
    return ", ".join(sorted(set(items)))


def _user(raw: Mapping[str, Any]) -> str:
    user = str(raw["Config"].get("User") or "")
    return "" if user.partition(":")[0] not in {"", "0", "root"} else f"runs as {user or 'root'}"


def _privileged(raw: Mapping[str, Any]) -> str:
    return "privileged" if _host(raw, "Privileged") else ""


def _read_only(raw: Mapping[str, Any]) -> str:
    return "" if _host(raw, "ReadonlyRootfs") else "the root file system is writable"


def _capabilities(raw: Mapping[str, Any]) -> str:
    dropped = {name.upper().removeprefix("CAP_") for name in _host(raw, "CapDrop") or ()}
    return "" if "ALL" in dropped else "keeps the engine's default capabilities"


def _strong_capabilities(raw: Mapping[str, Any]) -> str:
    added = {name.upper().removeprefix("CAP_") for name in _host(raw, "CapAdd") or ()}
    return _joined(added & STRONG_CAPABILITIES)


def _no_new_privileges(raw: Mapping[str, Any]) -> str:
    wanted = {"no-new-privileges", "no-new-privileges:true"}
    return "" if wanted & set(_options(raw)) else "may gain privileges by a setuid program"


def _unconfined(raw: Mapping[str, Any]) -> str:
    profiles = {"seccomp:unconfined", "apparmor:unconfined", "label:disable", "systempaths:unconfined"}
    return _joined(profiles & set(_options(raw)))


def _socket(raw: Mapping[str, Any]) -> str:
    sources = (str(mount.get("Source") or "") for mount in _mounts(raw))
    return _joined(source for source in sources if source.endswith(("/docker.sock", "/containerd.sock")))


def _host_folders(raw: Mapping[str, Any]) -> str:
    writable = [mount for mount in _mounts(raw) if mount.get("Type") == "bind" and mount.get("RW")]
    sources = (str(mount["Source"]) for mount in writable)
    return _joined(
        source
        for source in sources
        if source == "/" or any(f"{source}/".startswith(f"{folder}/") for folder in HOST_FOLDERS)
    )


def _propagation(raw: Mapping[str, Any]) -> str:
    shared = {"shared", "rshared"}
    return _joined(str(mount["Destination"]) for mount in _mounts(raw) if mount.get("Propagation") in shared)


def _aws_files(raw: Mapping[str, Any]) -> str:
    return _joined(
        f"{mount['Destination']} is writable"
        for mount in _mounts(raw)
        if mount.get("RW") and str(mount["Destination"]).rstrip("/").endswith("/.aws")
    )


def _namespaces(raw: Mapping[str, Any]) -> str:
    modes = {"NetworkMode": "network", "PidMode": "pid", "IpcMode": "ipc", "UTSMode": "uts"}
    modes |= {"UsernsMode": "user"}
    return _joined(word for key, word in modes.items() if _host(raw, key) == "host")


def _devices(raw: Mapping[str, Any]) -> str:
    return _joined(str(entry["PathOnHost"]) for entry in _host(raw, "Devices") or ())


def _memory(raw: Mapping[str, Any]) -> str:
    return "" if _host(raw, "Memory") else "no limit"


def _cpus(raw: Mapping[str, Any]) -> str:
    return "" if _host(raw, "NanoCpus") or (_host(raw, "CpuQuota") or 0) > 0 else "no limit"


def _pids(raw: Mapping[str, Any]) -> str:
    return "" if (_host(raw, "PidsLimit") or 0) > 0 else "no limit"


def _ports(raw: Mapping[str, Any]) -> str:
    bindings = cast("dict[str, list[Json] | None]", _host(raw, "PortBindings") or {})
    return _joined(
        f"{port} is published on every address"
        for port, entries in bindings.items()
        for entry in entries or ()
        if str(entry.get("HostIp") or "") in EVERYWHERE
    )


def _healthcheck(raw: Mapping[str, Any]) -> str:
    check = cast("Json", raw["Config"].get("Healthcheck") or {})
    return "none" if (check.get("Test") or ["NONE"])[0] == "NONE" else ""


def _secrets(raw: Mapping[str, Any]) -> str:
    pairs = (entry.partition("=") for entry in cast("list[str]", raw["Config"].get("Env") or []))
    return _joined(name for name, _, value in pairs if value and looks_secret(name))


RULES = (
    Rule("user", _user, "root in a container is root on the host where anything else fails", "user: 1000"),
    Rule("privileged", _privileged, "it has every device and capability", "privileged: false"),
    Rule("read-only", _read_only, "an intruder can change the program", "read_only: true, tmpfs: [/tmp]"),
    Rule("capabilities", _capabilities, "few programs need any", "cap_drop: [ALL]"),
    Rule("added capabilities", _strong_capabilities, "each is a way to the host", "take them out of cap_add"),
    Rule(
        "no-new-privileges",
        _no_new_privileges,
        "a flaw in a setuid program becomes root",
        'security_opt: ["no-new-privileges:true"]',
    ),
    Rule("profiles", _unconfined, "the kernel's whole surface is open", "take it out of security_opt"),
    Rule("engine's socket", _socket, "who reaches it is root on the host", "take the mount out of volumes"),
    Rule("host's folders", _host_folders, "what it writes there the host runs", "mount it with :ro"),
    Rule("mount propagation", _propagation, "its mounts appear on the host", "bind.propagation: rprivate"),
    Rule("AWS files", _aws_files, "credentials could be replaced", "mount it with :ro"),
    Rule("host's namespaces", _namespaces, "it sees the host's processes or network", "take the mode out"),
    Rule("devices", _devices, "it can read and write them past the file system", "take it out of devices"),
    Rule("memory", _memory, "one leak takes the host down", "deploy.resources.limits.memory"),
    Rule("cpus", _cpus, "one loop starves the others", "deploy.resources.limits.cpus"),
    Rule("pids", _pids, "a fork bomb takes the host down", "deploy.resources.limits.pids"),
    Rule("ports", _ports, "the network reaches it, past the host's firewall", "127.0.0.1:PORT:PORT"),
    Rule("healthcheck", _healthcheck, "nobody notices when it hangs", "healthcheck.test"),
    Rule("secrets", _secrets, "whoever may inspect the container reads them", "secrets, or a file"),
)
