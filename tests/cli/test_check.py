"""``convertro check``: the settings as understood, or every fault in them."""

from __future__ import annotations

import json
import os
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from convertro_cli.cli.app import run
from convertro_cli.delivery import transports
from convertro_cli.settings.load import ENVIRONMENT, load_settings

FILE = """\
[convertro]
account = "acme"
client_name = "a\\u001bc"
site_id = 7

[events]
"Signed Up" = "signup"
"a.b = # \\" c" = ["x", "y"]

[delivery]
timeout = "1m"

[wire.paths]
install = "/x/{account}/"
"""
SOUND = FILE.replace("a\\u001bc", "a\\u202ec")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs where only its settings are, without this process's own environment."""
    monkeypatch.chdir(tmp_path)
    for variable in ENVIRONMENT:
        monkeypatch.delenv(variable, raising=False)


def write(text: str, name: str = "convertro.toml") -> None:
    """Write a settings file."""
    Path(name).write_text(text)


def origins_of(output: str) -> dict[str, str]:
    """The origin that stands after each value."""
    table = ""
    found = {}
    for line in output.splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        elif " = " in line and not line.startswith("#"):
            pair, _, origin = line.rpartition("  # ")
            (key,) = tomllib.loads(pair)
            found[f"{table}.{key}"] = origin
    return found


