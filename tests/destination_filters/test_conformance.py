"""Segment's own filters on its own messages, and what its page says where its library departs."""

from __future__ import annotations

from functools import reduce
from typing import Any

import orjson
import pytest

from convertro_cli.destination_filters.actions import Dropped
from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.destination_filters.ir import condition_of
from convertro_cli.destination_filters.raw_table import RawTable
from convertro_cli.destination_filters.sampling import fraction_of
from convertro_cli.destination_filters.shapes import filter_of
from convertro_cli.destination_filters.specs import DestinationFilter
from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.fql.closures import compile_condition
from convertro_cli.fql.parser import parse
from tests.mapping.test_conformance import read_cases

FILES = {"filters_oracle.ndjson": 654, "filters_docs.ndjson": 255}


def filters_of(case: dict[str, Any]) -> list[DestinationFilter]:
    """The filters of a case."""
    found = []
    for number, fields in enumerate(case["filters"]):
        raw = RawTable({"title": f"filter {number}"} | fields, "filters")
        spec = filter_of(raw)
        assert spec is not None, raw.faults
        found.append(spec)
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_case_has_its_result(name: str) -> None:
    """With and without an explanation; the message that came in stays as it was."""
    cases = read_cases(name)
    assert len(cases) == FILES[name]
    for case in cases:
        message = case["message"]
        before = orjson.dumps(message)
        filters = DestinationFilters(filters_of(case))
        steps: list[FilterStep] = []
        outcome = filters.apply(message, "key")
        assert filters.apply(message, "key", steps) == outcome, case["name"]
        assert (None if isinstance(outcome, Dropped) else outcome) == case["result"], case["name"]
        assert bool(steps), case["name"]
        assert orjson.dumps(message) == before, case["name"]


@pytest.mark.parametrize("name", FILES)
def test_every_case_has_its_conditions(name: str) -> None:
    """Which of them hold for the message, and that the text means what its other form means."""
    counted = 0
    for case in read_cases(name):
        trees = [parse(each["if"]) for each in case["filters"]]
        for tree, each in zip(trees, case["filters"], strict=True):
            if "ir" in each:
                assert condition_of(orjson.loads(each["ir"])) == tree, each["if"]
        if "matched" in case:
            held = [compile_condition(tree)(case["message"]) for tree in trees]
            assert held == case["matched"], case["name"]
            counted += 1
    assert counted > 200


def test_every_sample_has_its_number() -> None:
    """The fraction that the value at the path gives."""
    cases = [case for case in read_cases("filters_docs.ndjson") if "number" in case]
    assert len(cases) == 50
    for case in cases:
        path = case["filters"][0]["actions"][0]["path"]
        value = reduce(lambda fields, name: fields[name], path.split("."), case["message"])
        assert fraction_of(value) == pytest.approx(case["number"], abs=1e-15), case["name"]
