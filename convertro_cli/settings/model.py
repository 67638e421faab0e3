"""The settings as a checked value: every table and key of convertro.toml.

The keys of ``[convertro]`` and ``[events]`` are the settings of Segment's Convertro
destination, under Segment's names. The rest is this program's own. Each field's description
says what is allowed: it is what a person is told whose value is not.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    field_serializer,
)

from convertro_cli.destination_filters.specs import FilterSpecs
from convertro_cli.durations import parse_duration
from convertro_cli.settings.checks import (
    check_base_url,
    check_folder,
    check_ledger,
    check_no_blank,
    check_parameter_name,
    check_path,
    check_path_part,
    check_ping_url,
    masked_url,
)


def _digits_of(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _seconds(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


NotBlank = Annotated[str, AfterValidator(check_no_blank)]
PathPart = Annotated[NotBlank, AfterValidator(check_path_part)]
Folder = Annotated[NotBlank, AfterValidator(check_folder)]
LedgerAddress = Annotated[NotBlank, AfterValidator(check_ledger)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=7 * 86400)]
ParameterName = Annotated[str, AfterValidator(check_parameter_name)]
PathTemplate = Annotated[str, AfterValidator(check_path)]

# What asks for another try cannot be a success.
SuccessStatus = Annotated[int, Field(ge=200, le=407)]

_SWITCH = "true or false"
_SECONDS = "seconds, or a length of time such as 30s or 15m, up to 7d"
_PARAMETER = "a parameter name of letters, digits, '_', '-' and '.'"
_PATH = "a path such as /api/hit/{account}/{site_id}/, with {account}, {client_name}, {site_id}"


class SettingsTable(BaseModel):
    """A table of convertro.toml: unknown keys and wrong types are faults."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True)


class ConvertroTable(SettingsTable):
    """``[convertro]``: Segment's destination settings."""

    account: PathPart = Field(description="the Convertro account's name, as text")
    client_name: PathPart | None = Field(
        default=None, description="the Convertro client name, as text"
    )
    site_id: Annotated[PathPart, BeforeValidator(_digits_of)] | None = Field(
        default=None, description="the Convertro site id, as text or a whole number"
    )
    domain: NotBlank | None = Field(default=None, description="the site's address, as text")
    hybrid_attribution_model: bool = Field(default=False, description=_SWITCH)


class MappingTable(SettingsTable):
    """``[mapping]``: how messages become calls."""

    mode: Literal["auto", "web", "cloud"] = Field(
        default="auto", description='one of "auto", "web", "cloud"'
    )
    unmapped_events: Literal["auto", "send", "drop"] = Field(
        default="auto", description='one of "auto", "send", "drop"'
    )
    require_order_id: bool = Field(default=True, description=_SWITCH)
    cloud_orders: Literal["name", "sale"] = Field(
        default="name", description='one of "name", "sale"'
    )
    visitor_id: Annotated[list[NotBlank], Field(min_length=1)] = Field(
        default=["integrations.Convertro.sid", "anonymousId", "userId"],
        description='an array of dotted paths into a message, such as ["anonymousId"]',
    )
    traits: Literal["all", "none"] | list[NotBlank] = Field(
        default="all", description='"all", "none", or an array of trait names'
    )

    integrations: Literal["obey", "ignore"] = Field(
        default="obey", description='one of "obey", "ignore"'
    )
    delivered_in_browser: Literal["skip", "send", "skip-unmarked"] = Field(
        default="skip", description='one of "skip", "send", "skip-unmarked"'
    )
    unreadable_amount: Literal["hold", "send"] = Field(
        default="hold", description='one of "hold", "send"'
    )
    repeated_orders: Literal["send", "skip"] = Field(
        default="send", description='one of "send", "skip"'
    )


class PrivacyTable(SettingsTable):
    """``[privacy]``: whose messages are not sent, whatever they say."""

    suppressed: list[NotBlank] = Field(
        default=[], description='an array of files, such as ["suppressed.txt"]'
    )


class ConsentTable(SettingsTable):
    """``[consent]``: the consent that a message must carry."""

    categories: list[NotBlank] = Field(
        default=[], description='an array of category ids, such as ["Advertising"]'
    )
    without: Literal["send", "skip"] = Field(default="send", description='one of "send", "skip"')
    empty: Literal["skip", "send"] = Field(default="skip", description='one of "skip", "send"')


