"""The commented convertro.toml that ``convertro init`` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from convertro_cli.settings.faults import TABLES
from convertro_cli.settings.filter_template import filter_keys, filter_tables
from convertro_cli.settings.toml_text import toml_string, toml_value

_HEAD = """\
# The settings of convertro. Every key is here with its default: to change one, take off the #.
# `convertro check` shows the settings as understood, and every fault in them.
"""

_TABLES = {
    "convertro": "The settings of Segment's Convertro destination, under Segment's names.",
    "mapping": "How Segment's messages become calls to Convertro.",
    "privacy": "Whose messages are not sent, whatever they say.",
    "consent": "The consent that a message must carry; without categories none is asked for.",
    "schema": "What Segment's Schema tab switches off for this destination.",
    "delivery": "How the calls are sent.",
    "wire": "Convertro's interface, as public code used it. What your account manager says wins.",
    "wire.paths": "The path of each call; {account}, {client_name}, {site_id} are filled in.",
    "wire.params": "What each parameter is called in a request.",
    "storage": "Exports in object storage. Credentials are where each cloud has them, not here.",
}

_EVENTS = """\

# Which events are sent: Segment's name = Convertro's event type, or an array of types.
# Case, spaces, hyphens, underscores and capitals make no difference. Web orders need no entry.
[events]
"""

_EVENT_EXAMPLES = """\
# "Signed Up" = "signup"
# "Trial Started" = ["trial", "lead"]
"""

_EXAMPLES: Mapping[str, Any] = {
    "convertro.account": "",
    "convertro.client_name": "acme",
    "convertro.site_id": "1",
    "convertro.domain": "https://shop.example.com",
    "delivery.rate_limit": 50,
    "delivery.ledger": "postgresql://convertro@db.example.com/convertro",
    "delivery.ping_url": "https://hc-ping.com/your-uuid",
    "wire.ca_bundle": "certificates.pem",
    "storage.endpoint_url": "https://minio.example.com",
    "storage.region": "eu-central-1",
    "storage.ca_bundle": "certificates.pem",
}
"""What to show for the keys that have no default."""

COMMENTS: Mapping[str, str] = {
    "convertro.account": "The Convertro account's name. Required.",
    "convertro.client_name": "The Convertro client name. Cloud calls (mobile, server) need it.",
    "convertro.site_id": "The Convertro site id. Cloud calls need it; web calls send 0 without it.",
    "convertro.domain": "The site's address. Cloud calls need it, and send it as their page.",
    "convertro.hybrid_attribution_model": "Whether sale.new and sale.repeat are sent as sale too.",
    "mapping.mode": 'Whose rules apply: "web", "cloud", or "auto" to tell by each message.',
    "mapping.unmapped_events": 'Events not in [events]: "send", "drop", or "auto": cloud ones are '
    "sent if [events] is empty.",
    "mapping.require_order_id": "Whether web orders without an order id are skipped.",
    "mapping.cloud_orders": 'Cloud orders go out under their "name", or as "sale" like web orders.',
    "mapping.visitor_id": "Where a web message holds the visitor's id; the first found counts.",
    "mapping.traits": 'The traits sent with a web identify: "all", "none", or an array of names.',
    "mapping.integrations": 'The integrations object of a message: "obey", or "ignore" as '
    "Segment's own Replay does.",
    "mapping.delivered_in_browser": 'Web messages that the browser delivered: "skip", "send"; '
    '"skip-unmarked": unmarked too.',
    "mapping.unreadable_amount": 'Messages with an amount that cannot be read: "hold" them back, '
    'or "send" 1.',
    "mapping.repeated_orders": 'Messages with an order id that came before: "send", or "skip".',
    "privacy.suppressed": "Files of user ids: text, CSV, or answers of Segment's Public API.",
    "consent.categories": "The ids of the consent categories that Convertro is in.",
    "consent.without": 'Messages that carry no consent: "send" or "skip".',
    "consent.empty": 'Messages whose consent object is empty: "skip" or "send".',
    "schema.disabled_events": "Names as in the Schema tab, compared exactly.",
    "delivery.transport": '"curl" (needs pycurl), "requests", or "auto" for curl if it is there.',
    "delivery.concurrency": 'Requests under way at once: a number, or "auto" to adapt.',
    "delivery.max_concurrency": 'The most requests under way at once with "auto".',
    "delivery.rate_limit": "The most calls a second; no limit without it.",
    "delivery.timeout": "How long to wait for a connection, and for an answer.",
    "delivery.max_attempts": "How often a call is tried before it counts as failed.",
    "delivery.outage_timeout": "How long to wait for Convertro when nothing gets through.",
    "delivery.stop_after_refusals": "How many refusals in a row end the run; 0 for none.",
    "delivery.state": "The folder of the ledger and the dead letters, beside this file.",
    "delivery.ledger": "A PostgreSQL database for the ledger of many machines; no password here.",
    "delivery.ledger_timeout": "How long to wait for that database when it is away.",
    "delivery.ledger_lease": "After how long a silence another machine takes over.",
    "delivery.ping_url": "Whom to tell of a run's start, success or exit code, as healthchecks.io "
    "has it. A secret.",
    "wire.base_url": "Where Convertro is.",
    "wire.hash_email_ids": "Whether user ids that look like an e-mail are hashed, as the tag does.",
    "wire.ca_bundle": "A file of certificates (PEM) to trust in place of the usual ones.",
    "wire.allow_http": "Whether to send unencrypted, to another machine than this one.",
    "wire.success": 'What counts as delivered: "not-html" for 2xx but HTML pages, "any" 2xx, or '
    "an array of statuses.",
    "wire.paths.web_event": "A track from a browser.",
    "wire.paths.web_user": "An identify from a browser, or by Engage.",
    "wire.paths.cloud_event": "A track from a mobile app or a server.",
    "wire.paths.cloud_user": "An identify from a mobile app or a server.",
    "wire.paths.install": "An Application Installed.",
    "wire.params.sid": "The visitor's id.",
    "wire.params.eid": "The event's id.",
    "wire.params.typ": "A web event's type.",
    "wire.params.val": "A web event's value.",
    "wire.params.id": "The user's id in a web user call.",
    "wire.params.pag": "The page's address; in cloud calls the domain.",
    "wire.params.ref": "The referrer.",
    "wire.params.cip": "The visitor's IP address.",
    "wire.params.cua": "The visitor's user agent.",
    "wire.params.ts": "The event's time, in Unix seconds.",
    "wire.params.device_id": "The device's id in cloud calls.",
    "wire.params.user_id": "The user's id in cloud calls.",
    "wire.params.event_type": "A cloud event's type.",
    "wire.params.event_value": "A cloud event's value.",
    "storage.endpoint_url": "Where object storage is, if not at the cloud's own address.",
    "storage.region": "The region of the buckets, if the environment does not say.",
    "storage.anonymous": "Whether to sign no requests, for public buckets.",
    "storage.allow_http": "Whether to read unencrypted, from another machine than this one.",
    "storage.ca_bundle": "A file of certificates (PEM) to trust besides the usual ones.",
}


def is_template(text: str) -> bool:
    """Whether a file began as the one that is written here."""
    return text.startswith(_HEAD.partition("\n")[0])


def render_template(values: Mapping[str, Any], proposed_events: str = "") -> str:
    """Write a convertro.toml with every key and a comment on each.

    ``values`` has tables of settings, nested as in the file. What is there is written as a
    value; every other key stands behind a ``#`` with its default. ``proposed_events`` are lines
    of TOML to put under ``[events]``, after those of ``values``.
    """
    parts = [_HEAD, *filter_keys(values)]
    for table, model in TABLES.items():
        inner = _inner(values, table)
        parts.append(f"\n# {_TABLES[table]}\n[{table}]\n")
        for name, field in model.model_fields.items():
            if f"{table}.{name}" not in TABLES:
                parts.extend(_key(f"{table}.{name}", name, field, inner))
        if table == "convertro":
            parts.extend(_events(values.get("events", {}), proposed_events))
    parts.extend(filter_tables(values))
    return "".join(parts)


def _inner(values: Mapping[str, Any], table: str) -> Mapping[str, Any]:
    for name in table.split("."):
        values = values.get(name, {})
    return values


def _key(key: str, name: str, field: FieldInfo, values: Mapping[str, Any]) -> Iterator[str]:
    value = values.get(name)
    mark = "# " if value is None and not field.is_required() else ""
    if value is None:
        value = _EXAMPLES.get(key, field.default)
    yield f"\n# {COMMENTS[key]}\n{mark}{name} = {toml_value(value)}\n"


def _events(events: Mapping[str, Any], proposed: str) -> Iterator[str]:
    yield _EVENTS
    if not events and not proposed:
        yield _EVENT_EXAMPLES
    for name, targets in events.items():
        yield f"{toml_string(name)} = {toml_value(targets)}\n"
    yield proposed