def test_the_output_is_a_settings_file_that_says_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every value is there, as understood, and it loads to the same settings."""
    write(SOUND)
    assert run(["check"]) == 0
    told = capsys.readouterr()
    assert "\u202e" not in told.out
    write(told.out, "again.toml")
    first = load_settings(Path("convertro.toml"), environ={}).settings
    assert load_settings(Path("again.toml"), environ={}).settings == first
    assert 'site_id = "7" ' in told.out
    assert "timeout = 60 " in told.out
    assert "# domain is not set" in told.out


def test_each_value_stands_with_its_origin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, environment variable, option or default."""
    write(SOUND)
    monkeypatch.setenv("CONVERTRO_SITE_ID", "8")
    monkeypatch.setenv("CONVERTRO_ACCOUNT", "from-env")
    assert run(["check", "--account", "from-option", "--rate-limit", "5", "--state", "s"]) == 0
    found = origins_of(capsys.readouterr().out)
    assert found.pop("convertro.account") == "option: --account"
    assert found.pop("convertro.site_id") == "environment: CONVERTRO_SITE_ID"
    assert found.pop("delivery.rate_limit") == "option: --rate-limit"
    assert found.pop("delivery.state") == "option: --state"
    from_file = {key for key, origin in found.items() if origin == "file"}
    assert from_file == {
        "convertro.client_name",
        "events.Signed Up",
        'events.a.b = # " c',
        "delivery.timeout",
        "wire.paths.install",
    }
    assert {found[key] for key in found.keys() - from_file} == {"default"}


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--account", "b", 'account = "b"'),
        ("--client-name", "b", 'client_name = "b"'),
        ("--site-id", "9", 'site_id = "9"'),
        ("--domain", "d", 'domain = "d"'),
        ("--base-url", "http://127.0.0.1:8020", 'base_url = "http://127.0.0.1:8020"'),
        ("--transport", "requests", 'transport = "requests"'),
        ("--concurrency", "16", "concurrency = 16"),
        ("--concurrency", "auto", 'concurrency = "auto"'),
        ("--rate-limit", "0.5", "rate_limit = 0.5"),
        ("--state", "/var/s", 'state = "/var/s"'),
    ],
)
def test_every_option_overrides_its_setting(
    option: str, value: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the command line says wins."""
    write(SOUND)
    assert run(["check", option, value]) == 0
    (found,) = [text for text in capsys.readouterr().out.splitlines() if text.startswith(line)]
    assert found.endswith(f"# option: {option}")


@pytest.mark.parametrize(
    ("setting", "installed", "line"),
    [
        ("auto", True, "# transport: curl (curl where pycurl is installed, else requests)"),
        ("auto", False, "# transport: requests (curl where pycurl is installed, else requests)"),
        ("curl", True, "# transport: curl"),
        ("requests", True, "# transport: requests"),
    ],
)
def test_the_transport_in_use(
    setting: str,
    installed: bool,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And how auto comes to it."""
    write(SOUND)
    monkeypatch.setattr(transports, "find_spec", lambda _: object() if installed else None)
    assert run(["check", "--transport", setting]) == 0
    assert line in capsys.readouterr().out.splitlines()


def test_a_transport_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A replay would fail, so it is a fault."""
    write(SOUND)
    monkeypatch.setattr(transports, "find_spec", lambda _: None)
    assert run(["check", "--transport", "curl"]) == 2
    assert "pycurl is not installed" in capsys.readouterr().err


def test_where_the_calls_would_go(capsys: pytest.CaptureFixture[str]) -> None:
    """Cloud calls are left out while their settings are missing, and that is said."""
    write('[convertro]\naccount = "acme"\n')
    assert run(["check"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "# web_event: https://sp1.convertro.com/api/hit/acme/0/" in told
    assert "# cloud calls: no: client_name, site_id, domain not set" in told
    assert not any(line.startswith(("# cloud_event", "# install")) for line in told)
    assert run(["check", "--client-name", "c", "--site-id", "1", "--domain", "d"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "# cloud calls: yes" in told
    assert "# install: https://sp1.convertro.com/api/install/c/1/" in told


def test_consent_that_is_not_looked_at_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Without categories messages go out, whatever consent they carry."""
    write(SOUND)
    assert run(["check"]) == 0
    told = capsys.readouterr().out
    assert "# consent: not looked at, even where messages carry it" in told


NEW_TABLES = """
[mapping]
integrations = "ignore"
delivered_in_browser = "skip-unmarked"
unreadable_amount = "send"
repeated_orders = "skip"

[privacy]
suppressed = ["ids.txt"]

[consent]
categories = ["Advertising", "a \\" b"]
without = "skip"
empty = "send"

[schema]
disabled_events = ["Test Event"]
"""


def test_what_keeps_messages_back_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Each key of these tables, and each suppression list with its size and its age."""
    write(SOUND + NEW_TABLES)
    write("u1\nu2\nu1\n", "ids.txt")
    write("userId\nu3\n", "more.csv")
    aged = time.time() - 86400 * 1.5
    os.utime("more.csv", (aged, aged))
    assert run(["check", "--suppressed", "more.csv"]) == 0
    told = capsys.readouterr().out
    write(told, "again.toml")
    first = load_settings(Path("convertro.toml"), environ={}).settings
    assert load_settings(Path("again.toml"), environ={}).settings == first
    from_file = {key for key, origin in origins_of(told).items() if origin == "file"}
    assert from_file >= {
        "mapping.integrations",
        "mapping.delivered_in_browser",
        "mapping.unreadable_amount",
        "mapping.repeated_orders",
        "privacy.suppressed",
        "consent.categories",
        "consent.without",
        "consent.empty",
        "schema.disabled_events",
    }
    assert '# consent: asked for Advertising, a " b' in told.splitlines()
    assert told.splitlines()[-3:] == [
        "# suppressed: ids.txt: 3 user ids, changed today",
        "# suppressed: more.csv: 1 user id, 1 day old",
        "# suppressed: different users on the list: 3",
    ]


def test_suppression_lists_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With the number of users, and of each file its ids and its age; old ones are advice."""
    write(SOUND + NEW_TABLES)
    write("u1\nu2\nu1\n", "ids.txt")
    aged = time.time() - 86400 * 40.4
    os.utime("ids.txt", (aged, aged))
    assert run(["check", "--json"]) == 0
    found = json_of(capsys)
    assert found["suppressed"] == {
        "users": 2,
        "files": [{"file": "ids.txt", "ids": 3, "other_subjects": 0, "age_days": 40}],
    }
    assert found["settings"]["schema"] == {"disabled_events": ["Test Event"]}
    assert found["origins"]["consent.without"] == "file"
    assert any("ids.txt was last changed 40 days ago" in each for each in found["advice"])


def test_a_list_that_is_none_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """Told with all the others, and nothing of the file's content speaks to a terminal."""
    write(SOUND + NEW_TABLES.replace("ids.txt", "i\\u009bds.txt").replace('"skip"', '"never"'))
    write('userId\n"\x1b[2J', "bad.csv")
    assert run(["check", "--suppressed", "bad.csv", "--suppressed", "none"]) == 2
    told = capsys.readouterr().err
    assert "5 faults in the settings" in told
    for part in (
        "mapping.repeated_orders = 'never'; allowed: ",
        "consent.without = 'never'; allowed: ",
        "privacy.suppressed = 'i\\x9bds.txt' holds a control character; allowed: ",
        "--suppressed = 'bad.csv' line 2: is no CSV: ",
        "--suppressed = 'none' is not there",
    ):
        assert part in told
    assert "\x1b" not in told
    assert "Traceback" not in told


def test_advice_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no fault: the exit code is 0, and the output stays a settings file."""
    write(SOUND.replace('"Signed Up"', '"signed_up" = "lead"\n"Signed Up"'))
    assert run(["check"]) == 0
    told = capsys.readouterr()
    assert tomllib.loads(told.out)
    first, second = told.err.splitlines()
    assert first.startswith("convertro: note: [events] has 'signed_up' and 'Signed Up'")
    assert second.startswith("convertro: note: convertro.domain is missing")


def test_every_fault_is_told_and_the_exit_code_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    """All at once, on standard error, with no control code for the terminal."""
    write(FILE + '\n[mapping]\nmode = "cloudy"\ntrait = "x"\n')
    assert run(["check", "--base-url", "http://example.com"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "4 faults in the settings (convertro.toml)" in told.err
    for part in (
        "convertro.client_name = 'a\\x1bc' holds a control character",
        "mapping.mode = 'cloudy'; allowed: one of",
        "mapping.trait is no setting; did you mean mapping.traits?",
        "wire.base_url = 'http://example.com' would send personal data unencrypted",
    ):
        assert part in told.err
    assert "(from the option)" in told.err
    assert "\x1b" not in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check"], "There is no settings file convertro.toml"),
        (["check", "--config", "other.toml"], "There is no settings file other.toml"),
        (["check", "-c", "."], "cannot be read"),
        (["check", "--concurrency", "9" * 5000], "There is no settings file"),
    ],
)
def test_no_settings_file(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, whatever else is given."""
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_number_of_thousands_of_digits_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no concurrency, and no reason to fail."""
    write(SOUND)
    assert run(["check", "--concurrency", "9" * 5000]) == 2
    assert "delivery.concurrency = '999" in capsys.readouterr().err


def json_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one JSON object on standard output."""
    told = capsys.readouterr()
    assert told.err == ""
    (line,) = told.out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same, for a program: one object, with advice in it and nothing on standard error."""
    write(SOUND)
    assert run(["check", "--json", "--account", "b"]) == 0
    found = json_of(capsys)
    assert found["file"] == "convertro.toml"
    assert found["settings"]["convertro"]["account"] == "b"
    assert found["settings"]["wire"]["paths"]["install"] == "/x/{account}/"
    assert found["origins"]["convertro.account"] == "option"
    assert found["origins"]["convertro.domain"] == "default"
    assert found["origins"]["events.Signed Up"] == "file"
    assert found["origins"]["wire.params.ts"] == "default"
    assert found["transport"] in {"curl", "requests"}
    assert found["state"] == ".convertro"
    assert found["faults"] == []
    assert len(found["advice"]) == 1


def test_faults_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its key, what is wrong, what is allowed and what was meant."""
    write('[convertro]\nacount = "acme"\n')
    assert run(["check", "--json"]) == 2
    assert json_of(capsys) == {
        "file": "convertro.toml",
        "faults": [
            {
                "key": "convertro.account",
                "problem": "is missing",
                "allowed": "the Convertro account's name, as text",
                "meant": None,
            },
            {
                "key": "convertro.acount",
                "problem": "is no setting",
                "allowed": None,
                "meant": "convertro.account",
            },
        ],
    }


def test_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """No state folder, no ledger."""
    write(SOUND)
    assert run(["check"]) == 0
    assert capsys.readouterr().out
    assert [path.name for path in Path().iterdir()] == ["convertro.toml"]


def test_the_help_fits_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two examples, and no line longer than 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["check", "-h"]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert "• convertro check " in told
    assert "• convertro check -c shop.toml --base-url http://127.0.0.1:8020" in told


@pytest.mark.parametrize(
    "spelling",
    [
        "https://shop.example.com",
        "HTTPS://Shop.Example.COM/",
        "https://shop.example.com.:443",
        "https://shop.example.com:0443/",
    ],
)
def test_a_target_is_shown_by_its_one_name(
    spelling: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """However an address is spelt, what is shown is the form by which the ledger knows it."""
    write('[convertro]\naccount = "acme"\n')
    assert run(["check", "--base-url", spelling]) == 0
    told = capsys.readouterr().out
    assert 'base_url = "https://shop.example.com" ' in told
    assert "# web_event: https://shop.example.com/api/hit/acme/0/\n" in told
    assert run(["check", "--base-url", spelling, "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["settings"]["wire"]["base_url"] == "https://shop.example.com"
