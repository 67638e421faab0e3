"""One module a comparison; each has ``run(bench) -> list[Row]``."""
