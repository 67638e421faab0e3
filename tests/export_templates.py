"""The invented messages that generated exports are made of, as texts with holes.

A template is one message, rendered once, in which only what differs from event to event is
left open; filling it in costs a single ``%`` operation. Holes are written ``<name>`` in a
string, and ``<name#>`` alone where a bare number belongs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

Message = dict[str, Any]

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.3 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.3 Mobile/15E148 Safari/604.1",
)
LOCALES = ("en-US", "en-GB", "de-DE", "fr-FR", "es-MX")
PAGES = (
    ("/", "Acme: Everything for your kitchen"),
    ("/products/espresso-machine", "Café «Roma» espresso machine | Acme"),
    ("/products/chef-knife", "Chef's knife, 20 cm | Acme"),
    ("/search", "Results for “pans & pots” | Acme"),
    ("/checkout/thanks", "Thank you! | Acme"),
    ("/rückgabe", "Rückgabe und Umtausch | Acme"),
)
REFERRERS = ("", "https://www.google.com/", "https://news.example.org/a?utm_source=mail&x=100%25")
PRODUCTS = ("Espresso machine", "Chef's knife", "Cast-iron pan", "Crème brûlée set", 'Tray 12"')
PLANS = ("free", "pro", "team")
MAPPED = ("Signed Up", "signed_up", "Trial Started", "Lead Submitted", "leadSubmitted")
UNMAPPED = ("Product Viewed", "Product Added", "Button Clicked", "Video Played", "Cart Viewed")
ORDERS = ("Order Completed",) * 9 + ("Completed Order",)
OFF: Message = {"All": True, "Convertro": False}


def _identity(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def _ip(rng: Random) -> str:
    return f"{rng.choice(('203.0.113', '198.51.100', '192.0.2'))}.{rng.randrange(1, 255)}"


def _web_context(rng: Random) -> Message:
    path, title = rng.choice(PAGES)
    search = rng.choice(("", "", "?utm_source=newsletter&utm_campaign=spring"))
    return {
        "ip": _ip(rng),
        "library": {"name": "analytics.js", "version": "next-1.66.0"},
        "locale": rng.choice(LOCALES),
        "page": {
            "path": path,
            "referrer": rng.choice(REFERRERS),
            "search": search,
            "title": title,
            "url": f"https://shop.example.com{path}{search}",
        },
        "userAgent": rng.choice(AGENTS),
    }


def _mobile_context(rng: Random) -> Message:
    kind, library = rng.choice((("ios", "analytics-ios"), ("android", "analytics-android")))
    return {
        "app": {"build": "412", "name": "Acme", "namespace": "com.example.acme", "version": "5.2"},
        "device": {
            "adTrackingEnabled": True,
            "id": _identity(rng).upper(),
            "manufacturer": "Apple" if kind == "ios" else "Google",
            "model": "iPhone15,2" if kind == "ios" else "Pixel 8",
            "type": kind,
        },
        "ip": _ip(rng),
        "library": {"name": library, "version": "4.1.8"},
        "locale": rng.choice(LOCALES),
        "network": {"carrier": "Example Mobile", "cellular": False, "wifi": True},
        "os": {"name": kind, "version": "17.3"},
    }


def _server_context(rng: Random) -> Message:
    return {"ip": _ip(rng), "library": {"name": "analytics-node", "version": "2.1.0"}}


def _order(rng: Random) -> Message:
    products = [
        {
            "product_id": f"sku-{rng.randrange(10_000)}",
            "name": rng.choice(PRODUCTS),
            "price": rng.randrange(100, 20_000) / 100,
            "quantity": rng.randrange(1, 4),
        }
        for _ in range(rng.randrange(1, 3))
    ]
    amounts: Message = {"total": "<amount#>", "revenue": "<net#>"}
    if rng.random() < 0.1:
        del amounts["total"]
    order: Message = {"order_id": "<order>", **amounts, "currency": "USD", "products": products}
    repeat = rng.choice((None, None, False, True))
    if repeat is not None:
        order["repeat"] = repeat
    return order


def _message(rng: Random, kind: str, channel: str, context: Message, **body: Any) -> Message:
    """The message with its keys in alphabetical order, or, a fifth of them, as libraries write."""
    prefix = {"client": "ajs-next-", "server": "node-next-"}.get(channel, "")
    sent = rng.randrange(100, 600)
    body.setdefault("integrations", rng.choice(({}, {}, {"All": True})))
    message = {
        "messageId": f"{prefix}<id>",
        "type": kind,
        "channel": channel,
        "anonymousId": "<visitor>",
        "userId": None,
        "context": context,
        "timestamp": "<at>.<ms>Z",
        "originalTimestamp": "<at>.<ms>Z",
        "sentAt": f"<later>.{sent}Z",
        "receivedAt": f"<later>.{sent + rng.randrange(20, 300)}Z",
        **body,
    }
    return dict(sorted(message.items())) if rng.random() < 0.8 else message


def _web(rng: Random, kind: str, **body: Any) -> Message:
    return _message(rng, kind, "client", _web_context(rng), **body)


def _mobile(rng: Random, kind: str, **body: Any) -> Message:
    return _message(rng, kind, "mobile", _mobile_context(rng), **body)


def _traits(rng: Random) -> Message:
    return {
        "plan": rng.choice(PLANS),
        "logins": rng.randrange(1, 400),
        "company": {"name": "Example Ltd", "employees": rng.randrange(1, 900)},
        "newsletter": rng.random() < 0.5,
    }


def _viewed(rng: Random) -> Message:
    name = rng.choice(PRODUCTS)
    return {"name": name, "price": rng.randrange(100, 20_000) / 100, "quantity": 1}


def _web_order(rng: Random) -> Message:
    user = rng.choice((None, "<user>"))
    return _web(rng, "track", event=rng.choice(ORDERS), properties=_order(rng), userId=user)


def _web_track(rng: Random) -> Message:
    properties = {"label": "spring", "plan": rng.choice(PLANS), "category": "account"}
    return _web(rng, "track", event=rng.choice(MAPPED), properties=properties)


def _web_identify(rng: Random) -> Message:
    return _web(rng, "identify", userId="<user>", traits=_traits(rng))


def _mobile_order(rng: Random) -> Message:
    return _mobile(rng, "track", event="Order Completed", properties=_order(rng), userId="<user>")


def _mobile_install(rng: Random) -> Message:
    return _mobile(rng, "track", event="Application Installed", properties={"build": "412"})


def _mobile_identify(rng: Random) -> Message:
    return _mobile(rng, "identify", userId="<user>", traits=_traits(rng))


def _page(rng: Random) -> Message:
    context = _web_context(rng)
    properties = {"title": context["page"]["title"], "path": context["page"]["path"]}
    return _message(rng, "page", "client", context, name=None, properties=properties)


def _screen(rng: Random) -> Message:
    return _mobile(rng, "screen", name="Product detail", properties=_viewed(rng))


def _unmapped(rng: Random) -> Message:
    make = _web if rng.random() < 0.8 else _mobile
    return make(rng, "track", event=rng.choice(UNMAPPED), properties=_viewed(rng))


def _anonymous_identify(rng: Random) -> Message:
    return _web(rng, "identify", traits=_traits(rng))


def _group(rng: Random) -> Message:
    traits = {"name": "Example Ltd", "employees": rng.randrange(1, 900), "plan": "team"}
    return _web(rng, "group", groupId="<visitor>", userId="<user>", traits=traits)


def _disabled_order(rng: Random) -> Message:
    properties = _order(rng)
    return _web(rng, "track", event="Order Completed", properties=properties, integrations=OFF)


def _server_order(rng: Random) -> Message:
    event, properties = "Order Refunded", _order(rng)
    context = _server_context(rng)
    return _message(rng, "track", "server", context, event=event, properties=properties)


#: What yields exactly one call under the benchmark's settings, with its weight.
SENT: dict[Callable[[Random], Message], float] = {
    _web_order: 0.35,
    _web_track: 0.25,
    _web_identify: 0.25,
    _mobile_order: 0.06,
    _mobile_install: 0.03,
    _mobile_identify: 0.06,
}
#: What yields none.
SKIPPED: dict[Callable[[Random], Message], float] = {
    _page: 0.64,
    _screen: 0.09,
    _unmapped: 0.18,
    _anonymous_identify: 0.04,
    _group: 0.02,
    _disabled_order: 0.01,
    _server_order: 0.02,
}


def template(message: Message) -> str:
    """The message as one line of JSON, its holes ready for the ``%`` operator and a dictionary."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":")).replace("%", "%%")
    return re.sub(r"<(\w+)>", r"%(\1)s", re.sub(r'"<(\w+)#>"', r"%(\1)s", text)) + "\n"
