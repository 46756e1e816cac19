"""The Helm chart keeps what docs/deploy.md promises, in what helm makes of it."""

import json
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from signaalwissel.console.acls import wanted
from signaalwissel.console.catalogue import catalogue
from signaalwissel.console.main import build
from signaalwissel.console.metrics_http import GATEWAY, WEB
from signaalwissel.console.settings import Settings
from signaalwissel.streams.topics import Names, layout

from tests.deploy.chart.chart_settings import SCHEMA, with_settings
from tests.deploy.chart.conftest import Manifest
from tests.deploy.chart.helm import CASES, CHART, template
from tests.deploy.chart.operators import KINDS, faults

# The first run on a machine may build helm.
pytestmark = pytest.mark.timeout(900)

NAMES = sorted(case.stem for case in CASES.glob("*.yaml"))
KUBERNETES = ("1.29", "1.37")
VOLUMES = {"configMap", "emptyDir", "ephemeral", "persistentVolumeClaim", "secret"}
Rendered = Callable[[str], list[Manifest]]


def of(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {manifest["metadata"]["name"]: manifest for manifest in of(manifests, kind)}


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, dict[str, Any]]]:
    for manifest in of(manifests, "Deployment", "Job"):
        yield manifest["metadata"]["name"], manifest["spec"]["template"]["spec"]


