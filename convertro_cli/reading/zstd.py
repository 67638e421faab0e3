"""The zstd decompressor: the standard library's from Python 3.14 on, its backport before."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

__all__ = ["ZstdError", "unzstd"]

_WINDOW_LOG = 27  # 128 MiB, what zstd itself unpacks without --long


def unzstd() -> ZstdDecompressor:
    """Give a decompressor for one frame, which refuses to take more memory than zstd would."""
    return ZstdDecompressor(options={DecompressionParameter.window_log_max: _WINDOW_LOG})
