"""Event names: what makes two spellings one name, and which names are orders or installs.

The rules are those of Segment's analytics.js, which compares a name with the keys of the
destination's *Events* setting after normalising both.
"""

from __future__ import annotations

import re

_IGNORED_IN_SPECIAL_NAMES = re.compile(r"[\s_-]+")
_ORDERS = frozenset({"ordercompleted", "completedorder"})
_INSTALLS = frozenset({"applicationinstalled", "installedapplication"})


def is_order(name: str) -> bool:
    """Whether a track of this name is an order (``Order Completed``, ``completed_order``, …)."""
    return _squeezed(name) in _ORDERS


def is_install(name: str) -> bool:
    """Whether a track of this name is Segment's *Application Installed*."""
    return _squeezed(name) in _INSTALLS


def normalise(name: str) -> str:
    """Give the form in which event names are compared.

    ``Signed Up``, ``signed_up``, ``signed-up``, ``signed.up`` and ``signedUp`` all give
    ``signed up``. A name with white space is only lowercased; one with separators gets a space
    for each run of them; only a name with neither is split at its capitals.
    """
    if any(character.isspace() for character in name):
        return name.lower()
    if not name.isalnum():
        return _separators_to_spaces(name).lower()
    return _split_at_capitals(name).lower()


def _squeezed(name: str) -> str:
    return _IGNORED_IN_SPECIAL_NAMES.sub("", name).lower()


def _separators_to_spaces(name: str) -> str:
    spaced = "".join(character if character.isalnum() else " " for character in name)
    words = spaced.split()
    if not words:
        return name  # nothing but separators: there is no word to keep
    # analytics.js drops a trailing run, but turns a leading one into a space like any other.
    leading = " " if spaced.startswith(" ") else ""
    return leading + " ".join(words)


def _split_at_capitals(name: str) -> str:
    return name[:1] + "".join(
        f" {character}" if character.isupper() else character for character in name[1:]
    )
