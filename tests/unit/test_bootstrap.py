from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "bootstrap"
# Stands for every Python: notes what it is asked, makes a .venv of itself, leaves the locking to a real one.
FAKE_PYTHON = f"""\
#!/bin/sh
case "$*" in
    *fcntl*) exec {sys.executable} "$@" ;;
    *"sys.version_info <"*) exit "${{FAKE_TOO_OLD:-0}}" ;;
    *"import ensurepip"*) [ -e "$FAKE_STATE/has-venv" ]; exit ;;
    *"python%d.%d-venv"*) echo python3.99-venv; exit ;;
esac
echo "$*" >> "$FAKE_STATE/asked"
case "$*" in
    *"-m venv"*)
        for venv; do :; done
        mkdir -p "$venv/bin" "$venv/lib"
        cp "$0" "$venv/bin/python"
        printf '#!/bin/sh\\nprintf "mcpctl"; printf " <%%s>" "$@"; echo\\n' > "$venv/bin/mcpctl"
        chmod +x "$venv/bin/mcpctl" ;;
    *"pip "*cli.txt*) [ ! -e "$FAKE_STATE/broken" ] ;;
esac
"""
APT_GET = """\
#!/bin/sh
echo "apt-get $*" >> "$FAKE_STATE/asked"
case "$*" in *install*) : > "$FAKE_STATE/has-venv" ;; esac
"""
TOOLS = ("sh", "cat", "cksum", "cp", "env", "id", "mkdir", "mv", "readlink", "rm", "chmod")


class Checkout:
    """A checkout with stand-ins for Python and apt-get, and nothing else but the basic tools on PATH."""

    def __init__(self, top: Path) -> None:
        self.root = top / "a check out"
        self.state = top / "state"
        self.bin = top / "bin"
        for directory in (self.root / "requirements", self.root / "mcpctl", self.state, self.bin):
            directory.mkdir(parents=True)
        shutil.copy2(SOURCE, self.root / "bootstrap")
        (self.root / "pyproject.toml").write_text("x")
        (self.root / "requirements/cli.txt").write_text("x")
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        self.program("python3.12", FAKE_PYTHON)
        (self.state / "has-venv").touch()

    def program(self, name: str, text: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run(
        self, *arguments: str, script: Path | None = None, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "HOME": "", "FAKE_STATE": str(self.state), **more}
        return subprocess.run(
            [str(script or self.root / "bootstrap"), *arguments],
            cwd=cwd or self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        """What the stand-ins were asked since the last look."""
        file = self.state / "asked"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def installed(self) -> list[str]:
        """The requirement files that were installed since the last look, in order."""
        return [Path(line).stem for line in self.asked if line.endswith(".txt")]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_run_installs_and_hands_over(checkout: Checkout):
    done = checkout.run("quick-start", "--yes", "with space")
    assert (done.returncode, done.stdout) == (0, "mcpctl <quick-start> <--yes> <with space>\n")
    assert checkout.installed() == ["build", "cli"]


def test_everything_is_installed_with_hashes_and_byte_compiled(checkout: Checkout):
    checkout.run("status", PYTHONDONTWRITEBYTECODE="1")
    asked = checkout.asked
    assert all("--require-hashes" in line for line in asked if line.endswith(".txt"))
    assert any(line.endswith(f"--no-deps --no-build-isolation -e {checkout.root}") for line in asked)
    assert any("compileall" in line for line in asked)


def test_the_second_run_starts_no_python_but_the_commands(checkout: Checkout):
    checkout.run("status")
    assert checkout.asked
    done = checkout.run("status")
    assert (done.stdout, done.stderr) == ("mcpctl <status>\n", "")
    assert checkout.asked == []


def test_what_bootstrap_says_stays_off_stdout(checkout: Checkout):
    done = checkout.run("status", "-o", "json")
    assert done.stdout == "mcpctl <status> <-o> <json>\n"
    assert "installing" in done.stderr


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements/cli.txt"])
def test_a_changed_dependency_file_installs_again(checkout: Checkout, file: str):
    checkout.run("status")
    assert checkout.asked
    (checkout.root / file).write_text("y")
    checkout.run("status")
    assert checkout.installed() == ["build", "cli"]


def test_a_checkout_that_moved_installs_again(checkout: Checkout):
    checkout.run("status")
    assert checkout.asked
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert checkout.run("status").returncode == 0
    assert checkout.installed() == ["build", "cli"]


def test_a_python_that_is_gone_installs_again(checkout: Checkout):
    checkout.run("status")
    assert checkout.asked
    (checkout.root / ".venv/bin/python").unlink()
    checkout.run("status")
    assert any("-m venv" in line for line in checkout.asked)


def test_an_install_that_failed_is_done_again(checkout: Checkout):
    (checkout.state / "broken").touch()
    failed = checkout.run("status")
    assert failed.returncode == 1
    assert "could not install requirements/cli.txt" in failed.stderr
    assert checkout.asked
    (checkout.state / "broken").unlink()
    assert checkout.run("status").stdout == "mcpctl <status>\n"
    assert checkout.installed() == ["build", "cli"]


def test_test_installs_what_the_tests_need_once(checkout: Checkout):
    checkout.run("status")
    assert checkout.asked
    assert checkout.run("test", "-k", "x").stdout == "mcpctl <test> <-k> <x>\n"
    assert checkout.installed() == ["build", "cli", "server", "sandbox", "dev"]
    checkout.run("test")
    checkout.run("status")
    assert checkout.asked == []


def test_lock_runs_the_lock_script(checkout: Checkout):
    checkout.run("lock", "--upgrade")
    assert checkout.asked[-1] == f"{checkout.root}/requirements/lock.py --upgrade"


def test_several_at_once_install_once(checkout: Checkout):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: checkout.run("status"), range(4)))
    assert [run.stdout for run in done] == ["mcpctl <status>\n"] * 4
    assert checkout.installed() == ["build", "cli"]


