"""What the commented convertro.toml says of destination filters and transformations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convertro_cli.settings.filter_text import toml_tables
from convertro_cli.settings.toml_text import toml_value

_FILES = """
# Segment's destination filters and transformations, out of files: answers of its Public API as
# they are, or Terraform's state as JSON. destination_id chooses where a file has several.
"""

_FILE_EXAMPLES = {
    "filters_file": "filters.json",
    "destination_id": "5GFhvtz8fha42Cm5B6E5L8",
    "transformations_file": "transformations.json",
}

_FILTERS = """
# Segment's destination filters: a replay applies them again, as Segment does after an export.
# Actions: DROP, SAMPLE (percent, path), DROP_PROPERTIES and ALLOW_PROPERTIES (fields).
"""

_FILTER_EXAMPLE = """\
#   [[filters]]
#   title = "No staff"
#   if = 'contains(traits.email, "@acme.example")'
#   actions = [{ type = "DROP" }]
#   enabled = true
#   source_id = "rh5BDZp6QDHvXFCkibm1pR"    # messages of this projectId only
"""

_TRANSFORMATIONS = """
# Segment's transformations for this destination; they come after the filters.
"""

_TRANSFORMATION_EXAMPLE = """\
#   [[transformations]]
#   title = "Old shop"
#   if = 'event = "purchase"'
#   new_event_name = "Order Completed"
#   property_renames = [{ old_name = "properties.order_total", new_name = "properties.total" }]
#   property_values = [{ paths = ["properties.currency"], value = "USD" }]
#   drop = false
"""


def filter_keys(values: Mapping[str, Any]) -> Iterator[str]:
    """Write the keys that stand above all tables, with their values or as examples."""
    yield _FILES
    for name, example in _FILE_EXAMPLES.items():
        value = values.get(name)
        mark = "#   " if value is None else ""
        yield f"{mark}{name} = {toml_value(example if value is None else value)}\n"


def filter_tables(values: Mapping[str, Any]) -> Iterator[str]:
    """Write the arrays of tables, which stand below all others, or an example of each."""
    yield _FILTERS
    yield toml_tables("filters", values.get("filters", [])) or _FILTER_EXAMPLE
    yield _TRANSFORMATIONS
    yield toml_tables("transformations", values.get("transformations", [])) or (
        _TRANSFORMATION_EXAMPLE
    )
