"""The examples are what a newcomer sees first: they load, they run, and they show every rule."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.cli.app import run
from convertro_cli.mapping.calls import InvalidReason, MappingWarning, SkipReason
from convertro_cli.mapping.dry_run import DryRunBatch, DryRunJob
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.batch import LineBatch
from convertro_cli.segment.money import read_amount
from convertro_cli.segment.names import is_install, is_order
from convertro_cli.settings.advice import advise
from convertro_cli.settings.compile import compile_loaded
from convertro_cli.settings.load import load_settings

FOLDER = Path(__file__).parent.parent / "examples"
EXPORT = FOLDER / "export.ndjson"
SETTINGS = FOLDER / "convertro.toml"
SANDBOX = FOLDER / "sandbox.toml"
SUPPRESSED = FOLDER / "suppressed.txt"
SHARED = (
    "two-terminals.sh",
    "kubernetes-job.yaml",
    "dask-job.yaml",
    "airflow_dag.py",
    "convertro.service",
    "convertro.timer",
)
TEXTS = [EXPORT, SETTINGS, SANDBOX, *(FOLDER / name for name in ("crontab", "README.md", *SHARED))]

OF_OPTIONS_OR_OTHER_SETTINGS = {
    SkipReason.FILTERED_OUT,
    SkipReason.CLOUD_SETTINGS_MISSING,
    SkipReason.CONSENT_MISSING,
    SkipReason.REPEATED_ORDER,
}
FOUND_BESIDE_THE_MAPPING = {MappingWarning.SHARED_MESSAGE_ID}  # only a whole run can tell
TOO_LARGE_TO_SHOW = {InvalidReason.LINE_TOO_LONG}  # a line of more than a mebibyte

DOCUMENTATION_NETWORKS = [
    ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
MY_OWN_ADDRESS = "127.0.0.1"
EMAIL = re.compile(rb"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
IPV4 = re.compile(rb"(?<![\w.])(?<!\w/)\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")  # no browser's version
CRON_FIELD = re.compile(r"(?:\*|\d+(?:-\d+)?)(?:/\d+)?(?:,\d+)*")

Json = dict[str, Any]


def dry_run(settings: Path = SETTINGS, selection: Selection | None = None) -> DryRunBatch:
    """Dry-run the sample export, with a line for what is not sent, too."""
    rules = compile_loaded(load_settings(settings, environ={}), selection)
    batch = LineBatch(0, EXPORT.name, 1, EXPORT.read_bytes(), EXPORT.stat().st_size)
    return DryRunJob(rules, include_skipped=True)(batch)


def lines_of(result: DryRunBatch) -> list[Json]:
    """The lines that a dry run wrote."""
    return [orjson.loads(line) for line in result.output.splitlines()]


def sound_messages() -> list[Json]:
    """The lines of the sample export that are JSON objects."""
    messages = []
    for line in EXPORT.read_bytes().split(b"\n"):
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(message, dict):
            messages.append(message)
    return messages


def commands(text: str) -> list[str]:
    """The commands of the program that a text shows in code blocks, up to a pipe."""
    return [line.split(" | ")[0] for line in re.findall(r"^    (convertro .*)$", text, re.M)]


def test_every_reason_to_skip_is_shown() -> None:
    """The sample export shows each reason for skipping that no option or lack is needed for."""
    assert set(dry_run().skipped) == set(SkipReason) - OF_OPTIONS_OR_OTHER_SETTINGS


def test_filters_skip_what_they_leave_out() -> None:
    """A filter by type skips the tracks of the sample export as filtered out."""
    assert dry_run(selection=Selection(types=frozenset({"identify"}))).skipped["filtered_out"] > 50


@pytest.mark.parametrize("setting", ["client_name", "site_id", "domain"])
def test_cloud_messages_are_skipped_without_a_cloud_setting(tmp_path: Path, setting: str) -> None:
    """Without any one of the cloud settings the apps' messages are skipped for that reason."""
    partial = tmp_path / "convertro.toml"
    (tmp_path / SUPPRESSED.name).write_bytes(SUPPRESSED.read_bytes())
    text = SETTINGS.read_text()
    partial.write_text(re.sub(rf"^{setting} = .*$", "", text, flags=re.M))
    result = dry_run(partial)
    assert result.skipped["cloud_settings_missing"] > 20
    assert all(line["mode"] == "web" for line in lines_of(result) if "mode" in line)


def test_every_kind_of_invalid_line_is_shown() -> None:
    """The sample export has a line of each kind that is invalid, but for a gigantic one."""
    shown = {line.reason for line in dry_run().invalid}
    assert shown == set(InvalidReason) - TOO_LARGE_TO_SHOW


def test_every_warning_is_shown() -> None:
    """The sample export has something for each warning."""
    assert set(dry_run().warnings) == set(MappingWarning) - FOUND_BESIDE_THE_MAPPING


