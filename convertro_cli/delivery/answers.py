"""What an answer says: its status, the beginning of its body, and whether it is a success."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Literal, NamedTuple

from convertro_cli.delivery.transport import RequestOutcome
from convertro_cli.text import visible

KEPT_CHARACTERS = 500
SHOWN_CHARACTERS = 200

Success = Literal["not-html", "any"] | frozenset[int]
"""Which answers are a success: any 2xx but an HTML document, any 2xx, or these statuses."""

# What begins an HTML document, after https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type
_DOCUMENT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?"
    rb"<(?:!doctype\s+html|html|head|body|script|iframe|title|style|h1|div|table|meta|!--)[\s>/-]",
    re.IGNORECASE,
)
_TAG = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[a-z!?]", re.IGNORECASE)


class Answer(NamedTuple):
    """An answer as a dead letter keeps it: ``body`` is its beginning, fit for a terminal."""

    status: int
    body: str

    @property
    def in_words(self) -> str:
        """Say what was answered: the status with its name, and the beginning of the body."""
        try:
            status = f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            status = str(self.status)
        body = " ".join(self.body[:SHOWN_CHARACTERS].split())
        return f'{status}, "{body}"' if body else f"{status}, with an empty body"


def read_answer(outcome: RequestOutcome) -> Answer | None:
    """Give the answer of an outcome that has one."""
    if outcome.status is None:
        return None
    text = outcome.body.decode("utf-8", "replace")[:KEPT_CHARACTERS]
    return Answer(outcome.status, visible(text)[:KEPT_CHARACTERS])


def is_success(outcome: RequestOutcome, success: Success) -> bool:
    """Whether an answer counts as delivered."""
    status = outcome.status
    if status is None:
        return False
    if isinstance(success, frozenset):
        return status in success
    if not 200 <= status < 300:
        return False
    return success == "any" or not (outcome.body and is_html(outcome.body, outcome.content_type))


def is_html(body: bytes, content_type: str) -> bool:
    """Whether a body is an HTML document, by its first bytes.

    The type alone says little: many a server calls everything HTML, even ``OK`` and nothing.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in {"text/html", "application/xhtml+xml"}:
        return _TAG.match(body) is not None
    return _DOCUMENT.match(body) is not None