def container(manifest: Manifest) -> dict[str, Any]:
    (only,) = manifest["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("case", NAMES)
def test_every_manifest_is_one_that_kubernetes_knows_field_by_field(
    rendered: Rendered, case: str, version: str
) -> None:
    manifests = [manifest for manifest in rendered(case) if manifest["kind"] not in KINDS]
    assert len(manifests) >= 8
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_check_sees_a_field_that_kubernetes_does_not_know(rendered: Rendered) -> None:
    wrong = json.loads(json.dumps(of(rendered("least"), "Deployment")[0]))
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize("case", ["whole", "certificates"])
def test_every_resource_of_an_operator_is_one_that_it_knows_field_by_field(
    rendered: Rendered, case: str
) -> None:
    found = {manifest["metadata"]["name"]: faults(manifest) for manifest in of(rendered(case), *KINDS)}
    assert found
    assert not {name: told for name, told in found.items() if told}


@pytest.mark.parametrize("kind", KINDS)
def test_the_check_sees_a_field_that_an_operator_does_not_know(rendered: Rendered, kind: str) -> None:
    wrong = json.loads(json.dumps(of(rendered("whole"), kind)[0]))
    wrong["spec"]["speling"] = 1
    assert any("speling" in told for told in faults(wrong))


@pytest.mark.parametrize("case", NAMES)
def test_every_pod_may_run_where_pod_security_is_restricted(rendered: Rendered, case: str) -> None:
    found = list(pods(rendered(case)))
    assert len(found) >= 4
    for name, pod in found:
        of_pod = pod["securityContext"]
        assert of_pod["runAsNonRoot"] is True, name
        assert of_pod["runAsUser"] > 0, name
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod), name
        for volume in pod["volumes"]:
            assert set(volume) - {"name"} <= VOLUMES, (name, volume)
        for one in pod["containers"]:
            security = one["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert all("hostPort" not in port for port in one.get("ports", ())), name


@pytest.mark.parametrize("case", NAMES)
def test_every_process_is_asked_whether_it_lives_and_is_ready(rendered: Rendered, case: str) -> None:
    for manifest in of(rendered(case), "Deployment"):
        process = container(manifest)
        port = process["ports"][0]
        assert process["livenessProbe"]["httpGet"] == {"path": "/livez", "port": port["name"]}
        assert process["startupProbe"]["httpGet"]["path"] == "/livez"
        assert process["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}


def test_each_process_is_asked_on_the_port_on_which_it_answers(rendered: Rendered) -> None:
    ports = {
        name: container(one)["ports"][0]["containerPort"]
        for name, one in named(rendered("whole"), "Deployment").items()
    }
    first = Settings(health_port=8081).health_port
    assert first is not None
    assert ports == {
        "signaalwissel-intake": first,
        "signaalwissel-matcher": first + 1,
        "signaalwissel-sink-0": first + 2,
        "signaalwissel-sink-1": first + 3,
        "signaalwissel-gateway": Settings().gateway_port,
        "signaalwissel-web": Settings().web_port,
    }


def test_metrics_of_every_process_are_on_the_port_named_health(rendered: Rendered) -> None:
    told = {}
    for name, one in named(rendered("whole"), "Deployment").items():
        (told[name],) = (
            port["containerPort"] for port in container(one)["ports"] if port["name"] == "health"
        )
    first = Settings(health_port=8081).health_port
    assert first is not None
    assert told == {
        "signaalwissel-intake": first,
        "signaalwissel-matcher": first + 1,
        "signaalwissel-sink-0": first + 2,
        "signaalwissel-sink-1": first + 3,
        "signaalwissel-gateway": first + GATEWAY,
        "signaalwissel-web": first + WEB,
    }


def test_the_prometheus_operator_is_shown_every_process_under_the_name_that_alerts_ask_for(
    rendered: Rendered,
) -> None:
    manifests = rendered("whole")
    ((_, monitor),) = named(manifests, "PodMonitor").items()
    assert [endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]] == ["health"]
    for manifest in of(manifests, "Deployment"):
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert labels[monitor["spec"]["jobLabel"]] == "signaalwissel"


def test_prometheus_is_let_in_to_every_process_and_to_nothing_but_its_metrics(rendered: Rendered) -> None:
    manifests = rendered("whole")
    policy = named(manifests, "NetworkPolicy")["signaalwissel-monitoring"]["spec"]
    (expression,) = policy["podSelector"]["matchExpressions"]
    components = {
        manifest["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
        for manifest in of(manifests, "Deployment")
    }
    assert set(expression["values"]) == components
    assert policy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": "health"}]


def test_the_pages_can_ask_the_others_how_they_are(rendered: Rendered) -> None:
    manifests = rendered("whole")
    env = container(named(manifests, "Deployment")["signaalwissel-web"])["env"]
    (asked,) = (one["value"] for one in env if one["name"] == "SIGNAALWISSEL_HEALTH_ADDRESSES")
    services, deployments = named(manifests, "Service"), named(manifests, "Deployment")
    for address in asked.split(","):
        name, port = address.removeprefix("http://").split(":")
        service, process = services[name]["spec"], deployments[name]
        assert service["publishNotReadyAddresses"] is True
        assert service["clusterIP"] == "None"
        assert service["selector"].items() <= process["spec"]["template"]["metadata"]["labels"].items()
        assert int(port) == container(process)["ports"][0]["containerPort"] == service["ports"][0]["port"]
    assert len(asked.split(",")) == len(deployments) - 2
    policies = named(manifests, "NetworkPolicy")
    out, into = (
        policies["signaalwissel-web-asks"]["spec"],
        policies["signaalwissel-asked-by-web"]["spec"],
    )
    assert out["egress"][0]["to"] == [{"podSelector": into["podSelector"]}]
    assert into["ingress"][0]["from"] == [{"podSelector": out["podSelector"]}]


@pytest.mark.parametrize("case", NAMES)
def test_every_setting_command_and_option_exists(rendered: Rendered, case: str) -> None:
    known = {f"SIGNAALWISSEL_{field.upper()}" for field in Settings.model_fields}
    for manifest in of(rendered(case), "Deployment", "Job"):
        process = container(manifest)
        assert {variable["name"] for variable in process["env"]} <= known
        command: Any = typer.main.get_command(build(process["args"][0]))
        for word in (word for word in process["args"] if word.isalpha()):
            if word in ("intake", "matcher"):
                continue
            command = command.commands[word]
        taken = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in process["args"] if word.startswith("--")} <= taken


@pytest.mark.parametrize("case", NAMES)
def test_what_a_process_is_told_are_settings_that_it_takes(rendered: Rendered, case: str) -> None:
    for manifest in of(rendered(case), "Deployment", "Job"):
        told = {
            variable["name"]: variable["value"]
            for variable in container(manifest)["env"]
            if "value" in variable
        }
        Settings(**{name.removeprefix("SIGNAALWISSEL_").lower(): value for name, value in told.items()})
        files = {value for name, value in told.items() if name.endswith(("_FILE", "_DIR"))}
        mounts = [mount["mountPath"] for mount in container(manifest)["volumeMounts"]]
        assert all(any(file.startswith(mount) for mount in mounts) for file in files), files


@pytest.mark.parametrize("case", NAMES)
def test_every_secret_comes_by_reference(rendered: Rendered, case: str) -> None:
    secret = ("PASSWORD", "TOKEN", "DATABASE_URL")
    for manifest in of(rendered(case), "Deployment", "Job"):
        for variable in container(manifest)["env"]:
            if variable["name"].endswith(secret):
                assert set(variable["valueFrom"]) == {"secretKeyRef"}, variable["name"]
    for manifest in of(rendered(case), "Secret"):
        assert set(manifest["stringData"]) <= {"sasl", "tls", "username"}


@pytest.mark.parametrize("case", ["least", "whole", "certificates"])
def test_nothing_goes_in_or_out_that_no_policy_lets_through(rendered: Rendered, case: str) -> None:
    policies = named(rendered(case), "NetworkPolicy")
    denied = policies["signaalwissel-default-deny"]["spec"]
    assert denied["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(denied)
    for manifest in named(rendered(case), "Deployment").values():
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert denied["podSelector"]["matchLabels"].items() <= labels.items()
    incoming = {name for name, policy in policies.items() if policy["spec"].get("ingress")}
    expected = (
        {f"signaalwissel-{name}" for name in ("gateway", "web", "monitoring", "asked-by-web")}
        if case == "whole"
        else set()
    )
    assert incoming == expected


def test_only_who_needs_the_database_reaches_it(rendered: Rendered) -> None:
    (expression,) = named(rendered("whole"), "NetworkPolicy")["signaalwissel-database"]["spec"][
        "podSelector"
    ]["matchExpressions"]
    using = {
        manifest["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
        for manifest in of(rendered("whole"), "Deployment", "Job")
        if any(variable["name"] == "SIGNAALWISSEL_DATABASE_URL" for variable in container(manifest)["env"])
    }
    assert set(expression["values"]) == using == {"sink", "gateway", "web", "migrate"}


def test_the_readers_role_is_made_where_somebody_reads_and_after_the_tables(rendered: Rendered) -> None:
    assert "signaalwissel-reader" not in named(rendered("least"), "Job")
    weights = {
        name: int(job["metadata"]["annotations"]["helm.sh/hook-weight"])
        for name, job in named(rendered("whole"), "Job").items()
    }
    assert weights["signaalwissel-migrate"] < weights["signaalwissel-reader"]


def test_each_program_logs_in_at_the_database_as_itself_and_only_jobs_as_the_owner(helm: Path) -> None:
    logins = ("owner", "sink", "web", "gateway")
    keys = ",".join(f"database.urlKeys.{name}=url-of-{name}" for name in logins)
    done = template(helm, "whole", "--set", keys)
    assert done.returncode == 0, done.stderr
    told = {
        (manifest["kind"], variable["valueFrom"]["secretKeyRef"]["key"])
        for manifest in yaml.safe_load_all(done.stdout)
        if manifest and manifest["kind"] in {"Deployment", "Job"}
        for variable in container(manifest)["env"]
        if variable["name"] == "SIGNAALWISSEL_DATABASE_URL"
    }
    programs = {("Deployment", f"url-of-{name}") for name in ("sink", "web", "gateway")}
    assert told == {("Job", "url-of-owner"), *programs}


def test_every_process_that_stays_has_a_disruption_budget_that_lets_a_node_be_drained(
    rendered: Rendered,
) -> None:
    manifests = rendered("whole")
    budgets = [budget["spec"] for budget in of(manifests, "PodDisruptionBudget")]
    assert {budget["maxUnavailable"] for budget in budgets} == {1}
    for manifest in of(manifests, "Deployment"):
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert sum(budget["selector"]["matchLabels"].items() <= labels.items() for budget in budgets) == 1


@pytest.mark.parametrize(("case", "kind"), [("whole", "ScaledObject"), ("hpa", "HorizontalPodAutoscaler")])
def test_intake_and_matcher_scale_by_their_groups_lag_and_never_beyond_the_partitions(
    rendered: Rendered, case: str, kind: str
) -> None:
    manifests = rendered(case)
    prefix, partitions = ("acc_", 16) if case == "whole" else ("", 8)
    scaled = named(manifests, kind)
    names = Names(prefix)
    groups = {"signaalwissel-intake": names.intake_app, "signaalwissel-matcher": names.matcher_app}
    assert set(scaled) == set(groups)
    for name, manifest in scaled.items():
        spec = manifest["spec"]
        assert spec["scaleTargetRef"]["name"] == name
        assert spec.get("maxReplicas", spec.get("maxReplicaCount")) == partitions
        assert groups[name] in json.dumps(spec)
        assert "replicas" not in named(manifests, "Deployment")[name]["spec"]


def test_topics_of_strimzi_are_those_of_the_product(rendered: Rendered, tmp_path: Path) -> None:
    inputs = ("signals.water-west", "signals.case-noord", "trajectories.case-noord", "feedback.water-west")
    expected = {
        topic.name: (topic.partitions, dict(topic.config)) for topic in layout(Names("acc_", inputs), 16)
    }
    specs = [manifest["spec"] for manifest in of(rendered("whole"), "KafkaTopic")]
    assert {spec["topicName"]: (spec["partitions"], spec["config"]) for spec in specs} == expected


def entries(user: Manifest) -> Iterator[tuple[str, str, str, str, str]]:
    for acl in user["spec"]["authorization"]["acls"]:
        resource = acl["resource"]
        kind = {"transactionalId": "TRANSACTIONAL_ID"}.get(resource["type"], resource["type"].upper())
        pattern = {"prefix": "PREFIXED"}.get(resource.get("patternType", ""), "LITERAL")
        for operation in acl["operations"]:
            told = "".join(f"_{letter}" if letter.isupper() else letter for letter in operation)
            name = resource.get("name", "kafka-cluster")
            yield user["metadata"]["name"], kind, name, pattern, told.lstrip("_").upper()


def test_rights_of_strimzis_users_are_those_of_the_access_table(rendered: Rendered, tmp_path: Path) -> None:
    publishers = tmp_path / "publishers.toml"
    inputs = '["signals.water-west"]\n["signals.case-noord"]\n["trajectories.case-noord"]\n'
    publishers.write_text(f'{inputs}["feedback.water-west"]\npartners = ["water-west"]\n')
    expected = {
        (entry.principal.removeprefix("User:"), entry.resource, entry.name, entry.pattern, entry.operation)
        for entry in wanted(Settings(topic_prefix="acc_", publishers_file=publishers))
    }
    found = {entry for user in of(rendered("whole"), "KafkaUser") for entry in entries(user)}
    assert found == expected


def test_the_catalogue_in_the_chart_is_the_products_own() -> None:
    held = json.loads((CHART / "files" / "kafka.json").read_text("utf-8"))
    assert held == catalogue(), (
        "run: signaalwissel topics catalogue > deploy/helm/signaalwissel/files/kafka.json"
    )


def test_the_chart_takes_exactly_the_settings_of_this_version() -> None:
    held = json.loads(SCHEMA.read_text("utf-8"))
    assert held == with_settings(held), "run: python -m tests.deploy.chart.chart_settings"


def test_the_chart_is_of_the_products_version() -> None:
    project = tomllib.loads((CHART.parents[2] / "pyproject.toml").read_text("utf-8"))
    assert (
        yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["appVersion"]
        == project["project"]["version"]
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--set", "kafka.bootstrap="), "kafka.bootstrap: give host:port"),
        (("--set", "database.existingSecret="), "database.existingSecret: name the secret"),
        (("--set", "settings.VAULT_URL="), "settings.VAULT_URL"),
        (("--set", "autoscaling.maxReplicas=9"), "more than the 8 partitions"),
        (("--set", "sink.instances=0"), "sink/instances"),
        (("--set", "settings.VAULT_ULR=x"), "VAULT_ULR"),
        (("--set", "unknown=1"), "unknown"),
        (("--set", "web.enabled=true"), "access.existingSecret"),
        (("--set", "kafka.security.protocol=SASLSSL"), "kafka/security/protocol"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_by_its_name(helm: Path, given: tuple[str, ...], said: str) -> None:
    refused = template(helm, "least", *given)
    assert refused.returncode != 0
    assert said in refused.stderr.replace(".", "/") or said in refused.stderr


def test_helm_finds_nothing_to_complain_of(helm: Path) -> None:
    linted = subprocess.run(
        [helm, "lint", "--strict", CHART, "--values", CASES / "whole.yaml"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout
