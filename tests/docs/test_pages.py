"""What the pages say holds: links lead somewhere, command lines parse, no file is about one machine."""

from __future__ import annotations

import ast
import os
import pwd
import re
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import typer.main
from typer.exceptions import TyperException

from mcpctl.cli.aliases import ALIASES, expand
from mcpctl.cli.app import build_app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]\n]+\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
COMMAND = re.compile(
    r"^\$ ((?:mcpctl|\./bootstrap|\.venv/bin/mcpctl)\b.*)$|`((?:mcpctl|\./bootstrap) [^`]+)`", re.MULTILINE
)
MAKE_TARGETS = {
    *("quick-start", "up", "down", "restart", "logs", "status", "build", "rebuild", "help", "dev", "test"),
    *("aws-validate", "aws-list-profiles", "aws-account-info", "aws-test", "shell-backend", "test-aws"),
    *("health", "stats", "inspect", "logs-backend", "tools-list", "backup"),
    *("clean", "clean-images", "clean-all", "prod-build", "prod-up"),
}
"""The targets of the Makefile that this tool replaces."""
PUBLIC_HOSTS = {"github.com", "localhost", "127.0.0.1"}
"""Hosts that may be named: no package comes from them."""
USUAL_FOLDERS = {
    *map(
        Path,
        ("/", "/app", "/data", "/etc", "/home", "/mnt", "/opt", "/root", "/run", "/srv", "/usr/src", "/var"),
    ),
    Path(tempfile.gettempdir()),
}
"""Folders that files may name even where the checkout stands in one of them."""


def listed() -> list[Path]:
    """Return the files that git holds or would hold."""
    names = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def contents() -> dict[Path, str]:
    return {path: path.read_bytes().decode("utf-8", "replace") for path in listed()}


def pages() -> list[Path]:
    return [path for path in listed() if path.suffix == ".md"]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    broken = []
    for page in pages():
        for found in LINK.finditer(page.read_text(encoding="utf-8")):
            target = (page.parent / found[1]).resolve() if found[1] else page
            heading_missing = found[2] and target.suffix == ".md" and found[2] not in anchors(target)
            if not target.exists() or heading_missing:
                broken.append(f"{page.relative_to(ROOT)}: {found[0]}")
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        for found in LINK.finditer(page.read_text(encoding="utf-8")):
            target = (page.parent / found[1]).resolve()
            waiting += sorted(target.glob("*.md")) if target.is_dir() else [target]
    assert {str(page.relative_to(ROOT)) for page in set(pages()) - reached} == set()


def command_lines() -> Iterator[tuple[str, str]]:
    for page in pages():
        for found in COMMAND.finditer(page.read_text(encoding="utf-8")):
            line = re.split(r"  +#|;", found[1] or found[2])[0].strip()
            yield str(page.relative_to(ROOT)), line


LINES = sorted(set(command_lines()))


def parse(words: list[str]) -> None:
    """Let the command line read ``words`` as it would for a run, without running anything."""
    command: Any = typer.main.get_command(build_app())
    context = command.make_context("mcpctl", expand(words))
    while hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            return
        name, command, left = command.resolve_command(context, rest)
        assert command is not None, f"there is no command {name}"
        context = command.make_context(name, left, parent=context)


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page}: {line}" for page, line in LINES])
def test_every_command_line_of_the_pages_parses(page: str, line: str) -> None:
    program, *words = shlex.split(line)
    if program == "./bootstrap" and words[:1] == ["lock"]:
        return
    try:
        parse(words)
    except typer.Exit as leaving:  # --help and --version answer and leave
        code = leaving.exit_code
    except TyperException as error:
        pytest.fail(f"{page}: {line}: {error.format_message()}")
    else:
        code = 0
    assert code == 0


def test_a_command_line_that_does_not_exist_would_be_noticed() -> None:
    for wrong in (["nonsense"], ["up", "--nonsense"], ["tools", "call"], ["aws", "nonsense"]):
        with pytest.raises(TyperException):
            parse(wrong)
    assert len(LINES) > 60


def test_every_target_of_the_makefile_has_its_row() -> None:
    page = (ROOT / "docs/from-make.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `make ([\w-]+)` \| (.+) \|$", page, re.MULTILINE))
    assert MAKE_TARGETS - documented.keys() == set()
    assert {alias for alias in ALIASES if f"`mcpctl {alias}`" not in documented.get(alias, "")} == set()


