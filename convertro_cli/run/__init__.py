"""A run of the program over exports: its input, its interrupts, its progress and its report."""
