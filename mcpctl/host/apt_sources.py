"""Read from apt's own configuration where this machine gets its distribution from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.errors import McpctlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpctl.host.distribution import Host

COMPONENTS = {"debian": "main", "ubuntu": "main universe"}
_ONE_LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)"
)
_MIRROR_FILE = re.compile(r"mirror\+file:/*(?P<path>/.+)")


@dataclass(frozen=True, slots=True)
class Source:
    """One archive of binary packages: where, which suite, which components."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """The distribution's archive as this machine uses it: the release itself, then its updates."""

    distribution: str
    codename: str
    sources: tuple[Source, ...]

    @property
    def mirror(self) -> str:
        """Give the address that the release itself comes from."""
        return self.sources[0].uri

    @property
    def components(self) -> str:
        """Give the components to bootstrap from; Ubuntu keeps python3-venv in ``universe``."""
        return COMPONENTS[self.distribution].replace(" ", ",")

    def one_line(self, keyring: str) -> str:
        """Write the archive as a ``sources.list`` signed by ``keyring``."""
        components = COMPONENTS[self.distribution]
        lines = (f"deb [signed-by={keyring}] {s.uri} {s.suite} {components}\n" for s in self.sources)
        return "".join(lines)


def archive(host: Host, root: Path = Path("/")) -> Archive | None:
    """Give the distribution's archive, or None where the distribution is neither Debian nor Ubuntu.

    Raises McpctlError where apt names no archive of this release.
    """
    distribution = next((name for name in host.family if name in COMPONENTS), None)
    if distribution is None or not host.codename:
        return None
    wanted = [host.codename, f"{host.codename}-updates", f"{host.codename}-security"]
    found: dict[str, Source] = {}
    for source in _configured(root):
        if source.suite in wanted and _official(source, distribution):
            found.setdefault(source.suite, source)
    if host.codename not in found:
        raise McpctlError(
            f"apt on this machine names no archive of {distribution} {host.codename}",
            hint="add it to /etc/apt/sources.list, or set MCP_BASE_IMAGE to an image that this machine has",
            details={"suite": host.codename},
        )
    return Archive(distribution, host.codename, tuple(found[suite] for suite in wanted if suite in found))


def _official(source: Source, distribution: str) -> bool:
    """Tell the distribution's archive from another vendor's under the same suite name."""
    if "main" not in source.components:
        return False
    if source.signed_by and f"{distribution}-archive" not in source.signed_by:
        return False
    segments = source.uri.rstrip("/").split("/")[3:]
    return any(part == distribution or part.startswith(f"{distribution}-") for part in segments)


def _configured(root: Path) -> Iterator[Source]:
    apt = root / "etc/apt"
    for path in (apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parse = {".list": _parse_lines, ".sources": _parse_deb822}.get(path.suffix)
        for source in parse(text) if parse else ():
            yield from _resolve_mirror(source, root)


def _parse_lines(text: str) -> Iterator[Source]:
    """Parse the one-line format of sources.list(5)."""
    for line in text.splitlines():
        match = _ONE_LINE.match(line.partition("#")[0].strip())
        if match:
            options = (option.partition("=") for option in (match["options"] or "").split())
            components = tuple(match["components"].split())
            yield Source(
                match["uri"],
                match["suite"],
                components,
                next((v for k, _, v in options if k == "signed-by"), ""),
            )


def _parse_deb822(text: str) -> Iterator[Source]:
    """Parse the deb822 format of sources.list(5)."""
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", uncommented):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes") in {"no", "false"}:
            continue
        components = tuple(fields.get("components", "").split())
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, components, fields.get("signed-by", ""))


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line[:1].isspace() and name:
            fields[name] += " " + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _resolve_mirror(source: Source, root: Path) -> Iterator[Source]:
    """Follow ``mirror+file:``, which cloud images use, to the first address in the file."""
    match = _MIRROR_FILE.match(source.uri)
    if not match:
        yield source
        return
    try:
        text = (root / match["path"].lstrip("/")).read_text(encoding="utf-8")
    except OSError:
        return
    addresses = [line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for uri in addresses[:1]:
        yield Source(uri, source.suite, source.components, source.signed_by)
