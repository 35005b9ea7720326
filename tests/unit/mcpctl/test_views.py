"""What people see, in 80 columns: each view drawn from the data that `-o json` prints."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from mcpctl.output import views
from mcpctl.output.building import explanation
from mcpctl.output.logs import LogView
from mcpctl.output.monitoring import usage
from mcpctl.output.outcome import Format
from mcpctl.output.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT = {"host_ip": "127.0.0.1", "host_port": 8000, "container_port": 8000, "protocol": "tcp"}
CONTAINER = {"name": "mcp-router-backend-1", "state": "running", "health": "healthy", "ports": [PORT]}
ENGINE = {"endpoint": "unix:///run/[x].sock", "reason": "the default socket", "version": "26.1.5"}
STATUS = {
    "engine": ENGINE,
    "services": [
        {"service": "backend", "desired": 1, "containers": [CONTAINER]},
        {"service": "frontend", "desired": 1, "containers": []},
        {"service": "worker", "desired": 0, "containers": []},
    ],
}
STEPS = {
    "steps": [
        {"action": "create container", "target": "web-1", "why": ["its image changed", "its ports changed"]},
        {"action": "start container", "target": "web-1", "why": ["it is new"]},
    ]
}
CHECKS: list[dict[str, Any]] = [
    {"name": "region", "ok": True, "message": "us-east-1", "hint": None},
    {"name": "credentials", "ok": False, "message": "expired [bold]", "hint": "aws sso login"},
]
IDENTITY = {
    "valid": True,
    "account": "123456789012",
    "arn": "arn:aws:iam::123456789012:user/demo",
    "user_id": None,
    "source": "sandbox",
    "region": "us-east-1",
    "sandbox": True,
    "checks": CHECKS,
}
TOOLS = {"tools": [{"name": "aws/validate-credentials", "title": "Validate AWS credentials"}]}
CASES: list[tuple[str, Mapping[str, Any], str]] = []


def case(view: str, data: Mapping[str, Any], text: str) -> None:
    CASES.append((view, data, text))


case(
    "plan",
    STEPS,
    """\
create container web-1
    its image changed
    its ports changed
start container web-1
    it is new
""",
)
case("plan", {"steps": []}, "nothing to do\n")
case(
    "plan",
    {
        "steps": [
            {
                "action": "create container",
                "target": "web-1",
                "why": [f"environment.A: {'x' * 60} -> {'y' * 80}"],
            }
        ]
    },
    f"create container web-1\n    environment.A: {'x' * 60}\n    -> {'y' * 73}\n    {'y' * 7}\n",
)
case("up", {"steps": [], "services": []}, "nothing changed\n")
case("down", {"steps": []}, "nothing was running\n")
case(
    "down",
    {"steps": [{"action": "stop container", "target": "a"}, {"action": "remove container", "target": "a"}]},
    "1 removed\n",
)
case(
    "status",
    STATUS,
    """\
service    state         container              ports
──────────────────────────────────────────────────────────────────────
backend    healthy       mcp-router-backend-1   127.0.0.1:8000 -> 8000
frontend   not created
worker     scaled to 0
Docker Engine 26.1.5 at unix:///run/[x].sock (the default socket)
""",
)
case(
    "health",
    {
        "services": [
            {
                "service": "backend",
                "healthy": True,
                "status": "healthy",
                "latency_ms": 41.5,
                "detail": "http://127.0.0.1:8000/health: HTTP/1.1 200 OK",
            },
            {
                "service": "frontend",
                "healthy": False,
                "status": "unhealthy",
                "latency_ms": None,
                "detail": "a detail that is longer than what is left of the line, so it goes on below",
            },
        ]
    },
    """\
service    health      latency   detail
────────────────────────────────────────────────────────────────────────────────
backend    healthy     41.5 ms   http://127.0.0.1:8000/health: HTTP/1.1 200 OK
frontend   unhealthy             a detail that is longer than what is left of
                                 the line, so it goes on below
""",
)
case(
    "checks",
    {
        "checks": [
            *CHECKS,
            {"name": "disk", "ok": False, "message": "little", "hint": f"rm {'a ' * 40}", "level": "warning"},
        ]
    },
    f"""\
ok   region: us-east-1
FAIL credentials: expired [bold]
       next: aws sso login
warn disk: little
       next: rm {("a " * 40).rstrip()}
""",
)
case(
    "validation",
    IDENTITY,
    """\
SANDBOX: this is not AWS
account  123456789012
arn      arn:aws:iam::123456789012:user/demo
source   sandbox
region   us-east-1
ok   region: us-east-1
FAIL credentials: expired [bold]
       next: aws sso login
valid
""",
)
case(
    "aws_pairs",
    {"account": "123456789012", "aliases": [], "regions": ["eu-west-1", "us-east-1"], "sandbox": False},
    """\
account  123456789012
aliases  -
regions  eu-west-1, us-east-1
""",
)
case(
    "pairs",
    {"version": "27.1", "context": None, "ready": True, "files": [{"path": "/a", "exists": False}]},
    """\
version  27.1
context  -
ready    yes
files    path=/a, exists=no
""",
)
case("profiles", {"profiles": []}, "no profiles; next: aws configure\n")
case(
    "profiles",
    {
        "profiles": [
            {
                "name": "dev",
                "source": "sso",
                "region": "eu-west-1",
                "role_arn": None,
                "problem": "not signed in: aws sso login",
            }
        ]
    },
    """\
profile   source   region      role   problem
──────────────────────────────────────────────────────────────────
dev       sso      eu-west-1          not signed in: aws sso login
""",
)
case(
    "tools",
    TOOLS,
    """\