class SchemaTable(SettingsTable):
    """``[schema]``: what Segment's Schema tab switches off."""

    disabled_events: list[NotBlank] = Field(
        default=[], description='an array of event names, such as ["Test Event"]'
    )


class DeliveryTable(SettingsTable):
    """``[delivery]``: how calls are sent. Times are in seconds, rates in calls a second."""

    transport: Literal["auto", "curl", "requests"] = Field(
        default="auto", description='one of "auto", "curl", "requests"'
    )
    concurrency: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = Field(
        default="auto", description='"auto", or a whole number from 1 to 256'
    )
    max_concurrency: Annotated[int, Field(ge=1, le=256)] = Field(
        default=256, description="a whole number from 1 to 256"
    )
    rate_limit: Annotated[float, Field(gt=0, le=1_000_000)] | None = Field(
        default=None, description="calls a second, a number above 0"
    )
    timeout: Seconds = Field(default=30.0, description=_SECONDS)
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        default=8, description="a whole number from 1 to 100"
    )
    outage_timeout: Seconds = Field(default=900.0, description=_SECONDS)
    stop_after_refusals: Annotated[int, Field(ge=0, le=256)] = Field(
        default=100, description="a whole number from 0 to 256"
    )
    state: Folder = Field(default=".convertro", description="the folder of the ledger, as text")
    ledger: LedgerAddress | None = Field(
        default=None,
        description="the address of a database such as postgresql://db.example.com/convertro; the "
        "password in a password file (~/.pgpass), a service file, or PGPASSWORD",
    )
    ledger_timeout: Seconds = Field(default=60.0, description=_SECONDS)
    ledger_lease: Seconds = Field(default=30.0, description=_SECONDS)
    ping_url: Annotated[NotBlank, AfterValidator(check_ping_url)] | None = Field(
        default=None, description="a web address such as https://hc-ping.com/your-uuid"
    )

    @field_serializer("ping_url")
    def _mask(self, url: str | None) -> str | None:
        # Whoever knows it may ping it: what is shown or compared has no more than the host.
        return None if url is None else masked_url(url)


SECRETS = frozenset({"delivery.ping_url", "delivery.ledger"})
"""The keys whose values are never shown, not even in a message on what is wrong with them.

A ledger's address has no password in it, unless that is what is wrong with it.
"""


class PathsTable(SettingsTable):
    """``[wire.paths]``: the path of each call, with its placeholders."""

    web_event: PathTemplate = Field(default="/api/hit/{account}/{site_id}/", description=_PATH)
    web_user: PathTemplate = Field(default="/api/user/{account}/{site_id}/", description=_PATH)
    cloud_event: PathTemplate = Field(
        default="/api/hit/{client_name}/{site_id}/", description=_PATH
    )
    cloud_user: PathTemplate = Field(
        default="/api/user/{client_name}/{site_id}/", description=_PATH
    )
    install: PathTemplate = Field(
        default="/api/install/{client_name}/{site_id}/", description=_PATH
    )


class ParamsTable(SettingsTable):
    """``[wire.params]``: what each parameter is called on the wire."""

    sid: ParameterName = Field(default="sid", description=_PARAMETER)
    eid: ParameterName = Field(default="eid", description=_PARAMETER)
    typ: ParameterName = Field(default="typ", description=_PARAMETER)
    val: ParameterName = Field(default="val", description=_PARAMETER)
    id: ParameterName = Field(default="id", description=_PARAMETER)
    pag: ParameterName = Field(default="pag", description=_PARAMETER)
    ref: ParameterName = Field(default="ref", description=_PARAMETER)
    cip: ParameterName = Field(default="cip", description=_PARAMETER)
    cua: ParameterName = Field(default="cua", description=_PARAMETER)
    ts: ParameterName = Field(default="ts", description=_PARAMETER)
    device_id: ParameterName = Field(default="device_id", description=_PARAMETER)
    user_id: ParameterName = Field(default="user_id", description=_PARAMETER)
    event_type: ParameterName = Field(default="event_type", description=_PARAMETER)
    event_value: ParameterName = Field(default="event_value", description=_PARAMETER)


