"""Write the pinned, hashed requirement files from pyproject.toml; `./bootstrap lock [--upgrade]` runs this.

All sections are resolved together first, so that one version of a package serves every file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from itertools import chain
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = "# Written by `./bootstrap lock` from pyproject.toml.\n"
KEPT_ENVIRONMENT = (
    "PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
)


def sections() -> dict[str, list[str]]:
    """Read what each requirement file has to satisfy."""
    declared = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = declared["project"], declared["dependency-groups"]
    return {
        "build": groups["build"],
        "cli": project["dependencies"],
        "server": project["optional-dependencies"]["server"],
        "sandbox": project["optional-dependencies"]["sandbox"],
        "dev": [*groups["test"], *groups["lint"], *groups["type"], *groups["lock"]],
    }


def resolve(source: Path, target: Path, *options: str) -> None:
    """Resolve `source` into `target`; the machine's own index settings have no say."""
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    subprocess.run(
        [
            *(Path(sys.executable).parent / "uv", "pip", "compile", "--no-config", "--quiet"),
            *("--universal", "--python-version", "3.11", "--generate-hashes"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *(*options, "--output-file", target.name, source.name),
        ],
        check=True,
        cwd=source.parent,
        env={**environment, "HOME": str(source.parent)},
    )


def lock(upgrade: bool) -> None:
    """Resolve everything as one, then each file within that."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        wanted = sections()
        everything = scratch / "everything.in"
        everything.write_text("\n".join(chain.from_iterable(wanted.values())), encoding="utf-8")
        pins = scratch / "everything.txt"
        if not upgrade:
            files = [HERE / f"{section}.txt" for section in wanted]
            pins.write_text(
                "".join(f.read_text(encoding="utf-8") for f in files if f.exists()), encoding="utf-8"
            )
        resolve(everything, pins)
        for section, lines in wanted.items():
            source, target = scratch / f"{section}.in", scratch / f"{section}.txt"
            source.write_text("\n".join(lines), encoding="utf-8")
            resolve(source, target, "--constraint", pins.name)
            (HERE / target.name).write_text(HEADER + target.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    lock("--upgrade" in sys.argv[1:])
