from __future__ import annotations

from dataclasses import replace

import pytest

from mcpctl.errors import EngineUnreachable, ExitCode
from mcpctl.host import engine_install
from mcpctl.host.distribution import Host

BOOKWORM = Host(
    id="debian",
    family=("debian",),
    version="12",
    package_manager="apt-get",
    privilege="root",
    pretty_name="Debian 12",
)
ENGINE = frozenset({"dockerd", "docker", "docker-init"})


def commands_of(host: Host) -> list[str]:
    return [step.command for step in engine_install.plan(host)]


def test_a_fresh_debian_gets_the_engine_and_an_init():
    assert commands_of(BOOKWORM) == [
        "apt-get update",
        (
            "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-remove"
            " -o DPkg::Lock::Timeout=120 docker.io tini"
        ),
    ]


def test_every_step_says_why():
    assert [step.why for step in engine_install.plan(BOOKWORM)] == [
        "package lists may be missing or old",
        "not installed: docker.io, tini",
    ]


def test_a_machine_with_an_engine_needs_nothing():
    assert engine_install.plan(replace(BOOKWORM, programs=ENGINE)) == ()
    assert not engine_install.install(replace(BOOKWORM, programs=ENGINE, privilege="none")).changed


def test_an_engine_that_lacks_an_init_is_not_upgraded():
    planned = commands_of(replace(BOOKWORM, programs=ENGINE - {"docker-init"}))
    assert planned[1].endswith(" tini")
    assert planned[2] == "ln -sf /usr/bin/tini-static /usr/local/bin/docker-init"
    assert not any("docker.io" in command for command in planned)


def test_debian_13_gets_its_separate_client():
    assert commands_of(replace(BOOKWORM, version="13"))[1].endswith(" docker.io tini docker-cli")


def test_a_kernel_with_apparmor_gets_the_parser_that_the_engine_calls():
    assert commands_of(replace(BOOKWORM, apparmor=True))[1].endswith(" docker.io tini apparmor")


def test_sudo_is_used_where_it_asks_no_password():
    assert all(c.startswith("sudo -n ") for c in commands_of(replace(BOOKWORM, privilege="sudo")))


def test_without_root_the_commands_to_type_are_given():
    with pytest.raises(EngineUnreachable) as caught:
        engine_install.install(replace(BOOKWORM, privilege="none"))
    assert caught.value.exit_code is ExitCode.ENGINE_UNREACHABLE
    assert caught.value.hint == (
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends docker.io tini"
        " && mcpctl engine start"
    )


def test_with_systemd_the_unit_is_what_one_types():
    hint = engine_install.manual(replace(BOOKWORM, systemd=True))
    assert hint.endswith("&& sudo systemctl enable --now docker")


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        (
            Host(id="fedora", package_manager="dnf"),
            "sudo dnf install -y moby-engine && sudo systemctl enable --now docker",
        ),
        (
            Host(id="amzn", package_manager="dnf"),
            "sudo dnf install -y docker && sudo systemctl enable --now docker",
        ),
        (
            Host(id="alpine", package_manager="apk"),
            "sudo apk add docker && sudo rc-update add docker && sudo service docker start",
        ),
        (Host(system="Darwin", package_manager="brew"), "brew install --cask docker && open -a Docker"),
        (
            Host(system="Darwin"),
            "install Docker Desktop: https://docs.docker.com/desktop/setup/install/mac-install/",
        ),
        (Host(id="nixos"), "install a Docker Engine: https://docs.docker.com/engine/install/"),
    ],
)
def test_another_system_gets_its_own_commands(host: Host, hint: str):
    with pytest.raises(EngineUnreachable) as caught:
        engine_install.install(host)
    assert caught.value.hint == hint
