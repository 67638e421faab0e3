"""What goes wrong with object storage, in sentences, told by what the other side said."""

from __future__ import annotations

import errno
import re
from typing import Final, NamedTuple

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.storage.address import Address
from convertro_cli.text import visible

_CODE = re.compile(r"<Code>([A-Za-z]+)</Code>")
_RETRIES = re.compile(r"max_retries: \d+, retry_timeout: \S+")
_NAMES = re.compile(r"https?://\S+|object at location .*? not found", re.IGNORECASE)
_STATUS = re.compile(r"status code: (\d{3})")


class StorageFault(NamedTuple):
    """What is wrong, and what to do about it; ``is_of_all`` if no other object fares better."""

    what: str
    hint: str
    is_of_all: bool = False


_CREDENTIALS: Final = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or install the extra 'aws' for "
    "profiles and single sign-on; for a public bucket set storage.anonymous = true.",
    "gs": "Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run `gcloud auth "
    "application-default login`; for a public bucket set storage.anonymous = true.",
    "az": "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or a SAS token in "
    "AZURE_STORAGE_SAS_KEY; for a public container set storage.anonymous = true.",
}
_SIGN_AGAIN: Final = "A signed address holds for a limited time: have it signed again."

_REPLACED: Final = StorageFault("it was replaced while it was read", "Run the same command again.")
_EXPIRED: Final = StorageFault(
    "the credentials have expired", "Sign in again, and run the same command.", is_of_all=True
)
_UNNAMEABLE: Final = StorageFault(
    "a key there has an empty folder name, '..' or a control character in it",
    "Name a folder without it, or give the object a plain key.",
)

# By the code in the answer of S3 and those that speak its language, and of Azure.
_BY_CODE: Final = {
    "NoSuchBucket": StorageFault(
        "there is no such bucket", "Check the name, the account and the region."
    ),
    "ContainerNotFound": StorageFault(
        "there is no such container", "Check the name and the account."
    ),
    "NoSuchKey": StorageFault("there is no such object", "Check the name; it is case-sensitive."),
    "BlobNotFound": StorageFault(
        "there is no such object", "Check the name; it is case-sensitive."
    ),
    "InvalidAccessKeyId": StorageFault(
        "the access key is not known there", "Check the credentials.", is_of_all=True
    ),
    "SignatureDoesNotMatch": StorageFault(
        "the secret key does not fit", "Check the credentials.", is_of_all=True
    ),
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "AuthenticationFailed": StorageFault(  # Azure's word for a SAS token that is over, too
        "the credentials do not hold, or no longer", "Sign in again.", is_of_all=True
    ),
    "AccessDenied": StorageFault(
        "the credentials may not read it", "They need the right to list the bucket and to read it."
    ),
    "RequestTimeTooSkewed": StorageFault(
        "the clock of this machine is off",
        "Set the clock: a signed request holds for minutes.",
        is_of_all=True,
    ),
    "AuthorizationHeaderMalformed": StorageFault(
        "the bucket is in another region", "Set storage.region to the bucket's region."
    ),
    "PermanentRedirect": StorageFault(
        "the bucket is in another region", "Set storage.region to the bucket's region."
    ),
}
_BY_STATUS: Final = {
    "301": _BY_CODE["PermanentRedirect"],
    "401": StorageFault("it wants other credentials", "Check the credentials.", is_of_all=True),
    "403": _BY_CODE["AccessDenied"],
    "404": _BY_CODE["NoSuchKey"],
    "412": _REPLACED,
    "416": _REPLACED,
}


class ObjectError(OSError):
    """An object cannot be read, or not to its end. ``advice`` says what to do about it."""

    def __init__(self, address: Address, error: Exception | str, advice: str = "") -> None:
        what = error if isinstance(error, str) else ""
        if not isinstance(error, str):
            what, advice, _ = fault_of(address, error)
        super().__init__(errno.EIO, what)
        self.advice = advice


class ReplacedError(ObjectError):
    """An object is not the one that was listed, or not the one that reading began with."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, _REPLACED.what, _REPLACED.hint)


def told(address: Address, error: Exception, verb: str = "read") -> ConvertroError:
    """Give the sentence for an error. Nothing of a signed address's query is in it."""
    what, hint, _ = fault_of(address, error)
    return ConvertroError(
        f"Cannot {verb} '{visible(address.name)}': {what}.",
        hint=hint,
        exit_code=ExitCode.UNREADABLE_EXPORT,
    )


def fault_of(address: Address, error: Exception) -> StorageFault:
    """Tell what is wrong, and what to do, by what the other side or the network said."""
    said = _RETRIES.sub("", str(error).partition("Debug source:")[0])
    code = _CODE.search(str(error))
    if code and code[1] in _BY_CODE:
        return _BY_CODE[code[1]]
    if type(error).__name__ == "InvalidPathError" or "invalid path" in said:
        return _UNNAMEABLE
    if _asked_for_credentials(said):
        hint = _CREDENTIALS.get(address.scheme, "")
        return StorageFault("there are no credentials for it", hint, is_of_all=True)
    status = _STATUS.search(said)
    if status and address.is_web and status[1] in {"400", "401", "403"}:
        return StorageFault(f"it answers {status[1]}", _SIGN_AGAIN)
    if status:
        known = _BY_STATUS.get(status[1])
        return known or StorageFault(
            f"it answers {status[1]}", "Try again later; if it recurs, ask there."
        )
    if "redirect without LOCATION" in said:  # it says which region, but not in so many words
        return _BY_CODE["PermanentRedirect"]
    if isinstance(error, FileNotFoundError):
        return _BY_CODE["NoSuchKey"]
    if isinstance(error, PermissionError):
        return _BY_CODE["AccessDenied"]
    return _unreached(str(error))


def is_out_of_range(error: Exception) -> bool:
    """Whether an error says that an object is not as long as what was asked for."""
    status = _STATUS.search(str(error))
    return status is not None and status[1] == "416"


def _asked_for_credentials(said: str) -> bool:
    """Whether the last resort was asked: the address where a cloud's own machines get theirs."""
    marks = ("/latest/api/token", "/computeMetadata/", "/metadata/identity", "169.254.169.254")
    if any(mark in said for mark in marks):
        return True
    return "credential" in _NAMES.sub("", said).lower()  # a key may be called so, or a bucket


def _unreached(said: str) -> StorageFault:
    """Tell why nobody answers. Only what is meant for those who mend the client says why."""
    if '"dns error"' in said or "InvalidDnsName" in said:
        return StorageFault(
            "its host has no address", "Check storage.endpoint_url and the network."
        )
    if "InvalidCertificate" in said:
        return StorageFault(
            "its certificate is not trusted", "Set storage.ca_bundle if it is one of your own."
        )
    if "kind: Timeout" in said:
        return StorageFault("it does not answer in time", "Try again later; check the network.")
    return StorageFault(
        "it cannot be reached",
        "Check the network, storage.endpoint_url and storage.region; plain http:// needs "
        "storage.allow_http = true.",
    )
