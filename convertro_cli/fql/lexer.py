"""From the text of a condition to its tokens, cut as Segment's own lexer cuts them.

It differs in one thing: a comparison needs no spaces around it (``a>=1``).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from convertro_cli.fql.errors import FqlError

TokenKind = Literal[
    "ident", "string", "number", "operator", "conditional", "null", "dot", "comma",
    "parenleft", "parenright", "brackleft", "brackright", "eos",
]  # fmt: skip

LONGEST_NUMBER = 400
"""The most characters of a number: the longest float has 345 of them."""

_TOKEN = re.compile(
    r"""
      (?P<space> [ \t\r\n]+ )
    | (?P<string> "[^"]*" | '[^']*' )
    | (?P<number> [+-]?[0-9]+(?:\.[0-9]+)? )
    | (?P<ident> (?:[A-Za-z_]|\\.)(?:[A-Za-z0-9_-]|\\.)* )
    | (?P<operator> <= | >= | != | [=<>!] )
    | (?P<mark> [.,()\[\]] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MARKS: dict[str, TokenKind] = {
    ".": "dot",
    ",": "comma",
    "(": "parenleft",
    ")": "parenright",
    "[": "brackleft",
    "]": "brackright",
}
_WORDS: dict[str, TokenKind] = {"and": "conditional", "or": "conditional", "null": "null"}

_LIKELY = {
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "‘": "'",
    "’": "'",
    "`": "'",
    "&": "and",
    "|": "or",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    ";": ",",
    "{": "[",
    "}": "]",
}
"""What a character that is none of the language's was likely meant for."""


class Token(NamedTuple):
    """A token: ``text`` as it stands, ``value`` a name without its escapes, ``at`` from 1."""

    kind: TokenKind
    value: str
    text: str
    at: int


def tokenize(text: str) -> list[Token]:
    """Cut a condition into tokens; the last one is the end. Raises FqlError."""
    tokens: list[Token] = []
    start = 0
    while start < len(text):
        match = _TOKEN.match(text, start)
        if match is None:
            raise _stray(text, start)
        if match.lastgroup != "space":
            tokens.append(_token(match))
        start = match.end()
    tokens.append(Token("eos", "eos", "", len(text) + 1))
    return tokens


def _token(match: re.Match[str]) -> Token:
    text, at = match[0], match.start() + 1
    kind: TokenKind
    match match.lastgroup:
        case "string":
            kind = "string"
        case "number":
            if len(text) > LONGEST_NUMBER:
                raise FqlError(f"a number has at most {LONGEST_NUMBER} characters", at=at)
            kind = "number"
        case "operator":
            kind = "operator"
        case "ident":
            kind = _WORDS.get(text, "ident")
            return Token(kind, _ESCAPED.sub(r"\1", text), text, at)
        case _:
            kind = _MARKS[text]
    return Token(kind, text, text, at)


def _stray(text: str, start: int) -> FqlError:
    character, at = text[start], start + 1
    if character in "\"'":
        return _never_closed(text, start)
    if character == "\\":
        return FqlError("a \\ needs the character that it stands before", at=at + 1)
    meant = _LIKELY.get(character)
    problem = "a character that the language does not have"
    if meant in {"and", "or"} and text.startswith(character * 2, start):
        character *= 2
    if character.isalpha():
        meant = f"\\{character}"
        problem = "a letter outside a-z in a name needs a \\ before it"
    elif character[0] in "+-":
        problem = "a sign needs the digits of a number after it"
    return FqlError(problem, at=at, found=repr(character), meant=meant)


def _never_closed(text: str, start: int) -> FqlError:
    quote = text[start]
    problem = f"the string that starts here with {quote} is never closed"
    if f"\\{quote}" in text[:start]:
        other = "'" if quote == '"' else '"'
        problem += f" (a \\ does not escape a quote: write {other}…{other} around {quote})"
        return FqlError(problem, at=start + 1)
    whole = text[start:]
    return FqlError(problem, at=start + 1, meant=f"{whole}{quote}" if len(whole) <= 20 else None)
