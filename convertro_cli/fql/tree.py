"""The tree of a condition: plain values that can be compared, printed and sent elsewhere.

A condition is true or false of a JSON object; an operand is a value that is taken from it. An
operand that stands alone is a condition, too: it holds if its value is the boolean true.
"""

from __future__ import annotations

from typing import Literal as OneOf

from msgspec import Struct

Operator = OneOf["=", "!=", "<", "<=", ">", ">=", "in"]


class Literal(Struct, frozen=True):
    """A value that is written in the condition itself."""

    value: str | int | float | bool | None


class Path(Struct, frozen=True):
    """A field of the object: its name, after the names of the objects that it is in."""

    names: tuple[str, ...]


class ListOf(Struct, frozen=True):
    """A list in brackets."""

    items: tuple[Operand, ...]


class Function(Struct, frozen=True):
    """A function, with as many arguments as it takes."""

    name: str
    arguments: tuple[Operand, ...]


class Comparison(Struct, frozen=True):
    """Two operands and what is asked of them."""

    left: Operand
    operator: Operator
    right: Operand


class Not(Struct, frozen=True):
    """The opposite of a condition."""

    inner: Condition


class Junction(Struct, frozen=True):
    """Two conditions or more, joined by one word."""

    word: OneOf["and", "or"]
    parts: tuple[Condition, ...]


class Everything(Struct, frozen=True):
    """The condition ``all``, which holds for every object."""


Operand = Literal | Path | ListOf | Function
Condition = Everything | Junction | Not | Comparison | Operand