tool                       title
───────────────────────────────────────────────────
aws/validate-credentials   Validate AWS credentials
""",
)
case(
    "tool_result",
    {"name": "Zoë [red]", "sandbox": True},
    """\
SANDBOX: this is not AWS
{
  "name": "Zoë [red]",
  "sandbox": true
}
""",
)
case(
    "arrival",
    {
        "sandbox": True,
        "urls": {"backend": "http://127.0.0.1:8000", "frontend": "http://127.0.0.1:8080"},
        "credentials": IDENTITY,
    },
    """\
╭──────── SANDBOX: healthy, this is not AWS ────────╮
│ tool service  http://127.0.0.1:8000               │
│ MCP           http://127.0.0.1:8000/mcp           │
│ web page      http://127.0.0.1:8080               │
│ account       123456789012                        │
│ identity      arn:aws:iam::123456789012:user/demo │
│ credentials   sandbox                             │
│ region        us-east-1                           │
│                                                   │
│ next: mcpctl tools list                           │
│       mcpctl aws validate                         │
│       mcpctl logs -f                              │
│       mcpctl down                                 │
╰───────────────────────────────────────────────────╯
""",
)


def drawn(view: str, data: Mapping[str, Any], capfd: pytest.CaptureFixture[str]) -> str:
    getattr(views, view)(Writer().console(), data)
    return "".join(f"{line.rstrip()}\n" for line in capfd.readouterr().out.splitlines())


@pytest.mark.parametrize(("view", "data", "text"), CASES, ids=[view for view, _, _ in CASES])
def test_a_view_looks_like_this(
    view: str, data: Mapping[str, Any], text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert drawn(view, data, capfd) == text


@pytest.mark.parametrize(("view", "data"), [case[:2] for case in CASES], ids=[view for view, _, _ in CASES])
def test_a_view_looks_the_same_where_another_program_reads(
    view: str, data: Mapping[str, Any], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10000")
    on_a_wide_terminal = drawn(view, data, capfd)
    monkeypatch.delenv("COLUMNS")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert drawn(view, data, capfd) == on_a_wide_terminal


def test_every_view_has_its_picture() -> None:
    public = {
        name
        for name, thing in inspect.getmembers(views, inspect.isfunction)
        if thing.__module__ == views.__name__ and not name.startswith("_")
    }
    assert public - {view for view, _, _ in CASES} == {"say"}


def test_what_another_program_reads_is_not_cut(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {**CONTAINER, "name": "a" * 100}
    data = {"services": [{"service": "backend", "desired": 1, "containers": [long]}], "engine": ENGINE}
    assert "a" * 100 not in drawn("status", data, capfd)
    monkeypatch.delenv("COLUMNS")
    assert "a" * 100 in drawn("status", data, capfd)


def test_what_is_copied_from_a_terminal_is_not_broken_by_its_width(capfd: pytest.CaptureFixture[str]) -> None:
    command = "docker run --rm " + "--volume /a/very/long/path:/another/very/long/path " * 3
    views.say(Writer().console(), command)
    assert capfd.readouterr().out == f"{command}\n"


@pytest.mark.parametrize(
    ("form", "timestamps", "text"),
    [
        (Format.HUMAN, False, "web-1  | [red]hot[/red]\n"),
        (Format.HUMAN, True, "web-1  | 2026-01-02T03:04:05.000000006Z [red]hot[/red]\n"),
        (
            Format.JSON,
            False,
            (
                '{"service": "web", "container": "web-1", "timestamp": "2026-01-02T03:04:05.000000006Z", '
                '"text": "[red]hot[/red]"}\n'
            ),
        ),
    ],
)
def test_a_log_line_is_shown_as_it_came(
    form: Format, timestamps: bool, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    line = {
        "service": "web",
        "container": "web-1",
        "timestamp": "2026-01-02T03:04:05.000000006Z",
        "text": "[red]hot[/red]",
    }
    LogView(Writer(format=form), ("web",), timestamps=timestamps).line(line)
    assert capfd.readouterr().out == text


def test_a_build_argument_of_many_lines_takes_one() -> None:
    image = {
        "image": "i", "state": "missing", "service": "a", "problem": None, "target": None, "dockerfile": "d",
        "context": "c", "files": 1, "bytes": 1, "needed": None, "ignore_file": None, "secrets": [],
        "args": {"MCP_CA_BUNDLE": "-----BEGIN\nx\n-----END\n", "EMPTY": ""}, "platform": None,
        "base_images": [],
    }  # fmt: skip
    console = Writer().rich_console()
    with console.capture() as drawn:
        explanation(console, {"builder": {"name": "classic", "reason": "r"}, "images": [image]})
    arguments = [line.split(maxsplit=1)[1] for line in drawn.get().splitlines() if " argument " in line]
    assert arguments == ["MCP_CA_BUNDLE=-----BEGIN …", "EMPTY="]


def test_usage_fits_into_eighty_columns_with_nothing_cut_off() -> None:
    item = {
        "container": "p-aws-sandbox-1", "service": "aws-sandbox", "cpu_percent": 100.12,
        "memory_bytes": 123456789, "memory_limit_bytes": 8e9, "memory_percent": 12.34, "pids": 1234,
        "network_received_bytes": 123456, "network_sent_bytes": 1234567,
        "block_read_bytes": 12345678, "block_written_bytes": 1e9,
    }  # fmt: skip
    console = Console(width=80)
    with console.capture() as drawn:
        usage(console, {"containers": [item]})
    text = drawn.get()
    assert "…" not in text
    assert all(word in text for word in ("100.12%", "12.34%", "1234", "7.451GiB", "1.23MB", "1GB"))
