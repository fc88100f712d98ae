"""The target's scale: as scikit-learn's, undone exactly, refused where there is none."""

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from dlreg.errors import DataError
from dlreg.features.target import TargetScaling, fit_target

Y = np.random.default_rng(2).gamma(3.0, 10.0, 90)


@pytest.mark.parametrize("method", ["standard", "minmax", "log", "log1p", "none"])
def test_target_scaling_is_undone(method):
    scaling = fit_target(Y, method)
    far = np.concatenate([Y, Y * 3, [1e-3]])
    np.testing.assert_allclose(scaling.inverse(scaling.forward(far)), far, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("method", "moved"), [("standard", Y), ("log", np.log(Y)), ("log1p", np.log1p(Y))], ids=str
)
def test_targets_are_standardised_after_their_logarithm(method, moved):
    expected = StandardScaler().fit_transform(moved.reshape(-1, 1))[:, 0]
    np.testing.assert_allclose(fit_target(Y, method).forward(Y), expected, rtol=1e-12)


def test_other_target_scalings():
    expected = MinMaxScaler().fit_transform(Y.reshape(-1, 1))[:, 0]
    np.testing.assert_allclose(fit_target(Y, "minmax").forward(Y), expected, rtol=1e-12)
    assert fit_target(Y, "none") == TargetScaling("none", 0.0, 1.0)


@pytest.mark.parametrize("method", ["standard", "minmax", "log", "log1p", "none"])
@pytest.mark.parametrize("y", [[3.0, 3.0], [0.1] * 3, [1e-200, 2e-200]], ids=str)
def test_a_target_that_does_not_vary_is_refused(method, y):
    if y[0] != y[1] and method in ("minmax", "none", "log"):
        assert fit_target(np.array(y), method).scale > 0
        return
    with pytest.raises(DataError, match="in every training row"):
        fit_target(np.array(y), method)


@pytest.mark.parametrize(
    ("method", "smallest", "hint"),
    [("log", 0.0, "standard, or to log1p"), ("log", -2.0, "standard"), ("log1p", -1.0, "standard")],
)
def test_targets_without_a_logarithm_are_refused(method, smallest, hint):
    with pytest.raises(DataError) as caught:
        fit_target(np.array([1.0, 2.0, smallest]), method)
    (fault,) = caught.value.faults
    assert f"found {smallest:g}" in fault.message
    assert (fault.hint or "").endswith(hint)
