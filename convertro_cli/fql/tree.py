"""The tree of a condition: plain values that can be compared, printed and sent elsewhere.

A condition is true or false of a JSON object; an operand is a value that is taken from it. An
operand that stands alone is a condition, too: it holds if its value is the boolean true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

Operator = OneOf["=", "!=", "<", "<=", ">", ">=", "in"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written in the condition itself."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Path:
    """A field of the object: its name, after the names of the objects that it is in."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list in brackets."""

    items: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function, with as many arguments as it takes."""

    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and what is asked of them."""

    left: Operand
    operator: Operator
    right: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    """Two conditions or more, joined by one word."""

    word: OneOf["and", "or"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Everything:
    """The condition ``all``, which holds for every object."""


Operand = Literal | Path | ListOf | Function
Condition = Everything | Junction | Not | Comparison | Operand
