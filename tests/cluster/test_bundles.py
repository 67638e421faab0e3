"""Cutting a list of exports into bundles."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.cluster.bundles import BYTES, bundle_size, bundles_of
from convertro_cli.errors import ConvertroError
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.storage.address import read_address
from convertro_cli.storage.find import ObjectPlace
from convertro_cli.storage.listing import StoredObject
from convertro_cli.storage.requests import Requests

MIB = 1 << 20


def file(name: str, size: int | None) -> ExportFile:
    return ExportFile(name, Path(name), size)


@given(
    st.lists(st.integers(0, 300), max_size=60),
    st.integers(1, 200),
    st.integers(1, 9),
)
def test_bundles_hold_all_files_once_in_order_within_their_bounds(
    sizes: list[int], most_bytes: int, most_files: int
) -> None:
    """Only a file that is larger than a bundle makes one larger, and is alone in it."""
    files = [file(f"/exports/{number}", size) for number, size in enumerate(sizes)]
    bundles = list(bundles_of(files, most_bytes=most_bytes, most_files=most_files))
    assert [each for bundle in bundles for each in bundle.files] == files
    assert [bundle.number for bundle in bundles] == list(range(len(bundles)))
    assert [bundle.first for bundle in bundles] == [
        sum(len(earlier.files) for earlier in bundles[:number]) for number in range(len(bundles))
    ]
    for bundle in bundles:
        assert bundle.size == sum(each.size or 0 for each in bundle.files)
        assert len(bundle.files) <= most_files
        assert bundle.size <= most_bytes or len(bundle.files) == 1


@pytest.mark.parametrize(
    ("total", "threads", "size"),
    [
        (None, 8, BYTES),
        (100_000 * MIB, 8, BYTES),
        (64 * MIB, 4, 4 * MIB),
        (MIB, 4, MIB),
        (0, 0, MIB),
    ],
    ids=["unknown", "much", "a share for each", "not worth a process", "nothing"],
)
def test_few_bytes_are_shared_out_among_all(total: int | None, threads: int, size: int) -> None:
    """No worker is idle while another has all, and none is started for next to nothing."""
    assert bundle_size(total, threads) == size


def test_a_path_means_the_same_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers run in other folders; people are shown the name as they gave it."""
    monkeypatch.chdir(tmp_path)
    (bundle,) = bundles_of([file("exports/a.ndjson", 1)])
    assert bundle.files[0].path == tmp_path / "exports/a.ndjson"
    assert bundle.files[0].name == "exports/a.ndjson"


def test_what_only_this_process_can_read_is_refused() -> None:
    """Standard input and pipes go to no other process; a signed address is a secret."""
    with pytest.raises(ConvertroError, match="this process only"):
        list(bundles_of([ExportFile("stdin", None, None)]))
    address = read_address("https://bucket.example.com/a.gz?signature=s3cret")
    place = ObjectPlace(None, StoredObject(address, 5, "tag"), Requests())  # type: ignore[arg-type]
    with pytest.raises(ConvertroError, match="web address") as raised:
        list(bundles_of([ExportFile(address.name, None, 5, place)]))
    assert "s3cret" not in f"{raised.value} {raised.value.hint}"
