"""Image and compose file keep what docs/deploy.md promises."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from compose_spec import PyCompose
from signaalwissel.console.health import FIRST_SINK
from signaalwissel.console.main import build
from signaalwissel.console.metrics_http import GATEWAY, WEB
from signaalwissel.console.settings import Settings

from tests.supply.locked import LOCK, locked

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
FILLED_IN = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / "compose.yaml").read_text("utf-8")))
"""As it is where no variable is set."""
OURS = ("topics", "database", "worker", "sink", "reader", "gateway", "web")
ONCE = ("topics", "database", "reader")
EVERYTHING = {*OURS, "kafka", "postgres", "registry", "prometheus", "grafana"}
HEALTH = {"worker": {9100, 9101}, "sink": {9102}, "gateway": {8080}, "web": {8090}}
_FIRST = int(SERVICES["worker"]["environment"]["SIGNAALWISSEL_HEALTH_PORT"])
METRICS = {**HEALTH, "gateway": {_FIRST + GATEWAY}, "web": {_FIRST + WEB}}


def image_lock() -> dict[str, Any]:
    return {one.name: one for one in locked((DEPLOY / "requirements-image.lock").read_text("utf-8"))}


def test_the_image_has_the_versions_and_hashes_that_are_tested() -> None:
    tested = {one.name: one for one in locked(LOCK.read_text("utf-8"))}
    held = image_lock()
    assert held == {name: tested[name] for name in held}


def test_the_image_has_every_dependency_and_neither_servers_nor_test_tools() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))
    named = lambda lines: {re.split(r"[\[<>=; ]", line)[0] for line in lines}  # noqa: E731
    held = set(image_lock())
    assert named(project["project"]["dependencies"]) <= held
    unwanted = {*project["project"]["optional-dependencies"]["embedded"], "pytest>=8", "testcontainers>=4"}
    assert not named(unwanted) & held


def test_the_image_runs_as_nobody_in_particular_and_takes_its_bases_as_arguments() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert last.startswith("${BASE}\n")
    assert "USER 10001:10001" in last
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BUILD_BASE}", "${BASE}"]
    installs = re.findall(r"pip (?:--python \S+ )?install .*", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-index /wheel/" in line for line in installs), installs


def test_the_image_is_built_from_every_folder_of_the_product() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))
    folders = {folder.split("/")[0] for folder in project["tool"]["setuptools"]["package-dir"].values()}
    assert set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE)) == folders


@pytest.mark.parametrize("name", OURS)
def test_our_processes_have_no_rights_that_they_do_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_drops_all_capabilities_and_has_a_fixed_version(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    image = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", service["image"])
    assert re.search(r":v?\d[\w.-]*$", image), image
    assert service["image"].startswith("${SIGNAALWISSEL_"), (
        "an own image must be possible where there is no network"
    )


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in ONCE])
def test_every_process_that_stays_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_the_compose_file_is_one_that_the_specification_knows_field_by_field() -> None:
    assert set(PyCompose.from_yaml(yaml.safe_dump(FILLED_IN)).services or ()) == EVERYTHING


def test_the_check_sees_a_field_that_compose_does_not_know() -> None:
    wrong = {"services": {"sink": {"image": "signaalwissel:0", "helthcheck": {}}}}
    with pytest.raises(ValueError, match="helthcheck"):
        PyCompose.from_yaml(yaml.safe_dump(wrong))


@pytest.mark.parametrize("name", HEALTH)
def test_each_process_is_asked_whether_it_is_ready_on_the_ports_on_which_it_answers(name: str) -> None:
    asked = " ".join(SERVICES[name]["healthcheck"]["test"])
    assert "/readyz" in asked
    assert {int(port) for port in re.findall(r"\b\d{4}\b", asked)} == HEALTH[name]
    environment = SERVICES[name]["environment"]
    expected = {
        "worker": range(int(environment["SIGNAALWISSEL_HEALTH_PORT"]), int(environment["SIGNAALWISSEL_HEALTH_PORT"]) + FIRST_SINK),
        "sink": [int(environment["SIGNAALWISSEL_HEALTH_PORT"]) + FIRST_SINK],
        "gateway": [int(environment.get("SIGNAALWISSEL_GATEWAY_PORT", 0))],
        "web": [int(environment.get("SIGNAALWISSEL_WEB_PORT", 0))],
    }  # fmt: skip
    assert set(expected[name]) == HEALTH[name]


def test_two_workers_run_and_what_people_may_do_without_is_in_a_profile() -> None:
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    always = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert always == {"kafka", "postgres", "topics", "database", "worker", "sink"}


@pytest.mark.parametrize("name", ["gateway", "web"])
def test_whoever_reads_the_database_waits_for_the_role_that_may(name: str) -> None:
    assert SERVICES["reader"]["command"] == ["access", "grant-reader"]
    assert SERVICES["database"]["command"] == ["database", "migrate"]
    assert SERVICES["reader"]["depends_on"] == {"database": {"condition": "service_completed_successfully"}}
    assert name in SERVICES["reader"]["profiles"]
    assert SERVICES[name]["depends_on"] == {"reader": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("name", SERVICES)
def test_a_published_port_is_this_machines_alone(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"kafka"}))
def test_no_container_can_write_outside_its_volumes_or_is_root(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert not str(SERVICES[name]["user"]).startswith(("0", "root"))


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_container_mounts_or_reads_as_a_secret_is_there(name: str) -> None:
    for volume in FILLED_IN["services"][name].get("volumes", ()):
        source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
        # What the checkout does not have: whoever installs it puts it there, as docs/deploy.md says.
        made = source == "./secrets/ca"
        assert made or source in COMPOSE["volumes"] or (DEPLOY / source).exists(), source
    secrets = {one if isinstance(one, str) else one["source"] for one in SERVICES[name].get("secrets", ())}
    assert secrets <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_folder_that_a_variable_names_may_have_any_path(name: str) -> None:
    # Compose takes `secrets/ca:/etc/...` for a volume of the name `secrets/ca`, and refuses it.
    for volume in SERVICES[name].get("volumes", ()):
        assert "$" not in str(volume) or volume["type"] == "bind", volume


def test_prometheus_asks_every_process_of_ours_by_its_name() -> None:
    (job,) = yaml.safe_load((DEPLOY / "monitoring/compose/prometheus.yml").read_text("utf-8"))[
        "scrape_configs"
    ]
    asked = {(name, one["port"]) for one in job["dns_sd_configs"] for name in one["names"]}
    assert asked == {(name, port) for name, ports in METRICS.items() for port in ports}


def test_the_pages_ask_every_worker_and_the_sink_how_they_are() -> None:
    asked = FILLED_IN["services"]["web"]["environment"]["SIGNAALWISSEL_HEALTH_ADDRESSES"].split(",")
    workers = range(1, SERVICES["worker"]["deploy"]["replicas"] + 1)
    expected = {f"http://{COMPOSE['name']}-worker-{n}:{port}" for n in workers for port in HEALTH["worker"]}
    assert set(asked) == expected | {f"http://sink:{port}" for port in HEALTH["sink"]}


@pytest.mark.parametrize("name", OURS)
def test_every_setting_and_command_exists(name: str) -> None:
    known = {f"SIGNAALWISSEL_{field.upper()}" for field in Settings.model_fields}
    assert set(SERVICES[name]["environment"]) <= known
    commands = set(typer.main.get_command(build(SERVICES[name]["command"][0])).commands)  # type: ignore[attr-defined]
    assert SERVICES[name]["command"][0] in commands


def test_no_secret_stands_in_the_compose_file() -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            secret = re.search(r"(?i)password|token|secret|database_url", variable)
            assert secret is None or str(value).startswith("/run/secrets/"), variable
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
