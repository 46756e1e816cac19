"""etcd, kube-apiserver and kube-controller-manager: given, or built once per machine from their Go modules."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import PlatformProgress

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
    """The folder with all three; skips the test where nobody asked for them."""
    given = os.environ.get(VARIABLE)
    if not given:
        pytest.skip(f"{VARIABLE} is not set: the folder of {', '.join(_PROGRAMS)}, or `{BUILD}`")
    if given != BUILD:
        return Path(given)
    go = shutil.which("go")
    assert go is not None, f"{VARIABLE}={BUILD} needs Go"

    def build(staging: Path) -> None:
        progress.note(
            f"Building Kubernetes {KUBERNETES} and etcd {ETCD} from their Go modules, once per machine."
        )
        _etcd(go, staging)
        _kubernetes(go, staging)

    return filled(cache / f"kubernetes-{KUBERNETES}", build, _whole, progress)


def _whole(folder: Path) -> bool:
    return all((folder / program).exists() for program in _PROGRAMS)


def _etcd(go: str, staging: Path) -> None:
    sources = _module(staging / "etcd-sources", "")
    package = "go.etcd.io/etcd/server/v3"
    _run(go, sources, "get", f"{package}@v{ETCD}")
    _run(go, sources, "build", "-ldflags=-s -w", "-o", str(staging / "etcd"), package)
    shutil.rmtree(sources)


def _kubernetes(go: str, staging: Path) -> None:
    staged = "".join(
        f"replace k8s.io/{one} => k8s.io/{one} v0.{KUBERNETES.split('.', 1)[1]}\n" for one in _STAGED
    )
    sources = _module(staging / "kubernetes-sources", staged)
    major, minor, _ = KUBERNETES.split(".")
    told = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in told.items())
    _run(go, sources, "get", f"k8s.io/kubernetes/cmd/kube-apiserver@v{KUBERNETES}")
    for program in _PROGRAMS[1:]:
        package = f"k8s.io/kubernetes/cmd/{program}"
        _run(go, sources, "build", f"-ldflags=-s -w {flags}", "-o", str(staging / program), package)
    shutil.rmtree(sources)


def _module(folder: Path, more: str) -> Path:
    folder.mkdir()
    (folder / "go.mod").write_text(f"module signaalwissel.invalid/cluster\n\ngo 1.25\n\n{more}", "ascii")
    return folder


def _run(go: str, folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false -mod=mod", "CGO_ENABLED": "0"}
    subprocess.run([go, *arguments], cwd=folder, env=environment, check=True, timeout=_BUILD_BOUND_S)
