"""Currencies: their codes and minor units, and how people mark an amount with one."""

from __future__ import annotations

import unicodedata

# ISO 4217, with the codes that were withdrawn since Segment's first exports (BYR, EEK, HRK, …).
_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN
    BWP BYN BYR BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD
    EEK EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR
    IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LVL LYD
    MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD
    SSP STD STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS
    VED VEF VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMK ZMW ZWG ZWL
"""
_WITHOUT_MINOR_UNIT = "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

# Lowercase, without the full stop that may follow. Letters that are multiples or measures in common
# writing (K, M, L, km) are left out: an amount of 12K is not worth 12.
_ABBREVIATIONS = """
    kr skr nkr dkr zł zl kč kc ft lei leu лв lv ден дин din kn rs re rp rm r s/ b/ bs q gs fr sfr tl
    руб р грн тг сом dh dhs sr qr dt da ksh tsh ush nu tk lek ls lt le 円 元 圆 圓 원
    د.إ د.ك د.ا ر.س ر.ق ر.ع ج.م د.م د.ت د.ج ل.ل
"""
# What stands before or after a sign to say whose dollar or pound it is.
_WHOSE = """
    us u a au c ca can nz hk s sg nt mx mex r rd ar cl co col j z bds ec tt n ns fj b bz l ls ws jp
    cn gh e gb le
"""

_KNOWN_CODES = frozenset(_CODES.split())
_KNOWN_ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
_KNOWN_OWNERS = frozenset(_WHOSE.split())
_CENTS = frozenset("¢￠")


def has_no_minor_unit(currency: object) -> bool:
    """Whether this is the ISO 4217 code, in any case, of a currency without cents."""
    return _code(currency) in _WITHOUT_MINOR_UNIT.split()


def has_three_decimals(currency: object) -> bool:
    """Whether this is the ISO 4217 code, in any case, of a currency of a thousand parts."""
    return _code(currency) in _WITH_THREE_DECIMALS.split()


def is_mark_before(text: str) -> bool:
    """Whether this text, without spaces, is what people write before an amount.

    That is a currency sign, an ISO 4217 code or a usual abbreviation, in any case; a sign may go
    with a code (``USD$``) or with whose it is (``R$``, ``US$``).
    """
    if _is_name(text):
        return True
    for sign, rest in ((text[-1:], text[:-1]), (text[:1], text[1:])):
        if sign and unicodedata.category(sign) == "Sc":
            return not rest or _is_name(rest) or rest.lower().removesuffix(".") in _KNOWN_OWNERS
    return False


def is_mark_after(text: str) -> bool:
    """Whether this text is what people write after an amount; ``50¢`` is not worth 50."""
    return text not in _CENTS and is_mark_before(text)


def _code(currency: object) -> str | None:
    return currency.strip().upper() if isinstance(currency, str) else None


def _is_name(text: str) -> bool:
    return text.upper() in _KNOWN_CODES or text.lower().removesuffix(".") in _KNOWN_ABBREVIATIONS
