"""Telling overload from faults that come whatever one does.

A 429, a 503 or a timeout may be the answer to too many requests, or one that a tired server gives
now and then at any pace. Slowing down tells the two apart: the first kind goes away, the second
stays at its share. So each cut of the pace is an experiment. Where it did not help it is undone,
and the share of faults that stayed is the background from then on: only what stands out from it
is a reason for another cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import log

_CLEAN = 0.003
"""A background below this is none."""

_SUPPOSED_CLEAN = 100
_FEW_ANSWERS = 20
_ENOUGH_ANSWERS = 40
_MANY_FAULTS = 4
_LONGEST_LOOK = 1.0
_LONGEST_COMPARISON = 2.0
_SURE = 4.0  # the logarithm of odds of 55 to 1
_VERY_SURE = 8.0
_FEW_AT_ONCE = 6.0  # three among some fifty answers
_SLOW = 250.0  # below this many a second, the first fault is a sign: an experiment costs little
_TURNED_AWAY = 0.1
_REMEMBERED = 800
_WINDOW = 1000
_EASED = 0.7
_SETTLING = 0.1
_BEST_SHARE = 0.98
_GOOD_AT_LEAST, _GOOD_AT_MOST = 0.05, 0.95
_LEAST_USUAL, _MOST_USUAL = 0.002, 0.9


class Sign(Enum):
    """What the latest answers say of the pace."""

    NOTHING = "nothing"
    CUT = "cut"
    HELPED = "helped"
    """The cuts since the last verdict helped, so it was the load."""
    UNDO = "undo"
    """The cuts since the last verdict did not help."""


@dataclass(slots=True)
class _Trial:
    """What was answered since a cut. ``good_share`` is that of before, None if not known.

    ``rate_before`` is how many requests a second were good before the cut, and ``starts``
    counts those that were started since.
    """

    began_at: float
    rate_before: float = 0.0
    good_share: float | None = None
    good: int = 0
    faults: int = 0
    starts: int = 0
    odds: float = 0.0
    has_settled: bool = False

    @property
    def answers(self) -> int:
        return self.good + self.faults

    @property
    def share(self) -> float:
        return self.faults / self.answers if self.answers else 0.0

    def has_eased(self, now: float) -> bool:
        """Whether the cut has made much difference: only then can faults that stay tell anything.

        Who is held to a rate sends hardly less after a cut than the other side allows.
        """
        return self.starts <= _EASED * self.rate_before * (now - self.began_at)


class OverloadSense:
    """Watches answers to requests that were started after the last cut, and says what to do.

    Where less than half is refused, half the load should make all answers good if the load is the
    trouble, and change nothing if it is not. Which of the two holds is settled by Wald's
    sequential test; what stands out from the background by Page's cumulative sum.
    """

    def __init__(self) -> None:
        self._trial: _Trial | None = None
        self._faults = 0.0
        self._answers = 0.0
        self._evidence = 0.0
        self._window = _Trial(0.0)

    @property
    def is_trying(self) -> bool:
        """Whether the verdict on the last cut is still open."""
        return self._trial is not None

    @property
    def is_comparing(self) -> bool:
        """Whether the last cut is to tell the load from a background."""
        return self._trial is not None and self._trial.good_share is not None

    @property
    def background(self) -> float:
        """The share of faults that no cut has made go away."""
        return self._faults / (self._answers + _SUPPOSED_CLEAN)

    def started(self, requests: int) -> None:
        """Note that requests were started."""
        if self._trial is not None:
            self._trial.starts += requests

    def note(self, good: int, faults: int, now: float, rate: float) -> Sign:
        """Note answers to requests that were started after the last cut.

        ``rate`` is how many requests a second were good lately, at the most.
        """
        if self._trial is not None:
            self._trial.good += good
            self._trial.faults += faults
            if not self._trial.has_settled:
                return self._settle(self._trial, now)
            if self._trial.good_share is None:
                return self._look(self._trial, now)
            return self._compare(self._trial, self._trial.good_share, good, faults, now)
        self._watch_background(good, faults)
        if not self._stands_out(good, faults, rate):
            return Sign.NOTHING
        self._evidence = 0.0
        is_clean = self.background < _CLEAN
        self._trial = _Trial(now, rate, None if is_clean else 1 - self.background)
        return Sign.CUT

    def _settle(self, trial: _Trial, now: float) -> Sign:
        """Wait until a cut can show: what is refused at once may be the load of before it."""
        if trial.faults >= _MANY_FAULTS and trial.faults > trial.good:
            self._trial = _Trial(now, trial.rate_before)
            return Sign.CUT
        if now - trial.began_at >= _SETTLING:
            self._trial = _Trial(now, trial.rate_before, trial.good_share, has_settled=True)
        return Sign.NOTHING

    def _look(self, trial: _Trial, now: float) -> Sign:
        """Look at what is left after a first cut."""
        if trial.faults >= _MANY_FAULTS:
            # Where most is refused there is no doubt; else there is a share to compare now.
            share = None if trial.faults > trial.good else 1 - trial.share
            self._trial = _Trial(now, trial.starts / max(now - trial.began_at, 0.001), share)
            return Sign.CUT
        if trial.answers < _ENOUGH_ANSWERS and now - trial.began_at < _LONGEST_LOOK:
            return Sign.NOTHING
        self._trial = None
        if not trial.has_eased(now):
            return Sign.NOTHING
        self._remember(trial)
        return Sign.NOTHING if self.background < _CLEAN else Sign.UNDO

    def _compare(
        self, trial: _Trial, good_share: float, good: int, faults: int, now: float
    ) -> Sign:
        """Compare the share of good answers with the one before the cut."""
        if trial.faults >= _MANY_FAULTS and trial.faults > trial.good:
            self._trial = _Trial(now, trial.rate_before)
            return Sign.CUT
        good_share = min(max(good_share, _GOOD_AT_LEAST), _GOOD_AT_MOST)
        if_load = _BEST_SHARE
        trial.odds += good * log(if_load / good_share)
        trial.odds += faults * log((1 - if_load) / (1 - good_share))
        if trial.odds <= -_SURE and trial.answers >= _FEW_ANSWERS:
            self._trial = None
            if not trial.has_eased(now):
                return Sign.NOTHING
            likely = trial.faults + _FEW_ANSWERS * (1 - good_share)
            self._set_background(likely / (trial.answers + _FEW_ANSWERS))
            return Sign.UNDO
        if trial.odds >= _SURE or now - trial.began_at >= _LONGEST_COMPARISON:
            self._trial = None
            weight = 2 * _SUPPOSED_CLEAN
            likely = self.background * weight + trial.faults
            self._set_background(likely / (weight + trial.answers))
            return Sign.HELPED
        return Sign.NOTHING

    def _stands_out(self, good: int, faults: int, rate: float) -> bool:
        usual = min(max(self.background, _LEAST_USUAL), _MOST_USUAL)
        unusual = 1 - (1 - usual) * (1 - _TURNED_AWAY)
        self._evidence += good * log((1 - unusual) / (1 - usual)) + faults * log(unusual / usual)
        self._evidence = max(0.0, self._evidence)
        if self.background >= _CLEAN:
            return self._evidence > _VERY_SURE
        return self._evidence > (_FEW_AT_ONCE if rate >= _SLOW else 0.0)

    def _watch_background(self, good: int, faults: int) -> None:
        """Bring the background down where far fewer faults come without any cut.

        Never up: who creeps over a limit would take ever more refusals for usual.
        """
        window = self._window
        window.good += good
        window.faults += faults
        if window.answers >= _WINDOW:
            if window.share < self.background / 2:
                self._set_background((self.background + window.share) / 2)
            self._window = _Trial(0.0)

    def _set_background(self, share: float) -> None:
        self._answers = max(self._answers, _SUPPOSED_CLEAN)
        self._faults = share * (self._answers + _SUPPOSED_CLEAN)

    def _remember(self, trial: _Trial) -> None:
        self._faults += trial.faults
        self._answers += trial.answers
        if self._answers > _REMEMBERED:
            self._faults /= 2
            self._answers /= 2
