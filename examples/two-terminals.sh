#!/bin/sh
# Two replays with one ledger in PostgreSQL, as in two terminals. The database is there already:
#   createdb convertro
# Its password, if it has one, is in ~/.pgpass. Run this in the folder of convertro.toml.
set -eu
export CONVERTRO_LEDGER="${CONVERTRO_LEDGER:-postgresql://127.0.0.1/convertro}"

convertro ledger migrate
convertro replay "$@" & first=$!
convertro replay "$@" & second=$!

# Kill either of them with -9 and the other takes over. Both must have ended well.
status=0
wait "$first" || status=$?
wait "$second" || status=$?
convertro status
exit "$status"
