"""Objects on their way to another machine."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from convertro_cli.cluster.orders import LookOrder
from convertro_cli.cluster.parcel import pack, unpack
from convertro_cli.cluster.replay_order import for_others
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.reading.batch import without_lines
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.settings.compile import compile_loaded
from convertro_cli.settings.load import load_settings
from convertro_cli.storage.address import read_address
from convertro_cli.storage.find import ObjectPlace
from convertro_cli.storage.listing import StoredObject
from convertro_cli.storage.requests import Requests
from tests.exports import BENCH_SETTINGS


def test_a_suppression_list_goes_along_whole(tmp_path: Path) -> None:
    """Another process, which inherited nothing, knows the same users by it."""
    (tmp_path / "list.txt").write_text("".join(f"user-{n}\n" for n in range(0, 5_000, 2)))
    config = tmp_path / "convertro.toml"
    config.write_text(BENCH_SETTINGS + '[privacy]\nsuppressed = ["list.txt"]\n')
    loaded = load_settings(config, environ={})
    order = LookOrder(DryRunJob(compile_loaded(loaded)), without_lines)
    (tmp_path / "parcel").write_bytes(pack(order))
    (tmp_path / "list.txt").unlink()
    program = (
        "import sys; from pathlib import Path; from convertro_cli.cluster.parcel import unpack\n"
        "users = unpack(Path(sys.argv[1]).read_bytes()).job.rules.suppressed\n"
        "print(len(users), sum(f'user-{n}' in users for n in range(5_000)), 'user-3' in users)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "parcel")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["2500", "2500", "False"]


def test_an_object_is_opened_anew_with_the_credentials_of_the_other_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the list said of it goes along, and no key that this machine reaches it by."""
    pytest.importorskip("obstore")
    from convertro_cli.storage.bucket import open_bucket  # noqa: PLC0415
    from convertro_cli.storage.options import StorageOptions  # noqa: PLC0415

    options = StorageOptions(endpoint_url="http://127.0.0.1:9", region="eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-s3cret")
    address = read_address("s3://acme/segment-logs/a.gz")
    place = ObjectPlace(open_bucket(address, options), StoredObject(address, 7, "tag"), Requests())
    content = pack([ExportFile(address.name, None, 7, place)])
    assert b"the-key" not in content
    assert b"s3cret" not in content
    (found,) = unpack(content, options)
    assert found.place.found == StoredObject(address, 7, "tag")
    assert found.place.identity == place.identity


def test_settings_go_without_the_address_that_is_pinged(tmp_path: Path) -> None:
    """It is a secret, and the driver's business; relative paths mean the same elsewhere."""
    config = tmp_path / "convertro.toml"
    config.write_text(
        BENCH_SETTINGS
        + '[delivery]\nping_url = "https://hc.example.com/s3cret"\n[wire]\nca_bundle = "ca.pem"\n'
    )
    (tmp_path / "ca.pem").write_text("")
    told = for_others(load_settings(config, environ={}))
    assert b"s3cret" not in pickle.dumps(told)
    assert told.ca_bundle is not None
    assert told.ca_bundle.is_absolute()
