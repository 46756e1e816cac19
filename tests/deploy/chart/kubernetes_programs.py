"""etcd, kube-apiserver and kube-controller-manager: given, or built once per machine from their Go modules."""

import os
from pathlib import Path

import pytest
from signaalwissel.deploy.progress import PlatformProgress

from tests.deploy.go_programs import Module, go_programs

VARIABLE = "SIGNAALWISSEL_KUBERNETES"
BUILD = "build"
KUBERNETES = "1.34.2"
ETCD = "3.6.13"
_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
_BUILD_BOUND_S = 5400
# The module of Kubernetes points at folders beside it for these, which a module of its own cannot have.
_STAGED = (
    "api", "apiextensions-apiserver", "apimachinery", "apiserver", "cli-runtime", "client-go",
    "cloud-provider", "cluster-bootstrap", "code-generator", "component-base", "component-helpers",
    "controller-manager", "cri-api", "cri-client", "csi-translation-lib", "dynamic-resource-allocation",
    "endpointslice", "externaljwt", "kms", "kube-aggregator", "kube-controller-manager", "kube-proxy",
    "kube-scheduler", "kubectl", "kubelet", "metrics", "mount-utils", "pod-security-admission",
    "sample-apiserver",
)  # fmt: skip


def kubernetes_programs(cache: Path, progress: PlatformProgress) -> Path:
    """The folder with all three; skips the test where nobody asked for them, raises NotBuilt where Go fails."""
    given = os.environ.get(VARIABLE)
    if not given:
        pytest.skip(f"{VARIABLE} is not set: the folder of {', '.join(_PROGRAMS)}, or `{BUILD}`")
    if given != BUILD:
        return Path(given)
    etcd = Module({"go.etcd.io/etcd/server/v3": "etcd"}, f"v{ETCD}")
    folder = cache / f"kubernetes-{KUBERNETES}"
    return go_programs(folder, [etcd, _kubernetes()], progress, bound_s=_BUILD_BOUND_S)


def _kubernetes() -> Module:
    staged = f"v0.{KUBERNETES.split('.', 1)[1]}"
    major, minor, _ = KUBERNETES.split(".")
    told = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor}
    return Module(
        {f"k8s.io/kubernetes/cmd/{program}": program for program in _PROGRAMS[1:]},
        f"v{KUBERNETES}",
        replaced="".join(f"replace k8s.io/{one} => k8s.io/{one} {staged}\n" for one in _STAGED),
        flags=" ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in told.items()),
    )
