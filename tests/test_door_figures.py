"""Door figures against numbers worked out by hand and against counting every case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from truth import BIG, OTHER, labelled, seen

from export.datasets import Sample
from export.figures.door_figures import DoorPoint, door_figures
from export.figures.intervals import UNKNOWN, Interval, interval, resample, share_interval
from monitor.detections import Detections

MASKED = labelled((BIG, "mask"))
BARE = labelled((BIG, "mask"), (OTHER, "noMask"))


def barred(bar: float | None) -> Detections:
    """A picture whose highest bare score is `bar`; None for one where no mask is found."""
    return seen((BIG, 0.3, 0)) if bar is None else seen((BIG, 0.9, bar))


def door(masked: list[float | None], bare: list[float | None]) -> tuple[list[Sample], list]:
    samples = [MASKED] * len(masked) + [BARE] * len(bare)
    return samples, [barred(bar) for bar in masked + bare]


@pytest.mark.parametrize(
    ("masked", "bare", "auc"),
    [
        pytest.param([0.1], [0.9], 1, id="told apart"),
        pytest.param([0.9], [0.1], 0, id="the wrong way round"),
        pytest.param([0.5], [0.5], 1 / 2, id="tie"),
        pytest.param([0.1, 0.6], [0.5, 0.9], 3 / 4, id="three of four pairs"),
        pytest.param([0.9], [None], 1, id="no mask found at a bare face: least willing"),
        pytest.param([None], [0.9], 0, id="no mask found at a masked face"),
        pytest.param([None], [None], 1 / 2, id="both never open: tie"),
        pytest.param([0.01], [0.04], 1 / 2, id="scores too low to count: tie"),
    ],
)
def test_door_auc_equals_the_hand_computed(
    masked: list[float | None], bare: list[float | None], auc: float
) -> None:
    assert door_figures(*door(masked, bare)).auc == pytest.approx(auc)


@pytest.mark.parametrize(
    ("masked", "bare", "tau", "denials", "false_unlocks"),
    [
        # Ten masked pictures: one may be denied, so tau is just above the second highest bar.
        pytest.param(
            [0.9, 0.4, *[0.1] * 8], [0.3, 0.4, 0.5, None], 0.4, 0.1, 2 / 4, id="one of ten denied"
        ),
        # Nine masked pictures: denying one would be more than 10 %.
        pytest.param([0.6, *[0.1] * 8], [0.5, 0.7], 0.6, 0, 1 / 2, id="none of nine denied"),
        # Two share the second highest bar; both must pass, or three would be denied.
        pytest.param(
            [0.9, 0.4, 0.4, *[0.1] * 7], [0.4, 0.5], 0.4, 0.1, 1 / 2, id="tie at the limit"
        ),
        # Where no mask was found nothing opens: that one is the one denied.
        pytest.param([None, 0.4, *[0.1] * 8], [0.3, 0.5], 0.4, 0.1, 1 / 2, id="no mask in one"),
        # Two of ten can never open: a higher tau would open to bare faces, and to no mask more.
        pytest.param([None, None, *[0.1] * 8], [0.3, 0.5], 0.1, 0.2, 0, id="no mask in two"),
        pytest.param([0.0] * 10, [0.05, 0.04], 0.05, 0, 1 / 2, id="tau never falls below 0.05"),
        pytest.param([None], [None], 0.05, 1, 0, id="nothing ever opens"),
    ],
)
def test_false_unlocks_at_ten_percent_denials(
    masked: list[float | None],
    bare: list[float | None],
    tau: float,
    denials: float,
    false_unlocks: float,
) -> None:
    point = door_figures(*door(masked, bare)).at_most_denials
    assert point is not None
    found = point.tau, point.denials, point.false_unlocks
    assert found == pytest.approx((tau, denials, false_unlocks))


@pytest.mark.parametrize(
    ("masked", "bare", "up_to"),
    [
        # up to the next bar, at which its picture does not open yet
        ([0.9, 0.4, *[0.1] * 8], [0.3, 0.5], 0.5),
        ([0.9, 0.4, *[0.1] * 8], [0.3], 0.9),
        # of the scores too low to count, up to the first that does
        ([0.0] * 10, [0.6], 0.6),
        # no other would ever open
        ([0.2] * 10, [0.1, None], 1),
    ],
)
def test_a_tau_decides_alike_up_to_the_next_bar(
    masked: list[float | None], bare: list[float | None], up_to: float
) -> None:
    point = door_figures(*door(masked, bare)).at_most_denials
    assert point is not None
    assert point.up_to == pytest.approx(up_to)


@pytest.mark.parametrize(
    ("sample", "kind"),
    [
        pytest.param(labelled((BIG, "mask"), (OTHER, "mask")), (1, 0), id="all masked"),
        pytest.param(labelled((BIG, "mask"), (OTHER, "noMask")), (0, 1), id="one bare"),
        pytest.param(labelled((BIG, "mask"), (OTHER, "badMask")), (0, 1), id="any other class"),
        pytest.param(labelled((BIG, "mask"), ((0, 0, 9, 9), "noMask")), (0, 1), id="tiny bare"),
        pytest.param(labelled(((0, 0, 8, 32), "mask")), (1, 0), id="exactly 16 px"),
        pytest.param(labelled(((0, 0, 15, 17), "mask")), (0, 0), id="all faces below 16 px"),
        pytest.param(labelled(), (0, 0), id="no face"),
    ],
)
def test_pictures_are_judged_by_the_faces_in_them(sample: Sample, kind: tuple[int, int]) -> None:
    figures = door_figures([sample], [barred(0.5)])
    assert (figures.all_masked, figures.bare) == kind
    assert figures.auc is figures.at_most_denials is None


def test_mask_and_bare_scores_may_stand_on_different_faces() -> None:
    samples = [MASKED, BARE]
    found = [seen((BIG, 0.4, 0)), seen((BIG, 0.4, 0), (OTHER, 0.1, 0.3))]
    point = door_figures(samples, found).at_most_denials
    assert point == DoorPoint(pytest.approx(0.05), pytest.approx(0.3), 0, 0)


def test_another_class_may_be_the_allowed_one() -> None:
    samples = [labelled((BIG, "noMask")), labelled((BIG, "mask"))]
    found = [seen((BIG, 0.1, 0.9)), seen((BIG, 0.8, 0.9))]
    assert door_figures(samples, found, allowed="noMask").auc == 1
    assert door_figures(samples, found, allowed="helmet").auc is None


BARS = st.lists(
    st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1, width=32),
    min_size=1,
    max_size=12,
)


@given(masked=BARS, bare=BARS)
def test_auc_is_the_count_of_pairs_told_apart(
    masked: list[float | None], bare: list[float | None]
) -> None:
    def willingness(bar: float | None) -> float:
        return -np.inf if bar is None else -bar if bar >= 0.05 else 0.0

    wins = [
        1.0 if willingness(m) > willingness(b) else 0.5 if willingness(m) == willingness(b) else 0.0
        for m in masked
        for b in bare
    ]
    assert door_figures(*door(masked, bare)).auc == pytest.approx(sum(wins) / len(wins))


@given(masked=BARS, bare=BARS)
def test_the_tau_chosen_is_the_lowest_that_denies_few_and_does_what_is_said_of_it(
    masked: list[float | None], bare: list[float | None]
) -> None:
    def opens(bar: float | None, tau: float) -> bool:
        found = barred(bar)
        return bool((found.scores[:, 0] >= 0.4).any() and not (found.scores[:, 1] >= tau).any())

    def denials(tau: float) -> float:
        return sum(not opens(bar, tau) for bar in masked) / len(masked)

    chosen = door_figures(*door(masked, bare)).at_most_denials
    assert chosen.denials == pytest.approx(denials(chosen.tau))
    assert chosen.false_unlocks == pytest.approx(
        sum(opens(bar, chosen.tau) for bar in bare) / len(bare)
    )
    assert denials(max(chosen.tau, chosen.up_to)) == pytest.approx(chosen.denials)
    # one more picture opens just above each bar
    bars = np.array([bar for bar in (*masked, *bare) if bar is not None and bar >= 0.05], "f4")
    taus = np.array([0.05, *np.nextafter(bars, np.float32(2))], np.float32)
    assert chosen.tau in taus
    assert all(denials(tau) > 0.1 for tau in taus if tau < chosen.tau)
    fewest = min(denials(tau) for tau in taus)
    assert chosen.denials <= 0.1 or chosen.tau == min(t for t in taus if denials(t) == fewest)


def ends(found: Interval | None) -> object:
    assert found is not None
    return pytest.approx((found.low, found.high))


def test_the_intervals_are_of_the_same_figures_of_pictures_drawn_anew() -> None:
    samples, found = door([0.1, 0.2, 0.3, 0.6, 0.8], [0.25, 0.5, 0.7, 0.7, 0.9, None])
    weights = resample(len(samples), resamples=100)
    aucs, unlocks = [], []
    for row in weights:
        drawn = np.repeat(np.arange(len(samples)), row)
        again = door_figures([samples[n] for n in drawn], [found[n] for n in drawn])
        # a draw without one of the two kinds says nothing
        if again.auc is not None and again.at_most_denials is not None:
            aucs.append(again.auc)
            unlocks.append(again.at_most_denials.false_unlocks)
    figures = door_figures(samples, found, weights=weights)
    of_auc, of_unlocks = interval(np.array(aucs)), interval(np.array(unlocks))
    assert of_auc is not None
    assert of_unlocks is not None
    assert ends(figures.auc_interval) == (of_auc.low, of_auc.high)
    # at most as certain as a share of so many bare pictures
    share = share_interval(4, 6)
    widest = min(of_unlocks.low, share.low), max(of_unlocks.high, share.high)
    assert ends(figures.false_unlocks_interval) == widest


@pytest.mark.parametrize(
    ("masked", "bare", "auc", "false_unlocks"),
    [
        # all told apart: as certain as a share of the rarer kind
        ([0.1] * 20, [0.9] * 50, share_interval(20, 20), share_interval(0, 50)),
        ([0.1] * 50, [0.9] * 20, share_interval(20, 20), share_interval(0, 20)),
        # all the wrong way round
        ([0.9] * 20, [0.1] * 50, share_interval(0, 20), share_interval(50, 50)),
        # one picture of a kind says nothing
        ([0.1], [0.9] * 50, UNKNOWN, UNKNOWN),
        ([0.1] * 50, [0.9], UNKNOWN, UNKNOWN),
    ],
)
def test_no_spread_is_not_certainty(
    masked: list[float | None], bare: list[float | None], auc: Interval, false_unlocks: Interval
) -> None:
    figures = door_figures(*door(masked, bare), weights=resample(len(masked) + len(bare)))
    assert ends(figures.auc_interval) == (auc.low, auc.high)
    assert ends(figures.false_unlocks_interval) == (false_unlocks.low, false_unlocks.high)
