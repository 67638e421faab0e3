"""From file, environment and options to settings, each with its origin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.settings.faults import SettingsError
from convertro_cli.settings.load import ENVIRONMENT, LoadedSettings, load_settings

FILE = """\
[convertro]
account = "from-file"
site_id = 1

[events]
"Signed Up" = "signup"
"a.b" = ["x", "y"]

[wire.paths]
install = "/x/"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound settings file."""
    path = tmp_path / "convertro.toml"
    path.write_text(FILE)
    return path


def load(file: Path, environ: dict[str, str] | None = None, **options: Any) -> LoadedSettings:
    """Load without this process's own environment."""
    named = {key.replace("__", "."): value for key, value in options.items()}
    return load_settings(file, options=named, environ=environ or {})


def test_origins_of_a_file(file: Path) -> None:
    """Each value that the file has is from the file; the others are defaults, without an entry."""
    loaded = load(file)
    assert loaded.settings.convertro.account == "from-file"
    assert loaded.settings.convertro.site_id == "1"
    assert loaded.origins == {
        "convertro.account": "file",
        "convertro.site_id": "file",
        "events.Signed Up": "file",
        "events.a.b": "file",
        "wire.paths.install": "file",
    }


@pytest.mark.parametrize(("variable", "key"), ENVIRONMENT.items())
def test_the_environment_overrides_the_file_and_options_both(
    file: Path, variable: str, key: str
) -> None:
    """The nearer to the command, the stronger."""
    scheme = "postgresql" if key == "delivery.ledger" else "https"
    values = (f"{scheme}://env.example.com", f"{scheme}://option.example.com")
    table, name = key.split(".")
    loaded = load(file, {variable: values[0]})
    assert getattr(getattr(loaded.settings, table), name) == values[0]
    assert loaded.origins[key] == "environment"
    loaded = load(file, {variable: values[0]}, **{f"{table}__{name}": values[1]})
    assert getattr(getattr(loaded.settings, table), name) == values[1]
    assert loaded.origins[key] == "option"


def test_an_empty_variable_and_an_option_not_given_change_nothing(file: Path) -> None:
    """A cron job may export a variable that is not filled in."""
    loaded = load(file, {"CONVERTRO_ACCOUNT": ""}, convertro__account=None)
    assert loaded.settings.convertro.account == "from-file"
    assert loaded.origins["convertro.account"] == "file"


def test_other_variables_are_not_looked_at(file: Path) -> None:
    """Only those that are documented."""
    assert load(file, {"CONVERTRO_MODE": "cloud"}) == load(file)


def test_an_override_can_fill_in_what_the_file_lacks(tmp_path: Path) -> None:
    """The account may come from the environment alone."""
    path = tmp_path / "convertro.toml"
    path.write_text("")
    loaded = load(path, {"CONVERTRO_ACCOUNT": "acme"})
    assert loaded.settings.convertro.account == "acme"


