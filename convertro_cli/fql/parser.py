"""From the text of a condition to its tree, by recursive descent.

::

    expr     = unary { ("and" | "or") unary }
    unary    = "!" unary | "(" expr ")" | operand [ op operand ]
    op       = "=" | "!=" | "<" | "<=" | ">" | ">=" | "in"
    operand  = string | number | "true" | "false" | "null" | list | function | path
    list     = "[" [ operand { "," operand } ] "]"
    function = name "(" operand { "," operand } ")"
    path     = ident { "." ident }

Which of ``and`` and ``or`` binds closer is not public, so a mix of both needs parentheses.
"""

from __future__ import annotations

import math
from difflib import get_close_matches

from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.lexer import Token, tokenize
from convertro_cli.fql.printer import KEYWORDS
from convertro_cli.fql.signatures import FUNCTIONS, UNCLEAR
from convertro_cli.fql.tree import (
    Comparison,
    Condition,
    Everything,
    Function,
    Junction,
    ListOf,
    Literal,
    Not,
    Operand,
    Operator,
    Path,
)

MAX_BYTES = 5 * 1024
"""The longest condition that Segment takes."""

MAX_DEPTH = 100
"""The most levels of parentheses, brackets and ``!`` in one another."""

_OPERATORS: dict[str, Operator] = {
    "=": "=",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "in": "in",
}
_CONSTANTS: dict[str, bool] = {"true": True, "false": False}
_DOUBLED = {"==": "=", "===": "=", "!==": "!=", "<>": "!=", "=>": ">=", "=<": "<=", "=!": "!="}
_OTHER_WORDS = {"not": "!( … )", "is": "=", "equals": "=", "like": "match( … , … )", "xor": "or"}


def parse(text: str) -> Condition:
    """Read a condition. Raises FqlError, and nothing else, for whatever is none."""
    tokens = _tokens(text)
    if text.strip() == "all":
        return Everything()
    parser = _Parser(tokens)
    tree = parser.expression()
    parser.expect_end()
    return tree


def parse_operand(text: str) -> Condition:
    """Read an expression that gives a value: as a condition, but ``all`` is a field's name."""
    parser = _Parser(_tokens(text))
    tree = parser.expression()
    parser.expect_end()
    return tree


