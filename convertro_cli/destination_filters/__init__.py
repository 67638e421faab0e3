"""Segment's destination filters and transformations, as a replay applies them again.

Segment applies them after a message was exported, so an export shows no trace of them. They
are described at https://segment.com/docs/connections/destinations/destination-filters/ and
https://segment.com/docs/protocols/transform/; conditions are those of ``convertro_cli.fql``.
"""