def test_a_call_too_long_to_send_is_shown() -> None:
    """One call of the sample export is too long for a request."""
    assert [line["failed"] for line in lines_of(dry_run()) if "failed" in line] == [
        "request_too_long"
    ]


def test_every_call_is_shown() -> None:
    """The sample export yields each kind of call, under the rules of the web and the cloud."""
    shown = {(line["mode"], line["call"]) for line in lines_of(dry_run()) if "mode" in line}
    assert shown == {
        ("web", "event"),
        ("web", "user"),
        ("cloud", "event"),
        ("cloud", "user"),
        ("cloud", "install"),
    }


@pytest.mark.parametrize("mode", ["web", "cloud"])
def test_every_type_of_sale_and_mapped_event_is_shown(mode: str) -> None:
    """Orders of each type, and each target in [events], go out from web store and apps alike."""
    events = [line for line in lines_of(dry_run()) if line.get("call") == "event"]
    shown = {line["event_type"] for line in events if line["mode"] == mode}
    mapped: set[str] = set()
    for targets in load_settings(SETTINGS, environ={}).settings.events.values():
        mapped.update([targets] if isinstance(targets, str) else targets)
    assert shown == mapped | {"sale", "sale.new", "sale.repeat"}


def test_spellings_are_shown() -> None:
    """Order names, install names and mapped names stand in the sample export in many spellings."""
    names = {
        event for message in sound_messages() if isinstance(event := message.get("event"), str)
    }
    assert len(set(filter(is_order, names))) >= 8
    assert len(set(filter(is_install, names))) >= 3
    assert {"Signed Up", "signed_up", "signed-up", "signedUp", "SIGNED UP"} <= names


SHOWN: dict[str, Callable[[Json], object]] = {
    "repeat is true": lambda m: m["properties"]["repeat"] is True,
    "repeat is false": lambda m: m["properties"]["repeat"] is False,
    "repeat is no boolean": lambda m: m["properties"]["repeat"] == "true",
    "an order that does not say repeat": lambda m: (
        is_order(m["event"]) and "repeat" not in {key.lower() for key in m["properties"]}
    ),
    "a free order": lambda m: is_order(m["event"]) and m["properties"]["total"] == 0,
    "a negative amount": lambda m: m["properties"]["revenue"] < 0,
    "an amount with a currency": lambda m: read_amount(m["properties"]["total"][1:]) == 1200.5,
    "an amount with a comma": lambda m: m["properties"]["total"] == "12,5",
    "an amount in the European way": lambda m: m["properties"]["total"] == "1.200,50 €",
    "an amount that is an object": lambda m: isinstance(m["properties"]["revenue"], dict),
    "an order id that is a number": lambda m: isinstance(m["properties"]["Order ID"], int),
    "an order id that is empty": lambda m: (
        m["properties"]["id"] == "" and m["properties"]["order_id"]
    ),
    "two order ids": lambda m: m["properties"]["id"] != "" and m["properties"]["order_id"],
    "a browser by its library": lambda m: m["context"]["library"]["name"] == "analytics.js",
    "a browser by its newer library": lambda m: "analytics-next" in m["context"]["library"]["name"],
    "a browser by its channel": lambda m: (
        m["channel"] in {"client", "browser", "web"} and "library" not in m["context"]
    ),
    "a client with a device": lambda m: m["channel"] == "client" and m["context"]["device"]["id"],
    "an audience joined": lambda m: (
        m["traits"][m["context"]["personas"]["computation_key"]] is True
    ),
    "an audience left": lambda m: m["traits"][m["context"]["personas"]["computation_key"]] is False,
    "a numeric user id": lambda m: isinstance(m["userId"], int),
    "an e-mail address for a user id": lambda m: "@" in m["userId"],
    "a reserved trait": lambda m: "ts" in m["traits"],
    "a trait named id": lambda m: "id" in m["traits"] and m["type"] == "identify",
    "a trait with a space in its name": lambda m: "first name" in m["traits"],
    "a nested trait": lambda m: isinstance(m["traits"]["address"], dict),
    "integrations: all off, Convertro on": lambda m: (
        m["integrations"] == {"All": False, "Convertro": True}
    ),
    "integrations: Convertro off": lambda m: m["integrations"]["Convertro"] is False,
    "integrations: an object": lambda m: "sid" in m["integrations"]["Convertro"],
    "integrations: text": lambda m: isinstance(m["integrations"]["Convertro"], str),
    "integrations: all, in small letters": lambda m: m["integrations"]["all"] is False,
    "time in milliseconds": lambda m: isinstance(m["timestamp"], int),
    "time with an offset": lambda m: m["timestamp"].endswith("+02:00"),
    "time from originalTimestamp": lambda m: "timestamp" not in m and m["originalTimestamp"],
    "time from receivedAt": lambda m: (
        not {"timestamp", "originalTimestamp"} & set(m) and m["receivedAt"]
    ),
    "time from sentAt": lambda m: (
        not {"timestamp", "originalTimestamp", "receivedAt"} & set(m) and m["sentAt"]
    ),
    "no message id": lambda m: "messageId" not in m,
    "no anonymous id": lambda m: "anonymousId" not in m and m["channel"] == "client",
}


