"""From a Segment message to Convertro calls. Pure: bytes in, calls out; no I/O, no clock."""
