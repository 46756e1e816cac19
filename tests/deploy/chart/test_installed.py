"""helm installs the chart on a real API server, in a namespace where Pod Security is `restricted`.

Opt-in: SIGNAALWISSEL_KUBERNETES names a folder with etcd, kube-apiserver and kube-controller-manager, or is `build`, as
`make cluster` has it. Nodes are missing: pods are made and admitted, and then said to run.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings

from tests.deploy.chart.conftest import Manifest
from tests.deploy.chart.helm import CASES, CHART
from tests.deploy.chart.kubernetes_programs import kubernetes_programs
from tests.deploy.chart.kubernetes_servers import Cluster, cluster
from tests.deploy.chart.operators import FOLDER

NAMES = sorted(case.stem for case in CASES.glob("*.yaml"))
PODS = "/api/v1/namespaces/{}/pods"
# The first run on a machine may build Kubernetes.
pytestmark = pytest.mark.timeout(7200)


@pytest.fixture(scope="module")
def kubernetes(
    platform_settings: PlatformSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    programs = kubernetes_programs(platform_settings.cache, progress_on(sys.__stderr__ or sys.stderr))
    with cluster(programs, tmp_path_factory.mktemp("kubernetes")) as running:
        for file in sorted(FOLDER.glob("*.json")):
            definition = of_operator(file.stem, json.loads(file.read_text("utf-8")))
            running.made(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition
            ).raise_for_status()
        restricted(running, "kafka")
        yield running


def of_operator(kind: str, held: Manifest) -> Manifest:
    """The definition that the operator brings along."""
    group, version = held["apiVersion"].split("/")
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": held["schema"]}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{names['plural']}.{group}",
            # Groups of Kubernetes' own ask for it; for others it says nothing.
            "annotations": {"api-approved.kubernetes.io": "unapproved, a test"},
        },
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [served]},
    }


def restricted(kubernetes: Cluster, namespace: str) -> str:
    """Make a namespace that lets only pods in that Pod Security calls restricted."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    kubernetes.made(
        "/api/v1/namespaces",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}},
    ).raise_for_status()
    return namespace


def ran(helm: Path, kubernetes: Cluster, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(helm), *map(str, arguments), "--kubeconfig", str(kubernetes.kubeconfig)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_every_object_is_taken_by_the_server_field_by_field(
    kubernetes: Cluster, rendered: Callable[[str], list[Manifest]], case: str
) -> None:
    namespace = restricted(kubernetes, f"dry-{case}")
    for manifest in rendered(case):
        placed = {**manifest, "metadata": {**manifest["metadata"]}}
        if placed["metadata"].get("namespace") != "kafka":
            placed["metadata"]["namespace"] = namespace
        answer = kubernetes.made(
            kubernetes.path_of(placed, namespace), placed, dryRun="All", fieldValidation="Strict"
        )
        assert answer.is_success, answer.text
        # Of a deployment the server says beforehand what Pod Security would have against its pods.
        assert "warning" not in answer.headers, answer.headers["warning"]


@pytest.mark.parametrize("case", NAMES)
def test_helm_installs_upgrades_and_takes_away_where_pod_security_is_restricted(
    kubernetes: Cluster, helm: Path, case: str
) -> None:
    namespace = restricted(kubernetes, f"real-{case}")
    values = ("--namespace", namespace, "--values", CASES / f"{case}.yaml", "--wait", "--timeout", "240s")
    installed = ran(helm, kubernetes, "install", "signaalwissel", CHART, *values)
    assert installed.returncode == 0, installed.stderr
    deployments = kubernetes.asked(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]
    assert len(deployments) >= 3
    pods = kubernetes.asked(PODS.format(namespace))["items"]
    admitted = {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods}
    assert admitted >= {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in deployments}
    upgraded = ran(
        helm, kubernetes, "upgrade", "signaalwissel", CHART, *values, "--set", "podLabels.again=yes"
    )
    assert upgraded.returncode == 0, upgraded.stderr
    gone = ran(helm, kubernetes, "uninstall", "signaalwissel", "--namespace", namespace, "--wait")
    assert gone.returncode == 0, gone.stderr
    assert kubernetes.asked(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"] == []


def test_the_namespace_lets_no_pod_in_that_is_not_restricted(kubernetes: Cluster) -> None:
    namespace = restricted(kubernetes, "refuses")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [{"name": "root", "image": "any"}], "serviceAccountName": "default"},
    }
    answer = kubernetes.made(PODS.format(namespace), pod, dryRun="All")
    assert answer.status_code == 403
    assert "violates PodSecurity" in answer.text


def test_the_server_refuses_a_field_that_it_does_not_know(
    kubernetes: Cluster, rendered: Callable[[str], list[Manifest]]
) -> None:
    wrong = next(one for one in rendered("least") if one["kind"] == "Deployment")
    spoilt = json.loads(json.dumps(wrong).replace('"livenessProbe"', '"livenessprobe"'))
    path = kubernetes.path_of(spoilt, restricted(kubernetes, "strict"))
    answer = kubernetes.made(path, spoilt, dryRun="All", fieldValidation="Strict")
    assert answer.status_code == 400
    assert "livenessprobe" in answer.text