def test_a_fault_says_where_its_value_is_from(file: Path) -> None:
    """A bad variable is not sought in the file."""
    environ = {"CONVERTRO_ACCOUNT": "..", "CONVERTRO_SITE_ID": "\udcff"}
    with pytest.raises(SettingsError) as caught:
        load(file, environ, wire__base_url="ftp://x", delivery__state="")
    lines = caught.value.message.splitlines()
    assert lines[0] == f"4 faults in the settings ({file}):"
    endings = {line.split()[0]: line[line.rindex("(") :] for line in lines[1:]}
    assert endings == {
        "convertro.account": "(from the environment)",
        "convertro.site_id": "(from the environment)",
        "wire.base_url": "(from the option)",
        "delivery.state": "(from the option)",
    }
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_table_that_is_none_is_told_even_when_overridden(tmp_path: Path) -> None:
    """An override does not hide it, nor fail on it."""
    path = tmp_path / "convertro.toml"
    path.write_text("convertro = 5")
    with pytest.raises(SettingsError, match="convertro = 5"):
        load(path, {"CONVERTRO_ACCOUNT": "acme"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[convertro\n", "is no TOML: "),
        (b"account = 1\naccount = 2\n", "is no TOML: "),
        (b"\xff\xfe", "is no TOML: "),
        (b"a = " + b"[" * 100_000, "nested too deep|is no TOML"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes, message: str) -> None:
    """One sentence with the place, and no traceback."""
    path = tmp_path / "convertro.toml"
    path.write_bytes(content)
    with pytest.raises(ConvertroError, match=message) as caught:
        load(path)
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_file_as_editors_on_windows_write_it(file: Path) -> None:
    """A byte order mark and line ends of two characters change nothing."""
    plain = load(file)
    file.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    assert load(file) == plain


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The hint says how to make one."""
    with pytest.raises(ConvertroError, match="There is no settings file") as caught:
        load(tmp_path / "none.toml")
    assert "convertro init" in (caught.value.hint or "")


def test_a_folder_for_a_file(tmp_path: Path) -> None:
    """It cannot be read, and that is said."""
    with pytest.raises(ConvertroError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_folders_are_beside_the_file_but_for_the_option(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a file names is beside it; what the command line names is where the command runs."""
    monkeypatch.setenv("HOME", "/home/jane")
    assert load(file).state_folder == file.parent / ".convertro"
    assert load(file, delivery__state="s").state_folder == Path("s")
    file.write_text(FILE + '[delivery]\nstate = "sub/s"\n')
    assert load(file).state_folder == file.parent / "sub/s"
    file.write_text(FILE + '[delivery]\nstate = "~/s"\n')
    assert load(file).state_folder == Path("/home/jane/s")
    file.write_text(FILE + '[delivery]\nstate = "/var/s"\n')
    assert load(file).state_folder == Path("/var/s")


def test_the_certificates_are_beside_the_file(file: Path) -> None:
    """None where none is named; a file that is not there is a fault."""
    assert load(file).ca_bundle is None
    file.write_text('[wire]\nca_bundle = "own.pem"\n' + FILE)
    with pytest.raises(SettingsError, match=r"'own\.pem' is no file"):
        load(file)
    (file.parent / "own.pem").touch()
    assert load(file).ca_bundle == file.parent / "own.pem"


PRIVATE = FILE + '[privacy]\nsuppressed = ["a.txt", "sub/b.txt"]\n'


def test_suppression_lists_are_beside_the_file_but_for_the_option(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a file names is beside it; what the command line names is where the command runs."""
    file.write_text(PRIVATE)
    for name in ("a.txt", "sub/b.txt", "here/c.txt"):
        (file.parent / name).parent.mkdir(exist_ok=True)
        (file.parent / name).write_text(f"{name}\n")
    monkeypatch.chdir(file.parent / "here")
    loaded = load_settings(file, environ={}, suppressed=[Path("c.txt")])
    assert loaded.suppressed is not None
    assert all(name in loaded.suppressed for name in ("a.txt", "sub/b.txt", "here/c.txt"))
    assert loaded.named_files == (
        file.parent / "a.txt",
        file.parent / "sub/b.txt",
        Path("c.txt"),
    )


def test_without_lists_there_is_none(file: Path) -> None:
    """And no file is named."""
    loaded = load(file)
    assert (loaded.suppressions, loaded.suppressed, loaded.named_files) == (None, None, ())


def test_the_faults_of_lists_are_told_with_all_others(file: Path) -> None:
    """Each with its key, the file and the line."""
    file.write_text(PRIVATE + '[mapping]\nmode = "cloudy"\n')
    (file.parent / "a.txt").write_bytes(b"u1\n\xff\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environ={}, suppressed=[file.parent / "c.txt"])
    lines = caught.value.message.splitlines()
    assert lines[0].startswith("4 faults in the settings (")
    assert lines[1].startswith("  mapping.mode = 'cloudy'; allowed: ")
    assert lines[2].startswith("  privacy.suppressed = 'a.txt' line 2: is not UTF-8; allowed: text")
    assert lines[3] == "  privacy.suppressed = 'sub/b.txt' is not there"
    assert lines[4].startswith("  --suppressed = '")
    assert lines[4].endswith("c.txt' is not there")


def test_what_the_command_line_names_is_no_matter_of_a_settings_file(file: Path) -> None:
    """The hint that `convertro init` writes every key is for who has a key wrong."""
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environ={}, suppressed=[file.parent / "none.txt"])
    assert "is not there" in caught.value.message
    assert caught.value.hint is None


@pytest.mark.parametrize("names", ['"a.txt"', "5", "[5]", '[""]', '["~nosuchuser/a.txt"]'])
def test_names_that_are_none_are_told_once(file: Path, names: str) -> None:
    """A value of the wrong type is one fault, and no traceback."""
    file.write_text(FILE + f"[privacy]\nsuppressed = {names}\n")
    with pytest.raises(SettingsError, match="1 fault"):
        load(file)


def test_who_does_not_map_does_not_read_lists(file: Path) -> None:
    """What the ledger holds can be seen while a list is missing."""
    file.write_text(PRIVATE)
    assert load_settings(file, environ={}, with_files=False).suppressions is None


def test_settings_that_name_the_same_lists_share_them(file: Path) -> None:
    """A list of a million ids is in memory once when two settings are compared."""
    file.write_text(PRIVATE.replace(', "sub/b.txt"', ""))
    (file.parent / "a.txt").write_text("u1\n")
    (file.parent / "c.txt").write_text("u2\n")
    other = file.with_name("new.toml")
    other.write_text(file.read_text())
    one = load_settings(file, environ={})
    assert load_settings(other, environ={}, read_before=one.suppressions).suppressions is (
        one.suppressions
    )
    more = load_settings(
        other, environ={}, read_before=one.suppressions, suppressed=[file.parent / "c.txt"]
    )
    assert more.suppressed is not None
    assert "u2" in more.suppressed
