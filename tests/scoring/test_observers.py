"""The inter-observer ceiling against leaving out each observer by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emomap import metrics
from emomap.errors import EmomapError
from emomap.sample import Gaze
from emomap.scoring.observers import observer_ceiling


def gaze(observers: int = 4, each: int = 6, spread: float = 5.0, seed: int = 0) -> Gaze:
    rng = np.random.default_rng(seed)
    centres = np.array([[20.0, 15.0], [60.0, 40.0]])
    points = centres[rng.integers(0, 2, observers * each)]
    points = points + rng.normal(0, spread, points.shape)
    return Gaze((60, 80), points=points, observers=np.repeat(np.arange(observers), each))


def test_by_hand() -> None:
    given = gaze()
    names = ("auc_judd", "nss", "cc", "kl")
    found = observer_ceiling(given, names, 4.0)
    assert given.points is not None
    assert given.observers is not None
    values = []
    for one in range(4):
        own = metrics.fixation_map(given.points[given.observers == one], given.shape)
        rest = metrics.fixation_map(given.points[given.observers != one], given.shape)
        prediction, truth = metrics.density(rest, 4.0), metrics.density(own, 4.0)
        values.append(
            [
                metrics.auc_judd(prediction, own),
                metrics.nss(prediction, own),
                metrics.cc(prediction, truth),
                metrics.kl(prediction, truth),
            ]
        )
    np.testing.assert_allclose([found[name] for name in names], np.mean(values, axis=0))


def test_agreement_raises_it() -> None:
    close, far = (observer_ceiling(gaze(spread=s), ("nss",), 4.0)["nss"] for s in (2.0, 12.0))
    assert close > 2 * far


def test_names_of_observers_and_their_order_do_not_matter() -> None:
    given = gaze()
    assert given.points is not None
    assert given.observers is not None
    order = np.random.default_rng(1).permutation(len(given.points))
    mixed = Gaze(given.shape, given.points[order], 100 - 7 * given.observers[order])
    one, other = (observer_ceiling(g, ("nss", "sim"), 4.0) for g in (given, mixed))
    assert one == pytest.approx(other)


def test_fixations_outside_are_left_out() -> None:
    given = gaze()
    assert given.points is not None
    assert given.observers is not None
    points = np.concatenate([given.points, [[-9.0, 3.0], [500.0, 3.0]]])
    # Observer 9 looked nowhere but outside, and so is nobody.
    more = Gaze(given.shape, points, np.concatenate([given.observers, [0, 9]]))
    assert observer_ceiling(more, ("nss",), 4.0) == observer_ceiling(given, ("nss",), 4.0)


def test_who_cannot_be_predicted() -> None:
    given = gaze()
    with pytest.raises(EmomapError, match="fixations with their observers"):
        observer_ceiling(Gaze(given.shape, given.points), ("nss",), 4.0)
    with pytest.raises(EmomapError, match="fixations with their observers"):
        observer_ceiling(Gaze(given.shape, density=np.ones((60, 80))), ("cc",), 4.0)
    with pytest.raises(EmomapError, match="two observers"):
        observer_ceiling(gaze(observers=1), ("nss",), 4.0)
