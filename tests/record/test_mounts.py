"""What is mounted where, and what of it is no place for a ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.mounts import TABLE, find_mount, refuse_remote

LINES = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:40 / /srv/nfs rw,relatime shared:2 - nfs4 filer:/export rw,vers=4.2
24 22 0:41 / /srv/nfs/local rw shared:3 - xfs /dev/sdb1 rw
25 22 0:42 / /mnt/with\040space rw - cifs //filer/share rw
26 22 0:43 / /home/me/far rw - fuse.sshfs me@host: rw
27 22 0:44 / /mnt/c rw - 9p C:\134 rw
28 22 0:45 / /twice rw - nfs filer:/old rw
29 22 0:46 / /twice rw - ext4 /dev/sdc1 rw
30 22 0:47 / /home/me/crypt rw - fuse.gocryptfs /home/me/raw rw
""".lstrip()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of mounts."""
    path = tmp_path / "mountinfo"
    path.write_text(LINES)
    return path


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/var/lib/convertro/ledger.db", "ext4"),
        ("/srv/nfs/state/ledger.db", "nfs4"),
        ("/srv/nfs", "nfs4"),
        ("/srv/nfs/local/ledger.db", "xfs"),
        ("/srv/nfs-but-not-really/ledger.db", "ext4"),
        ("/mnt/with space/ledger.db", "cifs"),
        ("/home/me/far/.convertro/ledger.db", "fuse.sshfs"),
        ("/twice/ledger.db", "ext4"),
    ],
)
def test_the_nearest_mount_counts(table: Path, file: str, kind: str) -> None:
    """A file lies on what is mounted nearest above it, and last."""
    mount = find_mount(file, table)
    assert mount is not None
    assert mount.kind == kind


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("/srv/nfs/state/ledger.db", "filer:/export"),
        ("/mnt/with space/ledger.db", "//filer/share"),
        ("/home/me/far/ledger.db", "me@host:"),
        ("/mnt/c/ledger.db", "C:\\"),
    ],
)
def test_another_machines_files_are_refused(table: Path, file: str, source: str) -> None:
    """The reason names the mount, the hint the way out."""
    with pytest.raises(ConvertroError, match="network file system") as raised:
        refuse_remote(Path(file), table)
    assert source in raised.value.message
    assert "--state" in (raised.value.hint or "")
    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE


@pytest.mark.parametrize("file", ["/var/lib/ledger.db", "/srv/nfs/local/a", "/home/me/crypt/a"])
def test_this_machines_files_are_not(table: Path, file: str) -> None:
    """A disk of this machine is fine, also when FUSE is in between."""
    refuse_remote(Path(file), table)
    mount = find_mount(file, table)
    assert mount is not None
    assert not mount.is_remote


def test_a_link_is_followed(table: Path, tmp_path: Path) -> None:
    """What counts is where the file really lies."""
    (tmp_path / "state").symlink_to("/srv/nfs/state")
    with pytest.raises(ConvertroError, match="/srv/nfs is nfs4"):
        refuse_remote(tmp_path / "state" / "ledger.db", table)


def test_a_root_behind_9p_is_no_network(tmp_path: Path) -> None:
    """Some sandboxes have all their files there."""
    (tmp_path / "mountinfo").write_text("1 0 0:1 / / rw - 9p none rw,trans=fd\n")
    refuse_remote(Path("/srv/ledger.db"), tmp_path / "mountinfo")
    mount = find_mount("/srv/ledger.db", tmp_path / "mountinfo")
    assert mount is not None
    assert (mount.kind, mount.is_remote) == ("9p", False)


def test_without_a_table_nothing_is_refused(tmp_path: Path) -> None:
    """Where the system does not say what is mounted, a ledger may lie anywhere."""
    refuse_remote(tmp_path / "ledger.db", tmp_path / "none")
    assert find_mount(str(tmp_path / "ledger.db"), tmp_path / "none") is None


@pytest.mark.skipif(not TABLE.exists(), reason="only Linux has this table")
def test_this_machines_own_table_can_be_read() -> None:
    """The table as it is here says of /proc that it is proc."""
    mount = find_mount("/proc/self/status", TABLE)
    assert mount is not None
    assert (mount.point, mount.kind) == ("/proc", "proc")