def _tokens(text: str) -> list[Token]:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise FqlError(f"a condition has at most {MAX_BYTES:,} bytes; this has {size:,}", at=1)
    if not text.strip():
        raise FqlError("the condition is empty", at=1, meant="all")
    return tokenize(text)


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def _taken(self, kind: str) -> bool:
        if self._next.kind != kind:
            return False
        self._place += 1
        return True

    def expression(self) -> Condition:
        parts = [self._unary()]
        word: Token | None = None
        while self._next.kind == "conditional":
            token = self._take()
            if word is None:
                word = token
            elif token.text != word.text:
                raise FqlError(
                    f'"and" and "or" are mixed without parentheses ("{word.text}" at {word.at})',
                    at=token.at,
                    found=_shown(token),
                    meant="( … ) around one of them",
                )
            parts.append(self._unary())
        if word is None:
            return parts[0]
        return Junction("and" if word.text == "and" else "or", tuple(parts))

    def expect_end(self) -> None:
        if self._next.kind == "eos":
            return
        if self._next.kind == "parenright":
            raise FqlError("there is no ( for this", at=self._next.at, found=_shown(self._next))
        raise self._wrong('expected "and", "or" or the end')

    def _unary(self) -> Condition:
        token = self._next
        if token.text == "!":
            self._place += 1
            self._enter(token)
            inner: Condition = Not(self._unary())
        elif token.kind == "parenleft":
            self._place += 1
            self._enter(token)
            inner = self.expression()
            self._close("parenright", token)
        else:
            return self._comparison()
        self._depth -= 1
        return inner

    def _comparison(self) -> Condition:
        left = self._operand()
        token = self._next
        operator = _OPERATORS.get(token.text) if token.kind in {"operator", "ident"} else None
        if operator is None:
            if token.text == "!":
                raise self._wrong("expected an operator", meant=self._doubled() or "!=")
            return left
        doubled = self._doubled()
        if doubled:
            found = token.text + self._tokens[self._place + 1].text
            raise FqlError("no such operator", at=token.at, found=f"{found}", meant=doubled)
        self._place += 1
        return Comparison(left, operator, self._operand())

    def _doubled(self) -> str | None:
        """Tell what an operator and the one right after it were likely meant for."""
        token, after = self._next, self._tokens[self._place + 1 :][:1]
        if not after or after[0].at != token.at + len(token.text):
            return None
        return _DOUBLED.get(token.text + after[0].text)

    def _operand(self) -> Operand:
        token = self._next
        match token.kind:
            case "string":
                self._place += 1
                return Literal(token.text[1:-1])
            case "number":
                self._place += 1
                return Literal(_number(token))
            case "null":
                self._place += 1
                return Literal(None)
            case "brackleft":
                return self._list()
            case "ident":
                return self._named()
            case _:
                raise self._wrong("expected a field, a function or a value")

    def _named(self) -> Operand:
        token = self._take()
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text])
        if self._next.kind == "parenleft":
            return self._function(token)
        if token.text == "in":
            raise FqlError("there is nothing before this operator", at=token.at, found="in")
        if token.text.lower() in _OTHER_WORDS and self._next.kind in {"ident", "string"}:
            raise FqlError(
                "no such word", at=token.at, found=_shown(token), meant=_meant_word(token.text)
            )
        return self._path(token)

    def _path(self, token: Token) -> Path:
        names = [token.value]
        while self._taken("dot"):
            if self._next.kind not in {"ident", "conditional", "null"}:
                meant = f"\\{self._next.text}" if self._next.kind == "number" else None
                raise self._wrong("expected the name of a field after the dot", meant=meant)
            names.append(self._take().value)
        return Path(tuple(names))

    def _list(self) -> ListOf:
        bracket = self._take()
        self._enter(bracket)
        items: list[Operand] = []
        if self._next.kind != "brackright":
            items = self._operands()
        self._close("brackright", bracket)
        self._depth -= 1
        return ListOf(tuple(items))

    def _function(self, name: Token) -> Function:
        wanted = FUNCTIONS.get(name.text)
        if wanted is None:
            raise _no_function(name)
        bracket = self._take()
        self._enter(bracket)
        arguments = self._operands()
        self._close("parenright", bracket)
        self._depth -= 1
        if len(arguments) != wanted:
            number = "1 operand" if wanted == 1 else f"{wanted} operands"
            raise FqlError(f"{name.text} takes {number}", at=name.at, found=str(len(arguments)))
        return Function(name.text, tuple(arguments))

    def _operands(self) -> list[Operand]:
        operands = [self._operand()]
        while self._taken("comma"):
            operands.append(self._operand())
        return operands

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FqlError(f"a condition has at most {MAX_DEPTH} levels", at=token.at)

    def _close(self, kind: str, opening: Token) -> None:
        if self._taken(kind):
            return
        closing = ")" if kind == "parenright" else "]"
        if self._next.kind == "eos":
            raise FqlError(
                f"the {opening.text} at character {opening.at} is never closed",
                at=self._next.at,
                meant=closing,
            )
        between = "a comma" if kind == "brackright" or self._depth_is_call(opening) else '"and"'
        raise self._wrong(f"expected {between} or {closing}")

    def _depth_is_call(self, opening: Token) -> bool:
        place = self._tokens.index(opening)
        return place > 0 and self._tokens[place - 1].text in FUNCTIONS

    def _wrong(self, problem: str, *, meant: str | None = None) -> FqlError:
        token = self._next
        if meant is None and token.kind == "ident":
            meant = _meant_word(token.text)
        if token.kind == "eos":
            return FqlError(f"{problem} before the end of the condition", at=token.at)
        before = self._tokens[self._place - 1] if self._place else token
        if before.kind == "string" and before.at + len(before.text) == token.at:
            problem += " after the string (a quote in a string needs the other kind around it)"
        return FqlError(problem, at=token.at, found=_shown(token), meant=meant)


def _number(token: Token) -> int | float:
    if "." not in token.text:
        return int(token.text)
    value = float(token.text)
    if math.isinf(value):
        raise FqlError("a number beyond what a computer counts with", at=token.at)
    return value


def _no_function(name: Token) -> FqlError:
    if name.text in UNCLEAR:
        return FqlError(
            f"what the function {name.text} gives is not public, so it is not read",
            at=name.at,
            found=_shown(name),
        )
    lower = name.text.lower().replace("_", "")
    if lower in _OTHER_WORDS or lower in KEYWORDS:
        return FqlError("no such word", at=name.at, found=_shown(name), meant=_meant_word(lower))
    likely = get_close_matches(lower, FUNCTIONS, 1)
    return FqlError(
        "there is no such function",
        at=name.at,
        found=_shown(name),
        meant=likely[0] if likely else None,
    )


def _meant_word(text: str) -> str | None:
    lower = text.lower()
    if lower in KEYWORDS:
        return lower if lower != text else None
    return _OTHER_WORDS.get(lower)


def _shown(token: Token) -> str:
    return token.text if len(token.text) <= 40 else f"{token.text[:40]}…"