class WireTable(SettingsTable):
    """``[wire]``: what is known of Convertro's interface, and can be set otherwise."""

    base_url: Annotated[str, AfterValidator(check_base_url)] = Field(
        default="https://sp1.convertro.com",
        description="a web address such as https://sp1.convertro.com: no user, query or fragment",
    )
    paths: PathsTable = Field(default=PathsTable(), description="a table of paths")
    params: ParamsTable = Field(default=ParamsTable(), description="a table of parameter names")
    hash_email_ids: bool = Field(default=True, description=_SWITCH)
    ca_bundle: NotBlank | None = Field(default=None, description="a file of certificates (PEM)")
    allow_http: bool = Field(default=False, description=_SWITCH)
    success: Literal["not-html", "any"] | Annotated[list[SuccessStatus], Field(min_length=1)] = (
        Field(
            default="not-html",
            description='"not-html", "any", or an array of statuses such as [200, 204]',
        )
    )


class StorageTable(SettingsTable):
    """``[storage]``: how to reach object storage, where a cloud's own conventions do not say.

    Credentials are never among it: each cloud has its own places for them.
    """

    endpoint_url: Annotated[str, AfterValidator(check_base_url)] | None = Field(
        default=None,
        description="a web address such as https://minio.example.com: no user, query or fragment",
    )
    region: NotBlank | None = Field(default=None, description="the bucket's region, as text")
    anonymous: bool = Field(default=False, description=_SWITCH)
    allow_http: bool = Field(default=False, description=_SWITCH)
    ca_bundle: NotBlank | None = Field(default=None, description="a file of certificates (PEM)")


FILTER_KEYS = frozenset(
    {"filters", "transformations", "filters_file", "transformations_file", "destination_id"}
)
"""The keys of what Segment applies after an export is written."""


class Settings(SettingsTable):
    """The whole of convertro.toml, checked."""

    convertro: ConvertroTable = Field(description="the table [convertro]")
    events: dict[NotBlank, NotBlank | Annotated[list[NotBlank], Field(min_length=1)]] = Field(
        default={}, description="a Convertro event type, or an array of them, as text"
    )
    mapping: MappingTable = Field(default=MappingTable(), description="the table [mapping]")
    privacy: PrivacyTable = Field(default=PrivacyTable(), description="the table [privacy]")
    consent: ConsentTable = Field(default=ConsentTable(), description="the table [consent]")
    # Under another name here, since pydantic's models have a method of this one.
    schema_: SchemaTable = Field(
        default=SchemaTable(), alias="schema", description="the table [schema]"
    )
    delivery: DeliveryTable = Field(default=DeliveryTable(), description="the table [delivery]")
    wire: WireTable = Field(default=WireTable(), description="the table [wire]")
    storage: StorageTable = Field(default=StorageTable(), description="the table [storage]")
    # What stands in these is read in settings/filters.py, with the files.
    filters_file: NotBlank | None = Field(
        default=None, description="a file of destination filters (the Public API's, Terraform's)"
    )
    destination_id: NotBlank | None = Field(
        default=None, description="the id of the destination in Segment, as text"
    )
    transformations_file: NotBlank | None = Field(
        default=None, description="a file of transformations (the Public API's, Terraform's)"
    )
    filters: list[dict[str, Any]] = Field(default=[], description="tables [[filters]]")
    transformations: list[dict[str, Any]] = Field(
        default=[], description="tables [[transformations]]"
    )

    _filter_specs: FilterSpecs = PrivateAttr(default=FilterSpecs())

    @property
    def filter_specs(self) -> FilterSpecs:
        """All filters and transformations, as understood: the files' first, then the tables'."""
        return self._filter_specs

    @property
    def has_filters(self) -> bool:
        """Whether any key of filters or transformations is set."""
        return not self.model_fields_set.isdisjoint(FILTER_KEYS)

    def with_filters(self, specs: FilterSpecs) -> Settings:
        """Give the same settings, with what their tables and files of filters hold."""
        copy = self.model_copy()
        copy._filter_specs = specs
        return copy
