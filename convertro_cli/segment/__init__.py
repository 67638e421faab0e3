"""What a Segment message is: names, properties, ids, money and time, as Segment reads them."""