@pytest.mark.parametrize("case", SHOWN.values(), ids=SHOWN.keys())
def test_every_case_is_shown(case: Callable[[Json], object]) -> None:
    """Each case that the mapping has a rule for stands in some message of the sample export."""
    assert any(_holds(case, message) for message in sound_messages())


def _holds(case: Callable[[Json], object], message: Json) -> bool:
    try:
        return bool(case(message))
    except (KeyError, TypeError, AttributeError):
        return False


def test_every_kind_of_message_is_shown() -> None:
    """The sample export has all six of Segment's types."""
    types = {message.get("type") for message in sound_messages()}
    assert {"identify", "track", "page", "screen", "group", "alias"} <= types


def test_oddly_written_lines_are_shown() -> None:
    """The sample export has blank lines, a CRLF line, and one that is not UTF-8."""
    lines = EXPORT.read_bytes().split(b"\n")[:-1]
    assert [line for line in lines if not line.strip()] == [b"", b"  "]
    assert sum(line.endswith(b"\r") for line in lines) == 1
    with pytest.raises(UnicodeDecodeError):
        EXPORT.read_text("utf-8")


def test_one_message_is_there_twice() -> None:
    """One message stands in the sample export twice, and all other requests are different."""
    ids = Counter(
        (message.get("messageId"), message.get("timestamp")) for message in sound_messages()
    )
    repeated = {message_id for (message_id, _), count in ids.items() if message_id and count > 1}
    assert len(repeated) == 1
    urls = [
        line["url"]
        for line in lines_of(dry_run())
        if "url" in line and line["message_id"] not in repeated
    ]
    assert len(set(urls)) == len(urls)


def test_messages_are_of_three_months() -> None:
    """All calls of the sample export fall into March to May 2024."""
    times = [line["timestamp"] for line in lines_of(dry_run()) if "timestamp" in line]
    assert min(times) >= 1709251200  # 2024-03-01
    assert max(times) < 1717200000  # 2024-06-01


@pytest.mark.parametrize("settings", [SETTINGS, SANDBOX], ids=lambda path: path.stem)
def test_settings_are_sound_and_give_no_cause_for_advice(settings: Path) -> None:
    """Both settings files load, and there is nothing in them to warn of."""
    assert advise(load_settings(settings, environ={}).settings) == []


def test_sandbox_rehearses_the_same_mapping() -> None:
    """The sandbox's settings differ from the others in delivery and address only."""
    real, rehearsal = (load_settings(file, environ={}) for file in (SETTINGS, SANDBOX))
    assert rehearsal.settings.convertro == real.settings.convertro
    assert rehearsal.settings.events == real.settings.events
    assert rehearsal.settings.mapping == real.settings.mapping
    assert rehearsal.settings.privacy == real.settings.privacy
    assert rehearsal.settings.consent == real.settings.consent
    assert rehearsal.settings.schema_ == real.settings.schema_
    assert rehearsal.settings.filters == real.settings.filters
    assert rehearsal.settings.transformations == real.settings.transformations
    assert rehearsal.settings.wire.base_url == "http://127.0.0.1:8020"
    assert rehearsal.state_folder != real.state_folder


def test_nothing_points_at_a_real_person_or_machine() -> None:
    """All e-mail addresses and IP addresses are of those set aside for documentation."""
    for file in TEXTS:
        content = file.read_bytes()
        hosts = {".".join(host.decode().split(".")[-2:]) for host in EMAIL.findall(content)}
        assert hosts <= {"example.com", "example.net", "example.org"}, file.name
        for address in IPV4.findall(content):
            assert is_for_documentation(address.decode()), file.name
    ips = [ip for message in sound_messages() if (ip := message.get("context", {}).get("ip"))]
    assert len(set(ips)) > 10
    assert all(map(is_for_documentation, ips))


def is_for_documentation(address: str) -> bool:
    """Whether an IP address is set aside for documentation, or is the reader's own machine."""
    return address == MY_OWN_ADDRESS or any(
        ip_address(address) in network for network in DOCUMENTATION_NETWORKS
    )


def test_links_lead_to_example_hosts() -> None:
    """All web addresses in the sample export are of example domains."""
    hosts = set(re.findall(rb"https?://([^/\"?]+)", EXPORT.read_bytes()))
    assert hosts
    assert all(re.search(rb"(^|\.)example\.(com|net|org)$", host) for host in hosts)


