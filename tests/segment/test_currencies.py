"""Currencies: their minor units, and the marks that people write for them."""

from __future__ import annotations

import pytest

from convertro_cli.segment.currencies import (
    has_no_minor_unit,
    has_three_decimals,
    is_mark_after,
    is_mark_before,
)

WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE = "BHD IQD JOD KWD LYD OMR TND"
TWO = "USD EUR GBP BRL MXN COP IDR HUF TWD CLF MRU MGA INR RUB TRY"


@pytest.mark.parametrize("code", WITHOUT.split())
def test_currencies_without_a_minor_unit(code: str) -> None:
    """As ISO 4217 lists them, in any case and with spaces around."""
    assert has_no_minor_unit(code)
    assert has_no_minor_unit(f" {code.lower()}")
    assert not has_three_decimals(code)


@pytest.mark.parametrize("code", THREE.split())
def test_currencies_of_a_thousand_parts(code: str) -> None:
    """As ISO 4217 lists them, in any case and with spaces around."""
    assert has_three_decimals(code)
    assert has_three_decimals(f"{code.lower()} ")
    assert not has_no_minor_unit(code)


@pytest.mark.parametrize(
    "value", [*TWO.split(), "", "C", "CLP JPY", "XYZ", None, 392, True, ["JPY"], {}]
)
def test_other_currencies_and_what_is_none(value: object) -> None:
    """All others have cents, or are no code."""
    assert not has_no_minor_unit(value)
    assert not has_three_decimals(value)


MARKS = """
    $ € £ ¥ ￥ ₹ ₽ ₩ ₺ ₫ ₱ ₪ ¤ R$ US$ A$ C$ NZ$ HK$ NT$ S$ MX$ GH₵ E£ $US $CA USD$ $USD €EUR
    USD usd Eur CLP kr Kr. KR zł ZŁ Kč Fr Fr. SFr. Rs Rs. RM Rp Rp. lei Ft лв лв. руб. 円 元 원
    S/ S/. B/. Bs. د.إ د.إ. ر.س R TL
"""
NO_MARKS = """
    $$ $€ x$ XXXX US A dollars euro K M k T % km l # USDEUR $USDX kr.. -$ $- .$ S/.. ¢x x
"""


@pytest.mark.parametrize("mark", MARKS.split())
def test_marks_that_people_write(mark: str) -> None:
    """Any sign, any code, the usual abbreviations, and a sign with whose it is."""
    assert is_mark_before(mark)
    assert is_mark_after(mark)


@pytest.mark.parametrize("text", ["", *NO_MARKS.split(), "US$.", "₽."])
def test_what_is_no_mark(text: str) -> None:
    """Words, measures, multiples and two marks in one are none."""
    assert not is_mark_before(text)
    assert not is_mark_after(text)


@pytest.mark.parametrize("cent", ["¢", "￠"])
def test_cents_are_no_whole_amounts(cent: str) -> None:
    """The sign stands for a colón before an amount, and for cents after it."""
    assert is_mark_before(cent)
    assert not is_mark_after(cent)
    assert is_mark_after(f"GH{cent}")
