"""The parameters of the classical methods: names, sizes, shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from emomap.errors import UsageError
from emomap.vision.options import check_shares, check_size, make_settings, several


@dataclass(frozen=True)
class Toy:
    sides: int = 4
    blur: float = 0.5


def test_settings_are_made_from_parameters_by_name() -> None:
    assert make_settings(Toy, {"blur": 0.0}, method="toy") == Toy(sides=4, blur=0.0)


def test_an_unknown_parameter_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"^toy: there is no parameter 'blurr'; .* sides, blur$"):
        make_settings(Toy, {"blurr": 1}, method="toy")


def test_a_map_has_the_size_of_the_image_or_its_own() -> None:
    check_size("image", method="toy")
    check_size("native", method="toy")
    with pytest.raises(UsageError, match=r"^toy: size='small'; expected 'image' or 'native'$"):
        check_size("small", method="toy")


@pytest.mark.parametrize("value", [-0.1, np.inf, np.nan])
def test_a_share_that_is_negative_or_not_finite_is_refused(value: float) -> None:
    check_shares("toy", blur=0.0)
    with pytest.raises(UsageError, match=r"^toy: blur="):
        check_shares("toy", sides=1, blur=value)


def test_one_number_stands_for_several() -> None:
    assert several(3) == (3,)
    assert several([1, 2]) == several(np.array([1, 2])) == (1, 2)
    assert several(None) == ()