def test_the_cron_line_runs_and_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The crontab has one line: five fields of time, and a command that says nothing by itself."""
    _forget_environment(monkeypatch)
    lines = (FOLDER / "crontab").read_text().splitlines()
    (line,) = [line for line in lines if re.match(r"[\d*]", line)]
    assert "%" not in line
    *fields, command = line.split(maxsplit=5)
    assert all(CRON_FIELD.fullmatch(field) for field in fields)
    program, *arguments = shlex.split(command)
    assert program.startswith("/")
    assert program.endswith("/bin/convertro")
    assert arguments[-1].startswith("/")
    paths = {"--config": str(SETTINGS), "--state": str(tmp_path / "state")}
    for option, path in paths.items():
        arguments[arguments.index(option) + 1] = path
    empty = tmp_path / "exports"
    empty.mkdir()
    (empty / "day.ndjson").write_bytes(EXPORT.read_bytes().split(b"\n")[0])  # a page: not sent
    arguments[-1] = str(empty)
    assert run(arguments) == 0
    assert capfd.readouterr() == ("", "")


def test_the_crontab_is_whole() -> None:
    """The crontab ends with a newline (cron passes over a line without), and cron can read it."""
    text = (FOLDER / "crontab").read_text()
    assert text.endswith("\n")
    for line in text.splitlines():
        assert re.match(r"#|$|[A-Z]+=\S|[\d*]", line), line


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_the_units_are_sound(tmp_path: Path) -> None:
    """systemd takes the service and the timer as they are, but for the place of the program."""
    program = "/opt/convertro/.venv/bin/convertro"
    service = (FOLDER / "convertro.service").read_text()
    assert f"ExecStart={program} replay " in service
    (tmp_path / "convertro.service").write_text(
        service.replace(program, sys.executable).replace("User=convertro\n", "")
    )
    shutil.copy(FOLDER / "convertro.timer", tmp_path)
    units = [tmp_path / "convertro.service", tmp_path / "convertro.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if "convertro" in line]
    assert (done.returncode, told) == (0, [])


def test_the_units_command_is_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    """What the service starts has options that the program takes."""
    service = (FOLDER / "convertro.service").read_text()
    (command,) = re.findall("^ExecStart=(.+)$", service, re.M)
    assert run([*shlex.split(command)[1:], "--help"]) == 0
    assert "Usage" in capfd.readouterr().out


README = (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("command", commands(README))
def test_the_commands_of_the_readme_are_commands(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each command in the README has options and arguments that the program takes."""
    assert run([*shlex.split(command)[1:], "--help"]) == 0
    assert "Usage" in capfd.readouterr().out


def test_files_that_the_readme_names_are_there() -> None:
    """Each example that the README names, in its table or a command, exists."""
    rows = "".join(re.findall(r"^\| (`[^|]+) \|", README, re.M))
    named = set(re.findall(r"`([\w-]+\.?[\w]*)`", rows))
    named |= set(re.findall(r"examples/([\w.]+\.(?:ndjson|toml))\b", README))
    assert named == {
        *(
            "export.ndjson",
            "convertro.toml",
            "sandbox.toml",
            "suppressed.txt",
            "crontab",
            "demo.py",
        ),
        *SHARED,
    }


def test_the_numbers_of_the_readme_are_those_of_the_dry_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The summary that the README shows of the dry run is the one that a dry run gives."""
    _forget_environment(monkeypatch)
    options = ["--json", "--output", str(tmp_path / "lines"), "--state", str(tmp_path)]
    assert run(["replay", "--dry-run", str(EXPORT), "-c", str(SETTINGS), *options]) == 0
    result = orjson.loads(capfd.readouterr().out)
    messages = result["messages"]
    counts = {
        "messages read": str(messages["read"]),
        "would be delivered": str(messages["delivered"]),
        "already delivered": str(messages["already_delivered"]),
        "skipped": str(messages["skipped"]),
        "invalid": str(messages["invalid"]),
        "failed": str(messages["failed"]),
        "calls": str(result["calls"]["delivered"]),
        "warnings": str(sum(result["warnings"].values())),
        **{
            name: f"{total['calls']}  worth {total['value']:,.2f}"
            for name, total in result["by_event_type"].items()
        },
        **{
            name: f"{kept['messages']}  worth {kept['value']:,.2f}"
            for name, kept in result["kept_back"].items()
        },
    }
    shown = README.partition("    Dry run\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^ +([a-z._ ]*[a-z])  +(-?\d.*)$", shown, re.M)
    assert len(rows) > 8
    for label, rest in rows:
        assert rest.startswith(counts[label]), label


def _forget_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCOUNT", "CLIENT_NAME", "SITE_ID", "DOMAIN", "BASE_URL"):
        monkeypatch.delenv(f"CONVERTRO_{name}", raising=False)
