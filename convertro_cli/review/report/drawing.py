"""What all pictures of a report have in common: their frame, their marks, their numbers."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from markupsafe import Markup

from convertro_cli.review.report.document import Table
from convertro_cli.text import visible

BEFORE_MARK = Markup(
    '<svg aria-hidden="true"><rect class="before" x="0.5" y="0.5" width="94%" height="11"/></svg>'
)
AFTER_MARK = Markup('<svg aria-hidden="true"><rect class="after" width="100%" height="12"/></svg>')
LINE_MARK = Markup(
    '<svg aria-hidden="true"><line class="after-line" x1="0" x2="100%" y1="6" y2="6"/></svg>'
)


class Drawn(NamedTuple):
    """A picture, with a mark and a name for each series.

    ``table`` has the same numbers, where no other table beside it has them.
    """

    svg: Markup
    legend: list[tuple[Markup, str]]
    table: Table | None = None


def picture(
    title: str, description: str, height: int, content: Markup, *, beside: int = 0
) -> Markup:
    """Give a whole picture, with its name and its description in words. Escapes both.

    ``beside`` characters of small print have room to the left of x = 0.
    """
    room = f"{beside * 0.45 + 0.4:.2f}rem"
    style = f"margin-left:{room};width:calc(100% - {room});overflow:visible" if beside else ""
    mark = blake2b(f"{title}\0{description}".encode("utf-8", "replace"), digest_size=6).hexdigest()
    return Markup(
        '<svg role="img" width="100%" height="{height}" style="{style}" '
        'aria-labelledby="t{mark}" aria-describedby="d{mark}">'
        '<title id="t{mark}">{title}</title><desc id="d{mark}">{description}</desc>{content}</svg>'
    ).format(
        height=height,
        style=style,
        mark=mark,
        title=visible(title),
        description=visible(description),
        content=content,
    )
