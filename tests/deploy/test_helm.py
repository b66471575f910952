"""The chart: linted, valid for the oldest and the newest Kubernetes, and what it says is what the programs take."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome, Verdict
from tests.deploy.kubernetes import CHART, REPOSITORY, VALUES, VERSIONS, find, golden, render
from tests.serving.server import Server

RENDERS = Path(__file__).with_name("renders")
TOKEN = "a-token-of-this-test"
POD = "10.11.12.13"


def test_there_are_three_files_of_values() -> None:
    assert VALUES == ("both", "gateway", "serve")


def test_the_chart_has_the_version_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert (chart["version"], chart["appVersion"]) == (project, project)


@pytest.mark.parametrize("values", VALUES)
def test_helm_finds_nothing_to_complain_about(helm: Path, values: str) -> None:
    command = [helm, "lint", "--strict", CHART, "--values", CHART / "ci" / f"{values}-values.yaml"]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", VALUES)
def test_every_object_is_valid_for_kubernetes(helm: Path, kubeconform: list[str], values: str, version: str) -> None:
    objects = render(helm, values, version=version)
    command = [*kubeconform, "-strict", "-summary", "-kubernetes-version", version]
    done = subprocess.run(command, input=yaml.safe_dump_all(objects), capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Valid: {len(objects)}, Invalid: 0, Errors: 0, Skipped: 0" in done.stdout


def test_kubeconform_would_find_a_field_that_does_not_exist(helm: Path, kubeconform: list[str]) -> None:
    """The schemas are strict ones, the operator's too."""
    for kind, part in (("StatefulSet", "spec"), ("ServiceMonitor", "spec"), ("NetworkPolicy", "spec")):
        wrong = find(render(helm, "serve"), kind)
        wrong[part]["replica"] = 2
        command = [*kubeconform, "-strict", "-kubernetes-version", VERSIONS[-1]]
        done = subprocess.run(command, input=yaml.safe_dump(wrong), capture_output=True, text=True)
        assert done.returncode == 1
        assert "replica" in done.stdout


@pytest.mark.parametrize("values", VALUES)
def test_the_objects_are_as_they_were(helm: Path, values: str) -> None:
    """`python -m tests.deploy.renders` writes them anew."""
    assert golden(render(helm, values)) == (RENDERS / f"{values}.yaml").read_text()


def test_the_chart_has_the_rules_and_dashboards_of_the_repository_and_no_others(helm: Path) -> None:
    """docs/render.py copies them. Braces in them are Prometheus' and Grafana's, not Helm's."""
    deploy, objects = REPOSITORY / "deploy", render(helm, "serve")
    rules = {one.name: one.read_text() for one in (deploy / "prometheus").glob("*.yaml")}
    dashboards = {one.name: one.read_text() for one in (deploy / "grafana" / "dashboards").glob("*.json")}
    assert {one.name: one.read_text() for one in (CHART / "files" / "rules").iterdir()} == rules
    assert {one.name: one.read_text() for one in (CHART / "files" / "dashboards").iterdir()} == dashboards

    rendered = [one["spec"] for one in objects if one["kind"] == "PrometheusRule"]
    assert sorted(map(str, rendered)) == sorted(str(yaml.safe_load(text)) for text in rules.values())
    found: dict[str, str] = {}
    for one in objects:
        found |= one["data"] if one["kind"] == "ConfigMap" else {}
    assert found == dashboards


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "serve.replicas=2"], "replicas"),
        (["--set", "serve.storage.size=large"], "size"),
        (["--set", "serve.ingress.enabled=true"], "host"),
        (["--set", "serve.settings.OTEL_MAS_STORE=/tmp/x"], "OTEL_MAS_STORE"),
        (["--set", "serve.shipTo={jaeger:4317}"], "shipTo"),
        (["--set", "gateway.sampling.percent=101"], "percent"),
        (["--set", "gateway.sampling.longestRun=forever"], "longestRun"),
        (["--set-json", "networkPolicy.from=[]"], "from"),
        (["--set", "gateway.enabled=true"], "the gateway sends nowhere"),
        (
            ["--set", "gateway.enabled=true,gateway.toServe=true,serve.enabled=false"],
            "gateway.toServe needs serve.enabled",
        ),
    ],
)
def test_values_that_make_no_sense_are_refused(helm: Path, options: list[str], message: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(message)):
        render(helm, "", *options)


def test_flagged_runs_are_found_by_attributes_of_the_registry() -> None:
    flagged = yaml.safe_load((CHART / "values.yaml").read_text())["gateway"]["sampling"]["keep"]["flagged"]
    members = {names.MAS_GUARDRAIL_VERDICT: Verdict, names.MAS_RUN_OUTCOME: RunOutcome}

    for one in flagged:
        assert set(one["values"]) <= {member.value for member in members[one["key"]]}
    assert names.GEN_AI_CONVERSATION_ID in (CHART / "templates" / "_gateway_config.tpl").read_text()


@pytest.mark.parametrize("values", VALUES)
def test_no_container_can_do_more_than_it_needs(helm: Path, values: str) -> None:
    for workload in (one for one in render(helm, values) if one["kind"] in ("StatefulSet", "Deployment")):
        pod = workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


@pytest.fixture
def served(helm: Path, tmp_path: Path) -> Iterator[Server]:
    """The server with the arguments and variables of its container, on loopback."""
    (container, *_) = _containers(render(helm, "serve"))
    token = tmp_path / "token"
    token.write_text(TOKEN)
    replaced = {"/etc/otel-mas/token": str(token), "$(POD_IP)": POD}
    arguments = [word for word in container["args"] if not word.startswith(("--grpc", "--http", "--listen"))]
    for old, new in replaced.items():
        arguments = [word.replace(old, new) for word in arguments]
    variables = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    store = tmp_path / "data" / "runs.db"
    store.parent.mkdir()
    with Server(store, tuple(arguments), variables | {"OTEL_MAS_STORE": str(store)}) as server:
        yield server


def test_the_server_starts_as_its_container_says_and_is_reached_by_each_name(helm: Path, served: Server) -> None:
    """Prometheus and the kubelet ask by the pod's address, apps by the Service's names."""
    objects = render(helm, "serve")
    (container, *_) = _containers(objects)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        path = container[probe]["httpGet"]["path"]
        assert served.request("GET", path, headers={"Host": f"{POD}:4320"}, at=served.page)[0] == 200
    (endpoint,) = find(objects, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["authorization"]["type"] == "Bearer"
    for host, token, status in (
        (f"{POD}:4320", TOKEN, 200),
        (f"{POD}:4320", "another-token-of-16", 401),
        ("otel-mas:4320", TOKEN, 200),
        ("otel-mas.observability.svc.cluster.local:4320", TOKEN, 200),
        ("traces.example.org", TOKEN, 200),
        ("evil.example.com", TOKEN, 403),
    ):
        headers = {"Host": host, "Authorization": f"Bearer {token}"}
        assert served.request("GET", endpoint["path"], headers=headers, at=served.page)[0] == status, host


def _containers(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = find(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    return found
