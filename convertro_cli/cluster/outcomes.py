"""What can become of a bundle on a cluster but a result, each in a sentence."""

from __future__ import annotations

from convertro_cli.cluster import task
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.cluster.reaching import first_line
from convertro_cli.errors import ConvertroError, ExitCode


def given_up(worker: str, tries: int) -> ConvertroError:
    """Give the error for a bundle whose workers were lost, one after the other."""
    return _try_again(
        f"A bundle was given up: {tries} workers were lost that had it, the last one {worker}.",
        "If it recurs, look at the memory that the workers have.",
    )


def process_died(how: str) -> ConvertroError:
    """Give the error for a bundle whose process never came to its end."""
    return _try_again(
        f"The process of a bundle ended unexpectedly, again and again: {how}.",
        "Look at the logs of the workers, and at the memory that they have.",
    )


def unexpected(error: Exception) -> ConvertroError:
    """Give the error for whatever else Dask says."""
    return _try_again(
        f"Dask could not carry out a bundle: {type(error).__name__}: {first_line(error)}.",
        "Look at the logs of the workers.",
    )


def _try_again(what: str, look: str) -> ConvertroError:
    return ConvertroError(
        what,
        hint=f"Nothing is lost: run the same command again. {look}",
        exit_code=ExitCode.TRY_LATER,
    )


def not_installed(error: ImportError) -> ConvertroError:
    """Give the error for a machine of the cluster that lacks the program, or a part of it."""
    return ConvertroError(
        f"A worker or the scheduler cannot load convertro: {first_line(error)}.",
        hint=f"Install {task.this_program()} there, too, with the same extras.",
    )


def gone(place: ClusterPlace) -> ConvertroError:
    """Give the error for a scheduler that is gone."""
    return ConvertroError(
        f"{place.title} is gone.",
        hint="Nothing is lost: its workers end what is under way. Run the same command again once "
        "it is back, and workers with it: they often end when it does.",
        exit_code=ExitCode.TRY_LATER,
    )
