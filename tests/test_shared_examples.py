"""The examples of many machines: they can be read, name commands that exist, and one is run."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from convertro_cli.cli.app import run
from convertro_cli.errors import ExitCode
from convertro_cli.record.postgres.address import check_ledger_url
from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.postgres import PostgresServer
from tests.system.program import SETTINGS

FOLDER = Path(__file__).parent.parent / "examples"


def assert_is_command(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """The program takes these options and arguments."""
    assert run([*arguments, "--help"]) == 0
    assert "Usage" in capfd.readouterr().out


@pytest.fixture
def job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "kubernetes-job.yaml").read_text())
    return found


def test_the_job_runs_as_many_replays_as_it_completes(job: dict[str, Any]) -> None:
    """Each pod ends only when all is done, so that as many must complete as are started."""
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert job["spec"]["parallelism"] == job["spec"]["completions"] > 1
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_the_job_gives_up_only_on_what_does_not_mend_itself(job: dict[str, Any]) -> None:
    """Wrong settings and unreadable exports fail it; "try later" is tried again."""
    (rule,) = job["spec"]["podFailurePolicy"]["rules"]
    values = rule["onExitCodes"]["values"]
    assert values == sorted(values)
    assert set(values) == {ExitCode.USAGE, ExitCode.UNREADABLE_EXPORT}
    assert job["spec"]["backoffLimit"] >= job["spec"]["parallelism"]


def test_the_jobs_container_runs_a_command_on_what_is_mounted(
    job: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its arguments are those of the program, its paths are volumes, its password is a secret."""
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert_is_command(container["args"], capfd)
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
    for argument in container["args"]:
        if argument.startswith("/"):
            assert any(argument.startswith(path) for path in mounts)
    variables = {variable["name"]: variable for variable in container["env"]}
    assert check_ledger_url(variables["CONVERTRO_LEDGER"]["value"])
    assert "secretKeyRef" in variables["PGPASSWORD"]["valueFrom"]


def assert_is_dask_command(arguments: list[str]) -> None:
    """Dask takes these options: a scheduler's, or a worker's. Nothing is started."""
    role, *options = arguments
    command = pytest.importorskip(f"distributed.cli.dask_{role}", reason="there is no Dask").main
    command.make_context(role, options)


@pytest.fixture
def dask_job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "dask-job.yaml").read_text())
    return found


def test_the_cluster_of_the_dask_job_is_of_one_image(dask_job: dict[str, Any]) -> None:
    """Dask passes Python objects about: job, scheduler and workers have the same program."""
    assert (dask_job["apiVersion"], dask_job["kind"]) == ("kubernetes.dask.org/v1", "DaskJob")
    cluster = dask_job["spec"]["cluster"]["spec"]
    pods = [dask_job["spec"]["job"], cluster["scheduler"], cluster["worker"]]
    containers = [pod["spec"]["containers"][0] for pod in pods]
    assert len({container["image"] for container in containers}) == 1
    assert [container["args"][:2] for container in containers[1:]] == [
        ["dask", "scheduler"],
        ["dask", "worker"],
    ]
    for container in containers[1:]:
        assert_is_dask_command(container["args"][1:])
    assert containers[0]["env"] == containers[2]["env"]  # workers have their own credentials
    assert "env" not in containers[1]


def test_the_dask_job_replays_on_the_scheduler_that_it_makes(
    dask_job: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its arguments are those of the program; its scheduler is the service of its own name."""
    (container,) = dask_job["spec"]["job"]["spec"]["containers"]
    program, *arguments = container["args"]
    assert program == "convertro"
    assert_is_command(arguments, capfd)
    service = dask_job["spec"]["cluster"]["spec"]["scheduler"]["service"]
    name = dask_job["metadata"]["name"]
    assert service["selector"]["dask.org/cluster-name"] == name
    address = arguments[arguments.index("--scheduler") + 1]
    assert address == f"tcp://{name}-scheduler:{service['ports'][0]['port']}"


def test_the_dag_has_one_task_which_is_a_command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With Airflow's two names stood in for: what it would run, and how often it would try."""
    made: list[dict[str, Any]] = []
    dags: list[dict[str, Any]] = []

    def dag(name: str, **more: Any) -> nullcontext[None]:
        dags.append({"name": name, **more})
        return nullcontext()

    modules: dict[str, dict[str, Any]] = {
        "airflow": {"DAG": dag},
        "airflow.operators": {},
        "airflow.operators.bash": {"BashOperator": lambda **given: made.append(given)},
    }
    for name, names in modules.items():
        module = ModuleType(name)
        module.__dict__.update(names)
        monkeypatch.setitem(sys.modules, name, module)
    runpy.run_path(str(FOLDER / "airflow_dag.py"))
    (task,), (found,) = made, dags
    program, *arguments = shlex.split(task["bash_command"])
    assert program == "convertro"
    assert_is_command(arguments, capfd)
    assert check_ledger_url(task["env"]["CONVERTRO_LEDGER"])
    assert found["default_args"]["retries"] > 0
    assert (found["catchup"], found["max_active_runs"]) == (False, 1)


def test_the_service_runs_a_command_and_has_no_password(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With its lines for several machines it has an address that the program takes."""
    text = (FOLDER / "convertro.service").read_text().replace("\n#Environment=", "\nEnvironment=")
    (command,) = re.findall("^ExecStart=(.+)$", text, re.M)
    program, *arguments = shlex.split(command)
    assert re.fullmatch(r"/\S+/convertro", program)
    assert_is_command(arguments, capfd)
    environment = dict(re.findall("^Environment=([A-Z]+(?:_[A-Z]+)*)=(.+)$", text, re.M))
    assert check_ledger_url(environment["CONVERTRO_LEDGER"])
    assert set(environment) == {"CONVERTRO_LEDGER", "PGPASSFILE"}


def test_two_terminals_share_an_export(tmp_path: Path, postgres: PostgresServer) -> None:
    """The recipe as it stands: both replays end well, and each call was delivered once."""
    (tmp_path / "convertro.toml").write_text(SETTINGS)
    (tmp_path / "exports").mkdir()
    for number in range(3):
        write_export(tmp_path / "exports" / f"{number}.ndjson", 200, seed=number)
    program = tmp_path / "bin" / "convertro"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m convertro_cli "$@"\n')
    program.chmod(0o755)
    environ = os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "CONVERTRO_LEDGER": postgres.create_database(),
        "PYTHONPATH": str(FOLDER.parent),
    }
    with Sandbox(SandboxOptions(port=0), keep_requests=True) as sandbox:
        ended = subprocess.run(
            ["sh", FOLDER / "two-terminals.sh", "exports/", "--base-url", sandbox.url, "--quiet"],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        stats = sandbox.stats()
    assert ended.returncode == 0, ended.stderr
    assert "is of version 2" in ended.stdout
    assert re.search(rf"calls delivered +{stats['accepted']}\b", ended.stdout)
    assert stats["accepted"] == stats["unique"] > 0
