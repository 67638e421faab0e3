"""Telling overload from faults that come whatever one does.

A 429, a 503 or a timeout may be the answer to too many requests, or one that a tired server gives
now and then at any pace. Slowing down tells the two apart: the first kind goes away, the second
stays at its share. So each cut of the pace is an experiment. Where it did not help it is undone,
and the share of faults that stayed is the background from then on: only what stands out from it
is a reason for another cut.

At the start of a run, with a few requests at once, answers come slowly, and an experiment takes
long. What was answered just before the first cut is the other half of it, and costs nothing:
where half the load is still too much, the whole of it had more than half refused.
"""

from __future__ import annotations

from enum import Enum
from math import log

from convertro_cli.delivery.meter import Meter
from convertro_cli.delivery.trial import MANY_FAULTS, Answers, Trial

_CLEAN = 0.003
"""A background below this is none."""

_SUPPOSED_CLEAN = 100
_FEW_ANSWERS = 20
_ENOUGH_ANSWERS = 40
_LONGEST_LOOK = 1.0
_LONGEST_COMPARISON = 2.0
_SURE = 4.0  # the logarithm of odds of 55 to 1
_VERY_SURE = 8.0
_FEW_AT_ONCE = 6.0  # three among some fifty answers
_SLOW = 250.0  # below this many a second, the first fault is a sign: an experiment costs little
_TURNED_AWAY = 0.1
_REMEMBERED = 800
_WINDOW = 1000
_LATELY = 40.0
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