def test_it_works_through_links_from_another_directory(checkout: Checkout, tmp_path: Path):
    (tmp_path / "one").symlink_to(checkout.root / "bootstrap")
    (tmp_path / "two").symlink_to("one")
    done = checkout.run("status", script=tmp_path / "two", cwd=tmp_path)
    assert done.stdout == f"mcpctl <-C> <{checkout.root}> <status>\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("-C", "x", "up"),
        ("-Cx", "up"),
        ("-f", "x", "up"),
        ("--project-directory=x", "up"),
        ("-q", "-p", "n", "--file", "f", "up"),
    ],
)
def test_a_project_named_by_hand_wins_over_the_checkout(
    checkout: Checkout, tmp_path: Path, arguments: tuple[str, ...]
):
    done = checkout.run(*arguments, cwd=tmp_path)
    assert done.stdout == "mcpctl" + "".join(f" <{argument}>" for argument in arguments) + "\n"


def test_a_commands_own_f_does_not_name_a_project(checkout: Checkout, tmp_path: Path):
    done = checkout.run("-p", "-f", "logs", "-f", cwd=tmp_path)
    assert done.stdout == f"mcpctl <-C> <{checkout.root}> <-p> <-f> <logs> <-f>\n"


def test_a_compose_file_from_the_environment_wins_over_the_checkout(checkout: Checkout, tmp_path: Path):
    assert checkout.run("up", cwd=tmp_path, COMPOSE_FILE="x").stdout == "mcpctl <up>\n"


def test_a_python_without_venv_gets_its_package(checkout: Checkout):
    (checkout.state / "has-venv").unlink()
    checkout.program("apt-get", APT_GET)
    checkout.program("id", "#!/bin/sh\necho 0\n")
    done = checkout.run("status")
    assert done.stdout == "mcpctl <status>\n"
    assert "installing python3.99-venv with apt-get" in done.stderr
    assert [line for line in checkout.asked if line.startswith("apt-get")][-1].endswith(" python3.99-venv")


def test_without_root_the_command_for_the_package_is_printed(checkout: Checkout):
    (checkout.state / "has-venv").unlink()
    checkout.program("apt-get", APT_GET)
    checkout.program("id", "#!/bin/sh\necho 1000\n")
    done = checkout.run("status")
    assert done.returncode == 1
    assert "sudo apt-get update && sudo apt-get install -y python3.99-venv" in done.stderr
    assert checkout.asked == []


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "sudo apt-get update && sudo apt-get install -y python3 python3-venv"),
        ("dnf", "sudo dnf install -y python3.11"),
        ("pacman", "sudo pacman -S python"),
        ("apk", "sudo apk add python3"),
        ("brew", "brew install python@3.13"),
        ("none", "https://www.python.org/downloads/"),
    ],
)
def test_without_a_python_the_command_for_one_is_printed(checkout: Checkout, manager: str, command: str):
    (checkout.bin / "python3.12").unlink()
    checkout.program(manager, "#!/bin/sh\n")
    done = checkout.run("status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"{command}\n")


def test_an_old_python_is_not_taken(checkout: Checkout):
    checkout.program("apt-get", APT_GET)
    checkout.program("python3", FAKE_PYTHON)
    done = checkout.run("status", FAKE_TOO_OLD="1")
    assert done.stderr.endswith("apt-get install -y python3.11 python3.11-venv\n")


def test_settings_that_would_install_elsewhere_do_not_reach_pip(checkout: Checkout):
    checkout.program("python3.12", FAKE_PYTHON.replace('echo "$*" >>', 'echo "${PIP_TARGET-}$*" >>'))
    checkout.run("status", PIP_TARGET="/elsewhere", PIP_CERT="kept")
    assert not any("/elsewhere" in line for line in checkout.asked if "pip" in line)


def test_the_script_is_executable_and_plain_sh():
    assert os.access(SOURCE, os.X_OK)
    assert SOURCE.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(SOURCE)], check=True)
