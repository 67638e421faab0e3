"""Event names: which spellings are one name, which names are orders and installs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.names import is_install, is_order, normalise

ORDERS = [
    "Order Completed",
    "Completed Order",
    "order completed",
    "ORDER COMPLETED",
    "order_completed",
    "order-completed",
    "OrderCompleted",
    "orderCompleted",
    "ordercompleted",
    "completed_order",
    "completedOrder",
    "COMPLETED-ORDER",
    " Order   Completed ",
    "Order\tCompleted",
    "Order\u00a0Completed",
    "_order__completed_",
    "o r d e r c o m p l e t e d",
]
NO_ORDERS = [
    "",
    "Order",
    "Completed",
    "Order Complete",
    "Order Completed Twice",
    "Completed Order Twice",
    "My Order Completed",
    "Order.Completed",
    "Order/Completed",
    "Order Completed!",
    "Order Updated",
    "Orders Completed",
]

INSTALLS = [
    "Application Installed",
    "Installed Application",
    "application_installed",
    "applicationInstalled",
    "APPLICATION-INSTALLED",
    "installed application",
]
NO_INSTALLS = ["Application Opened", "App Installed", "Application Installed Again", "Install", ""]

ONE_NAME = {
    "signed up": ["Signed Up", "signed_up", "signed-up", "signedUp", "SIGNED UP", "signed.up"],
    "checkout step viewed": [
        "Checkout Step Viewed",
        "checkout_step_viewed",
        "checkoutStepViewed",
        "CheckoutStepViewed",
        "Checkout-Step_Viewed",
        "checkout__step--viewed",
        "checkout.step.viewed",
        "checkout/step:viewed",
        "checkout_step_viewed_",
        "checkout-step-viewed...",
    ],
    "signup": ["signup", "Signup"],
    "s i g n e d u p": ["SIGNEDUP", "sIGNEDUP"],
    "a b c": ["ABC", "aBC", "a_b_c", "A B C"],
    "step 2": ["step_2", "Step-2", "Step 2"],
    "step2": ["step2", "Step2"],
    " signed up": ["_signed_up", "--signed-up", " Signed Up"],
    "signed-up now": ["Signed-Up Now", "signed-up now"],
    "signedup now": ["signedUp now"],
    "signed_up\tnow": ["Signed_Up\tNow"],
    "signed_up\u00a0now": ["signed_Up\u00a0Now"],
    "___": ["___"],
    "-_": ["-_"],
    "": [""],
    "zahlung größer": ["Zahlung Größer", "zahlung_größer", "zahlungGrößer"],
    "été fini": ["Été fini", "été_fini", "ÉtéFini"],
    "購入完了": ["購入完了"],
    "購入 完了": ["購入 完了", "購入_完了"],
}


@pytest.mark.parametrize("name", ORDERS)
def test_order_names_in_any_case_and_spacing(name: str) -> None:
    """Case, spaces, underscores and hyphens make no difference to what is an order."""
    assert is_order(name)


@pytest.mark.parametrize("name", [*NO_ORDERS, *INSTALLS])
def test_other_names_are_no_orders(name: str) -> None:
    """Only whole names are orders, not names that begin or end like one."""
    assert not is_order(name)


@pytest.mark.parametrize("name", INSTALLS)
def test_install_names_in_any_case_and_spacing(name: str) -> None:
    """Case, spaces, underscores and hyphens make no difference to what is an install."""
    assert is_install(name)


@pytest.mark.parametrize("name", [*NO_INSTALLS, *ORDERS])
def test_other_names_are_no_installs(name: str) -> None:
    """Only Application Installed and Installed Application are installs."""
    assert not is_install(name)


@pytest.mark.parametrize(
    ("name", "normal"),
    [(name, normal) for normal, names in ONE_NAME.items() for name in names],
)
def test_spellings_of_one_name_normalise_alike(name: str, normal: str) -> None:
    """White space decides first, then separators, and only then capitals."""
    assert normalise(name) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Signed  Up", "Signed Up"),  # white space is left as it is
        ("Signed Up ", "Signed Up"),
        ("_signed_up", "signed_up"),
        ("SIGNEDUP", "signedup"),
        ("signed-up now", "signed up now"),
        ("step2", "step_2"),
    ],
)
def test_names_that_stay_apart(one: str, other: str) -> None:
    """What Segment's comparison keeps apart is not made one name."""
    assert normalise(one) != normalise(other)


@given(st.lists(st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True), min_size=2, max_size=5))
def test_any_words_are_one_name_in_every_style(words: list[str]) -> None:
    """Words joined by spaces, underscores, hyphens, dots or capitals are one name."""
    spaced = " ".join(words)
    capitals = "".join(word.capitalize() for word in words)
    styles = [separator.join(words) for separator in (" ", "_", "-", ".", "__", ":")]
    assert {normalise(style) for style in [*styles, spaced.title(), capitals]} == {spaced}


@given(st.text(max_size=40))
def test_any_text_is_judged_without_fail(name: str) -> None:
    """No name is too strange to be compared, and none is an order and an install at once."""
    assert isinstance(normalise(name), str)
    assert not (is_order(name) and is_install(name))