class OverloadSense:
    """Watches answers to requests that were started after the last cut, and says what to do.

    Where less than half is refused, half the load should make all answers good if the load is the
    trouble, and change nothing if it is not. Which of the two holds is settled by Wald's
    sequential test; what stands out from the background by Page's cumulative sum.
    """

    def __init__(self, now: float) -> None:
        self._starts = Meter(now)
        self._trial: Trial | None = None
        self._faults = 0.0
        self._answers = 0.0
        self._evidence = 0.0
        self._has_cut = False
        self._has_helped = False
        self._window = Answers()
        self._before = Answers()

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

    def started(self, requests: int, now: float) -> None:
        """Note that requests were started."""
        self._starts.count(requests, now)
        if self._trial is not None:
            self._trial.starts += requests

    def note_earlier(self, good: int, faults: int) -> None:
        """Note answers to what was under way at the last cut: they speak of before it."""
        if self._trial is not None:
            self._before.add(good, faults)

    def note(self, good: int, faults: int, now: float, rate: float) -> Sign:
        """Note answers to requests that were started after the last cut.

        ``rate`` is how many requests a second were good lately, at the most.
        """
        if self._trial is not None:
            self._trial.add(good, faults)
            if not self._trial.has_settled:
                return self._settle(self._trial, now)
            if self._trial.good_share is None:
                return self._look(self._trial, now)
            return self._compare(self._trial, self._trial.good_share, good, faults, now)
        self._before.fade(_LATELY)
        self._before.add(good, faults)
        self._watch_background(good, faults)
        if not self._stands_out(good, faults, rate):
            return Sign.NOTHING
        self._evidence = 0.0
        self._has_cut = True
        is_clean = self.background < _CLEAN
        self._trial = Trial(
            began_at=now,
            rate_before=rate,
            starts_before=self._starts.rate(now),
            good_share=None if is_clean else 1 - self.background,
        )
        return Sign.CUT

    def _settle(self, trial: Trial, now: float) -> Sign:
        """Wait until a cut can show: what is refused at once may be the load of before it."""
        if trial.is_mostly_refused:
            return self._cut_again(trial, now)
        if now - trial.began_at >= _SETTLING:
            self._trial = Trial(
                began_at=now,
                rate_before=trial.rate_before,
                starts_before=trial.starts_before,
                good_share=trial.good_share,
                has_settled=True,
            )
        return Sign.NOTHING

    def _cut_again(self, trial: Trial, now: float, *, good_share: float | None = None) -> Sign:
        """Cut once more; ``good_share`` as it was since the last cut, if that is to be compared."""
        self._before = Answers(trial.good, trial.faults)
        rate, starts = trial.rate_before, trial.starts_before
        if good_share is not None:
            rate = starts = trial.starts / max(now - trial.began_at, 0.001)
        self._trial = Trial(
            began_at=now, rate_before=rate, starts_before=starts, good_share=good_share
        )
        return Sign.CUT

    def _look(self, trial: Trial, now: float) -> Sign:
        """Look at what is left after a first cut."""
        if trial.is_mostly_refused:
            return self._cut_again(trial, now)
        if trial.answers < self._enough(trial) and now - trial.began_at < _LONGEST_LOOK:
            return Sign.NOTHING
        if trial.faults >= MANY_FAULTS and not self._refutes_load(trial):
            return self._cut_again(trial, now, good_share=1 - trial.share)
        self._trial = None
        if not self._has_eased(trial, now):
            return Sign.NOTHING
        if trial.faults >= MANY_FAULTS:
            self._set_background(min(trial.share, self._before.share))
        else:
            self._remember(trial)
            if trial.faults and trial.answers >= _FEW_ANSWERS:
                both = trial.answers + self._before.answers
                self._set_background((trial.faults + self._before.faults) / (both + _FEW_ANSWERS))
        if self.background >= _CLEAN:
            return Sign.UNDO
        self._has_helped = True
        return Sign.NOTHING

    def _enough(self, trial: Trial) -> int:
        """How many answers it takes: no faults among a few say little, many faults much."""
        return _FEW_ANSWERS if trial.faults >= MANY_FAULTS else _ENOUGH_ANSWERS

    def _has_eased(self, trial: Trial, now: float) -> bool:
        """Whether a cut has made much difference: only then can faults that stay tell anything.

        Who is held to a rate sends hardly less after a cut than the other side allows.
        """
        good_before = max(trial.rate_before, trial.starts_before * (1 - self._before.share))
        return trial.starts <= _EASED * good_before * (now - trial.began_at)

    def _refutes_load(self, trial: Trial) -> bool:
        """Whether too little was refused before the cut for what was refused after it.

        Where half the load is still too much, a server deals with as many as before the cut: their
        share among twice as many was half of what it is now. Once a cut has helped, the load is
        known to matter, and the refusals may be those of another client: then it takes another cut.
        """
        if self._has_helped:
            return False
        odds = self._before.good * log(2)
        odds -= self._before.faults * log((1 + trial.share) / (2 * trial.share))
        return odds >= _SURE

    def _compare(self, trial: Trial, good_share: float, good: int, faults: int, now: float) -> Sign:
        """Compare the share of good answers with the one before the cut."""
        if trial.is_mostly_refused:
            return self._cut_again(trial, now)
        good_share = min(max(good_share, _GOOD_AT_LEAST), _GOOD_AT_MOST)
        if_load = _BEST_SHARE
        trial.odds += good * log(if_load / good_share)
        trial.odds += faults * log((1 - if_load) / (1 - good_share))
        is_late = now - trial.began_at >= _LONGEST_COMPARISON
        if trial.answers >= _FEW_ANSWERS and trial.odds <= -_SURE:
            self._trial = None
            if not self._has_eased(trial, now):
                return Sign.NOTHING
            likely = trial.faults + _FEW_ANSWERS * (1 - good_share)
            self._set_background(likely / (trial.answers + _FEW_ANSWERS))
            return Sign.UNDO
        if trial.odds >= _SURE or is_late:
            self._trial = None
            weight = 2 * _SUPPOSED_CLEAN
            likely = self.background * weight + trial.faults
            self._set_background(likely / (weight + trial.answers))
            self._has_helped = True
            return Sign.HELPED
        return Sign.NOTHING

    def _stands_out(self, good: int, faults: int, rate: float) -> bool:
        usual = min(max(self.background, _LEAST_USUAL), _MOST_USUAL)
        unusual = 1 - (1 - usual) * (1 - _TURNED_AWAY)
        self._evidence += good * log((1 - unusual) / (1 - usual)) + faults * log(unusual / usual)
        self._evidence = max(0.0, self._evidence)
        if self.background >= _CLEAN:
            return self._evidence > _VERY_SURE
        is_slow = self._has_cut and rate < _SLOW
        return self._evidence > (0.0 if is_slow else _FEW_AT_ONCE)

    def _watch_background(self, good: int, faults: int) -> None:
        """Bring the background down where far fewer faults come without any cut.

        Never up: who creeps over a limit would take ever more refusals for usual.
        """
        window = self._window
        window.add(good, faults)
        if window.answers >= _WINDOW:
            if window.share < self.background / 2:
                self._set_background((self.background + window.share) / 2)
            self._window = Answers()

    def _set_background(self, share: float) -> None:
        self._answers = max(self._answers, _SUPPOSED_CLEAN)
        self._faults = share * (self._answers + _SUPPOSED_CLEAN)

    def _remember(self, trial: Trial) -> None:
        self._faults += trial.faults
        self._answers += trial.answers
        if self._answers > _REMEMBERED:
            self._faults /= 2
            self._answers /= 2