def test_every_command_of_the_overview_is_there_and_none_is_missing() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What you get")[2]
    generated = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| \[`(.+?)`\]", generated, re.MULTILINE))
    named = {line.removeprefix("mcpctl ") for line in re.findall(r"`(mcpctl [^`]+)`", readme)}
    with_arguments = {"tools": 2, "exec": 1, "run": 1}
    assert known == {" ".join(name.split()[: with_arguments.get(name.split()[0])]) for name in named}


def package_settings() -> str:
    """Return what this machine's package tools are set to, as far as it can be read."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    files = [
        *(Path("/etc/pip.conf"), Path("/etc/xdg/pip/pip.conf"), home / ".config/pip/pip.conf"),
        *(home / ".pip/pip.conf", home / ".config/uv/uv.toml", Path("/etc/npmrc"), home / ".npmrc"),
        *(Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt").glob("*.d/*"))),
    ]
    readable = [file for file in files if file.is_file() and os.access(file, os.R_OK)]
    variables = [
        value for name, value in os.environ.items() if name.lower().startswith(("pip_", "npm_", "uv_"))
    ]
    return "\n".join([*variables, *(file.read_text("utf-8", "replace") for file in readable)])


def private_hosts(settings: str) -> set[str]:
    """Return the hosts of the URLs in ``settings`` that are not everybody's."""
    urls = re.findall(r"https?://[^\s\"'\];]+", settings)
    return {host for url in urls if (host := urlsplit(url).hostname)} - PUBLIC_HOSTS


def holds(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.~/-]){re.escape(name)}(?![\w-])|//{re.escape(name)}", text) is not None


def test_no_file_names_a_package_registry_of_this_machine() -> None:
    hosts = private_hosts(package_settings())
    wrong = [
        f"{path.relative_to(ROOT)} names {host}"
        for path, text in contents().items()
        for host in hosts
        if holds(text, host)
    ]
    assert wrong == []


def test_a_registry_of_one_machine_would_be_noticed() -> None:
    assert private_hosts("[global]\nindex-url = https://me@packages.test:8443/simple\n") == {"packages.test"}
    assert holds("see https://packages.test/simple", "packages.test")
    assert not holds("see https://my-packages.test/simple", "packages.test")


def test_requirement_files_name_no_index() -> None:
    files = sorted((ROOT / "requirements").glob("*.txt"))
    assert files
    lines = [f"{file.name}: {line}" for file in files for line in file.read_text().splitlines()]
    assert [line for line in lines if re.search(r"https?://|--(extra-)?index-url|--find-links", line)] == []


def test_no_file_holds_the_path_of_this_checkout() -> None:
    places = {ROOT, ROOT.parent} - USUAL_FOLDERS
    wrong = [
        f"{path.relative_to(ROOT)} holds {place}"
        for path, text in contents().items()
        for place in places
        if holds(text, str(place))
    ]
    assert wrong == []


def hint_strings(file: Path) -> Iterator[tuple[int, str]]:
    """Yield what a module gives as `hint=…` or assigns to `hint`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        given = isinstance(node, ast.keyword) and node.arg == "hint"
        assigned = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "hint"
        if (given or assigned) and isinstance(node, ast.keyword | ast.Assign):
            strings = (item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant))
            yield node.lineno, " ".join(item for item in strings if isinstance(item, str))


def hints() -> Iterator[tuple[str, str]]:
    """Yield each command of ours that a hint of the program, or the example of `.env`, tells to type."""
    for file in sorted((ROOT / "mcpctl").rglob("*.py")):
        for line, text in hint_strings(file):
            yield from ((f"{file.relative_to(ROOT)}:{line}", words) for words in told(text))
    yield from ((".env.example", words) for words in told((ROOT / ".env.example").read_text("utf-8")))


def told(text: str) -> list[str]:
    return re.findall(r"\bmcpctl ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", text)


def exists(words: str) -> bool:
    """Tell whether ``words`` begin with a command; what follows may be its arguments or more of the hint."""
    first, _, second = words.partition(" ")
    command = typer.main.get_command(build_app()).commands.get(first)
    if command is None or not hasattr(command, "commands"):
        return command is not None
    return second in command.commands or command.invoke_without_command


def test_every_hint_names_a_command_that_exists() -> None:
    named = list(hints())
    assert len(named) > 15
    assert [f"{place}: mcpctl {words}" for place, words in named if not exists(words)] == []
