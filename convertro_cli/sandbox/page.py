"""The page that a person watches during a rehearsal: plain HTML that reloads itself, everything
in it escaped, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from convertro_cli.sandbox.log import Record
from convertro_cli.sandbox.tally import Stats
from convertro_cli.text import amount, in_html

_MOST_EVENT_TYPES: Final = 50
_LONGEST_TEXT: Final = 200

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c1e21;--dim:#63686f;--line:#dfe2e6;--card:#fff;--back:#f5f6f8;
--good:#17713a;--bad:#b3261e;--warn:#8a5300}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--dim:#9aa0a8;--line:#34383d;--card:#1f2226;
--back:#16181b;--good:#6fce91;--bad:#ff8a80;--warn:#f0b75e}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:66rem;padding:1.25rem 1rem 3rem;background:var(--back);
color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.3rem;margin:0}
h2{font-size:1rem;margin:1.75rem 0 .5rem}
p{margin:.1rem 0 1rem;color:var(--dim)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(9.5rem,45%),1fr));gap:.6rem;margin:0}
dl div,.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem}
dl div{padding:.5rem .75rem}
dt{color:var(--dim);font-size:.85rem}
dd{margin:0;font-size:1.25rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
dl div:last-child{grid-column:span 2}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:0 1rem}
.card{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{padding:.35rem .75rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--dim);font-weight:500;font-size:.85rem}
th{font-weight:400}
tfoot td,tfoot th{font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.w{overflow-wrap:anywhere}
th.w{min-width:8rem}
.latest td{font-size:.9rem}
.latest .at{white-space:nowrap;font-variant-numeric:tabular-nums}
code{font:.85em/1.5 ui-monospace,monospace}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.dim{color:var(--dim)}
@media(max-width:40rem){
dd{font-size:1.15rem}
.pair th,.pair td{padding:.35rem .5rem;font-size:.9rem}
.latest thead{display:none}
.latest tr{display:block;border-top:1px solid var(--line);padding:.4rem .75rem}
.latest tr:first-child{border-top:0}
.latest td{display:inline;border:0;padding:0 .4rem 0 0}
.latest td.w{display:block;padding:0}}
"""


class View(Struct, frozen=True):
    """What the page shows: the counts, the sum of all values, the rate, the last requests."""

    stats: Stats
    value: Decimal
    per_second: float
    latest: tuple[Record, ...]


def render(view: View) -> bytes:
    """The whole page, UTF-8."""
    parts = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="refresh" content="2">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,"><title>Convertro sandbox</title>',
        f"<style>{_STYLE}</style></head><body><main>",
        "<h1>Convertro sandbox</h1><p>A rehearsal: nothing here leaves this machine.</p>",
        _figures(view),
        f'<div class="pair">{_calls(view.stats)}{_event_types(view)}</div>',
        _latest(view.latest),
        "</main></body></html>\n",
    )
    return "".join(parts).encode()


def shown(text: str) -> str:
    """A text from outside, fit for the page: shortened and escaped."""
    return in_html(text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…")


def _figures(view: View) -> str:
    stats = view.stats
    figures = (
        ("Requests", f"{stats['requests']:,}", ""),
        ("Per second", f"{view.per_second:,.1f}", ""),
        ("Accepted", f"{stats['accepted']:,}", "good" if stats["accepted"] else ""),
        ("Repeats", f"{stats['repeats']:,}", "warn" if stats["repeats"] else ""),
        ("Faults", f"{stats['faults']:,}", "warn" if stats["faults"] else ""),
        ("Rejected", f"{stats['rejected']:,}", "bad" if stats["rejected"] else ""),
        ("Sum of values", amount(view.value), ""),
    )
    cells = (f'<div><dt>{n}</dt><dd class="{c}">{v}</dd></div>' for n, v, c in figures)
    return f"<dl>{''.join(cells)}</dl>"


def _calls(stats: Stats) -> str:
    rows = (
        f'<tr><th scope="row">{shown(call)}</th><td class="n">{count:,}</td></tr>'
        for call, count in stats["calls"].items()
    )
    head = '<th>Call</th><th class="n">Accepted</th>'
    return f"<section><h2>By call</h2>{_table(head, rows)}</section>"


def _event_types(view: View) -> str:
    counts = sorted(view.stats["by_event_type"].items(), key=lambda item: -item[1]["calls"])
    if not counts:
        return "<section><h2>By event type</h2><p>No events yet.</p></section>"
    rows = (
        f'<tr><th scope="row" class="w">{shown(name)}</th><td class="n">{count["calls"]:,}</td>'
        f'<td class="n">{amount(Decimal(str(count["value"])))}</td></tr>'
        for name, count in counts[:_MOST_EVENT_TYPES]
    )
    more = len(counts) - _MOST_EVENT_TYPES
    note = f"<p>And {more:,} more, in <code>/stats</code>.</p>" if more > 0 else ""
    foot = (
        f'<tr><th scope="row">All</th><td class="n">{view.stats["calls"]["event"]:,}</td>'
        f'<td class="n">{amount(view.value)}</td></tr>'
    )
    head = '<th>Event type</th><th class="n">Calls</th><th class="n">Value</th>'
    return f"<section><h2>By event type</h2>{_table(head, rows, foot)}{note}</section>"


def _latest(records: tuple[Record, ...]) -> str:
    if not records:
        return "<section><h2>Last requests</h2><p>Waiting for the first one.</p></section>"
    head = "<th>Time (UTC)</th><th>Status</th><th>Call</th><th>Path and parameters</th>"
    table = _table(head, map(_request, records), kind="latest")
    return f"<section><h2>Last requests</h2>{table}</section>"


def _request(record: Record) -> str:
    status = record["status"]
    kind = "good" if status < 300 else "warn" if status >= 500 or status == 429 else "bad"
    repeat = ' <span class="warn">repeat</span>' if record["repeat"] else ""
    params = " ".join(
        f'<span class="dim">{shown(name)}=</span>{shown(value)}'
        for name, value in record["params"].items()
    )
    return (
        f'<tr><td class="at">{shown(record["at"][11:23])}</td>'
        f'<td class="{kind}">{status}{repeat}</td><td>{shown(record["call"] or "unknown")}</td>'
        f'<td class="w"><code>{shown(record["path"])}<br>{params}</code></td></tr>'
    )


def _table(head: str, rows: Iterable[str], foot: str = "", *, kind: str = "") -> str:
    foot = f"<tfoot>{foot}</tfoot>" if foot else ""
    return (
        f'<div class="card"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody>{foot}</table></div>"
    )
