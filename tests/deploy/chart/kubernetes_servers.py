"""etcd, an API server and the controllers of Kubernetes on this machine; in place of nodes, pods are said to run.

Flows in: a folder with the programs. Flows out: a cluster on which helm installs; no pod of it ever runs anything.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import yaml
from signaalwissel.deploy.ports import LOOPBACK
from signaalwissel.deploy.server import OwnedServer, Timing

TOKEN = "of-the-administrator"
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "job-controller",
    "serviceaccount-controller",
    "garbage-collector-controller",
)
_SERVICE_ADDRESSES = "10.96.0.0/16"
_LOOK_S = 0.3


class Etcd(OwnedServer):
    """What the API server keeps its objects in."""

    name: ClassVar[str] = "etcd"
    variable: ClassVar[str] = "SIGNAALWISSEL_KUBERNETES"
    ports_needed: ClassVar[int] = 2
    ready_text: ClassVar[str] = "serving client traffic insecurely"

    def __init__(self, program: Path) -> None:
        super().__init__(None, Timing())
        self._program = program

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self._ports[0]}"

    def commands(self, folder: Path) -> list[list[str]]:
        peer = f"http://{LOOPBACK}:{self._ports[1]}"
        return [
            [
                *(str(self._program), "--data-dir", str(folder / "data"), "--unsafe-no-fsync"),
                *("--listen-client-urls", self.address, "--advertise-client-urls", self.address),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--initial-cluster", f"default={peer}"),
            ]
        ]


class ApiServer(OwnedServer):
    """The API of Kubernetes, with the admission that it has by default."""

    name: ClassVar[str] = "kube-apiserver"
    variable: ClassVar[str] = "SIGNAALWISSEL_KUBERNETES"
    ready_text: ClassVar[str] = "Caches are synced"

    def __init__(self, program: Path, etcd: str, folder: Path) -> None:
        super().__init__(folder, Timing(start_bound_s=180))
        self._program = program
        self._etcd = etcd

    @property
    def address(self) -> str:
        return f"https://{LOOPBACK}:{self._ports[0]}"

    def commands(self, folder: Path) -> list[list[str]]:
        (folder / "tokens.csv").write_text(f'{TOKEN},administrator,1,"system:masters"\n', "ascii")
        key = str(folder / "accounts.key")
        return [
            ["openssl", "genrsa", "-out", key, "2048"],
            [
                *(str(self._program), "--etcd-servers", self._etcd, "--cert-dir", str(folder)),
                *("--bind-address", LOOPBACK, "--secure-port", str(self._ports[0])),
                *("--endpoint-reconciler-type", "none", "--service-cluster-ip-range", _SERVICE_ADDRESSES),
                *("--authorization-mode", "RBAC", "--token-auth-file", str(folder / "tokens.csv")),
                *("--service-account-issuer", "https://kubernetes.default.svc"),
                *("--service-account-signing-key-file", key, "--service-account-key-file", key),
            ],
        ]


class Controllers(OwnedServer):
    """What makes pods of deployments and jobs, and the accounts of namespaces."""

    name: ClassVar[str] = "kube-controller-manager"
    variable: ClassVar[str] = "SIGNAALWISSEL_KUBERNETES"
    ready_text: ClassVar[str] = "Caches are synced"

    def __init__(self, program: Path, kubeconfig: Path) -> None:
        super().__init__(None, Timing(start_bound_s=180))
        self._program = program
        self._kubeconfig = kubeconfig

    @property
    def address(self) -> str:
        return f"https://{LOOPBACK}:{self._ports[0]}"

    def commands(self, folder: Path) -> list[list[str]]:
        return [
            [
                *(str(self._program), "--kubeconfig", str(self._kubeconfig), "--cert-dir", str(folder)),
                *("--bind-address", LOOPBACK, "--secure-port", str(self._ports[0]), "--leader-elect=false"),
                *("--controllers", ",".join(CONTROLLERS)),
            ]
        ]


class Cluster:
    """A cluster that runs.

    Attributes:
        kubeconfig: With which helm and kubectl reach it, as its administrator.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self.kubeconfig = folder / "kubeconfig.yaml"
        # The server makes a certificate for itself.
        authority = folder / "apiserver.crt"
        self.kubeconfig.write_text(_kubeconfig(address, authority), "utf-8")
        trusted = ssl.create_default_context(cafile=authority)
        self.api = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}, verify=trusted, timeout=60
        )

    def asked(self, path: str, **parameters: str) -> dict[str, Any]:
        """What the API answers."""
        return dict(self.api.get(path, params=parameters).raise_for_status().json())

    def made(self, path: str, manifest: dict[str, Any], **parameters: str) -> httpx.Response:
        """What the API says of a new object."""
        return self.api.post(path, json=manifest, params=parameters)

    def path_of(self, manifest: dict[str, Any], namespace: str) -> str:
        """Where objects of a kind are made."""
        version = manifest["apiVersion"]
        group = f"/apis/{version}" if "/" in version else f"/api/{version}"
        (kind,) = (
            one
            for one in self.asked(group)["resources"]
            if one["kind"] == manifest["kind"] and "/" not in one["name"]
        )
        within = (
            f"/namespaces/{manifest['metadata'].get('namespace', namespace)}" if kind["namespaced"] else ""
        )
        return f"{group}{within}/{kind['name']}"

    def let_pods_run(self) -> None:
        """Say of each pod what a node would: those of jobs have done their work, the others are ready."""
        for pod in self.asked("/api/v1/pods")["items"]:
            if pod["status"].get("phase") == "Pending":
                meta = pod["metadata"]
                path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
                of_job = any(owner["kind"] == "Job" for owner in meta.get("ownerReferences", ()))
                self.api.patch(
                    path,
                    json={"status": _done() if of_job else _ready()},
                    headers={"Content-Type": "application/merge-patch+json"},
                )


def _done() -> dict[str, Any]:
    return {"phase": "Succeeded"}


def _ready() -> dict[str, Any]:
    return {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


@contextmanager
def cluster(programs: Path, folder: Path) -> Iterator[Cluster]:
    """A cluster for the length of the block."""
    with ExitStack() as ends:
        etcd = ends.enter_context(Etcd(programs / "etcd"))
        server = ends.enter_context(ApiServer(programs / "kube-apiserver", etcd.address, folder))
        made = Cluster(server.address, folder)
        ends.callback(made.api.close)
        ends.enter_context(Controllers(programs / "kube-controller-manager", made.kubeconfig))
        ends.enter_context(_in_place_of_nodes(made))
        yield made


@contextmanager
def _in_place_of_nodes(made: Cluster) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(_LOOK_S):
            made.let_pods_run()

    looking = threading.Thread(target=go_on)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _kubeconfig(address: str, authority: Path) -> str:
    server = {"server": address, "certificate-authority": str(authority)}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "administrator"}}],
            "clusters": [{"name": "here", "cluster": server}],
            "users": [{"name": "administrator", "user": {"token": TOKEN}}],
        }
    )
