"""The statements of the ledger in PostgreSQL.

Keys come end to end in one value, which is the quickest way there: they are cut apart here. In
each statement they are in order, so that two runs that want the same ones wait for each other,
and not crosswise.
"""

from __future__ import annotations

_KEYS = """(
    SELECT substring(%(keys)b::bytea FROM 16 * i + 1 FOR 16) AS key
    FROM generate_series(0, octet_length(%(keys)b::bytea) / 16 - 1) AS i
)"""

BEGIN_RUN = """
WITH begun AS (
    INSERT INTO runs (target, account, site_id, host, process, job, bundle)
    VALUES (%(target)s, %(account)s, %(site_id)s, %(host)s, %(process)s, %(job)s, %(bundle)s)
    RETURNING id, started_at
), leased AS (
    INSERT INTO leases (run, renewed_at, until)
    SELECT id, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s) FROM begun
)
SELECT id, started_at FROM begun
"""

FORGET_SETTLED_DOUBTS = """
DELETE FROM doubts WHERE NOT EXISTS (
    SELECT FROM generate_series(0, octet_length(keys || orders) / 16 - 1) AS i
    JOIN calls ON calls.key = substring(keys || orders FROM 16 * i + 1 FOR 16)
    WHERE calls.claim = -doubts.run)
"""

END_RUN = """
UPDATE runs SET ended_at = clock_timestamp(), summary = %(summary)s, exit_code = %(exit_code)s
WHERE id = %(run)s
"""

# What stands after it in a transaction is not to happen where the lease is gone: so it fails then.
RENEW = """
WITH renewed AS (
    UPDATE leases SET renewed_at = clock_timestamp(),
        until = clock_timestamp() + make_interval(secs => %(seconds)s),
        keys = %(keys)b, orders = %(orders)b
    WHERE run = %(run)s RETURNING run
)
SELECT 1 / count(*) FROM renewed
"""

LOOK_UP = f"""
SELECT calls.key, calls.state, calls.run FROM {_KEYS} AS wanted JOIN calls USING (key)
WHERE calls.state > 0
"""  # noqa: S608 - nothing but what stands above

# A run may have let go of a call that it then takes for failed: what another one made of it, or
# is making of it, stays.
SETTLE = f"""
INSERT INTO calls (key, state, run, claim, doubt)
SELECT key, %(state)s, %(run)s, NULL, false FROM {_KEYS} AS settled
ON CONFLICT (key) DO UPDATE
SET state = EXCLUDED.state, run = EXCLUDED.run, claim = NULL, doubt = false
WHERE EXCLUDED.state = 1 OR calls.claim = EXCLUDED.run
    OR (calls.state <> 1 AND (calls.claim IS NULL OR calls.claim < 0))
"""  # noqa: S608

RELEASE = f"""
UPDATE calls SET claim = NULL, doubt = false FROM {_KEYS} AS released
WHERE calls.key = released.key AND calls.claim = %(run)s
"""  # noqa: S608

# What another run is sending is left out beforehand: to be refused a row is to lock it.
_FREE = "(calls.claim IS NULL OR calls.claim < 0 OR calls.claim = %(run)s)"
_DOUBT = "CASE WHEN calls.claim = %(run)s THEN calls.doubt ELSE calls.claim IS NOT NULL END"

MARK = f"""
INSERT INTO calls (key, state, run, claim, doubt)
SELECT wanted.key, 0, %(run)s, %(run)s, false
FROM {_KEYS} AS wanted LEFT JOIN calls ON calls.key = wanted.key
WHERE calls.key IS NULL OR (calls.state = 0 AND {_FREE})
ON CONFLICT (key) DO UPDATE SET claim = EXCLUDED.claim, doubt = {_DOUBT}
WHERE calls.state = 0 AND {_FREE}
RETURNING key, doubt
"""  # noqa: S608

MARK_AGAIN = f"""
UPDATE calls SET claim = %(run)s, doubt = {_DOUBT}
FROM unnest(%(all)s::bytea[], %(by)s::integer[]) AS wanted (key, by)
WHERE calls.key = wanted.key AND calls.run = wanted.by AND calls.state > 0 AND {_FREE}
RETURNING calls.key, calls.doubt
"""  # noqa: S608

FORGET_FAILURES = f"""
DELETE FROM failures USING {_KEYS} AS sent WHERE failures.key = sent.key
"""  # noqa: S608

NOTE_FAILURES = """
INSERT INTO failures (key, reason, source, run)
SELECT key, reason, source, %(run)s
FROM unnest(%(all)s::bytea[], %(reasons)s::text[], %(sources)s::text[]) AS one (key, reason, source)
WHERE EXISTS (
    SELECT FROM calls WHERE calls.key = one.key AND calls.state = 2 AND calls.run = %(run)s)
ON CONFLICT (key) DO UPDATE
SET reason = EXCLUDED.reason, source = EXCLUDED.source, run = EXCLUDED.run
"""


def without_nul(text: str) -> str:
    """Give a text without the one character that PostgreSQL's texts cannot hold."""
    return text.replace("\0", "\ufffd")
