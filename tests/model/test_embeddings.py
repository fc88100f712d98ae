"""Numbers as vectors."""

import numpy as np
import pytest

from dlreg.model.embeddings import BINS, FEW_NUMBERS, fit_embedding


def test_bins_hold_equal_shares_of_the_rows_and_each_output_is_the_share_below():
    generator = np.random.default_rng(1)
    numbers = np.column_stack([generator.gamma(2.0, size=500), np.repeat([0.0, 1.0], 250)])
    embedding = fit_embedding("piecewise_linear", numbers)
    assert embedding.slopes.shape == (2, BINS)
    shares = np.clip(numbers[:, :, None] * embedding.slopes + embedding.offsets, 0, 1)
    full = (shares[:, 0] == 1).sum(axis=0)
    assert full.tolist() == pytest.approx(np.linspace(500, 0, BINS + 1)[1:], abs=2)
    assert (np.diff(shares[:, 0], axis=1) <= 0).all()
    assert shares[:, 1].sum(axis=1).tolist() == [0.0] * 250 + [1.0] * 250
    assert fit_embedding("none", numbers) is None
    assert fit_embedding("periodic", numbers[:, :0]) is None


def test_bins_of_many_numbers_are_mixed_so_that_the_first_layer_reads_four_values_of_each():
    numbers = np.random.default_rng(2).normal(size=(100, FEW_NUMBERS + 1))
    few, many = (fit_embedding("piecewise_linear", numbers[:, :n]) for n in (FEW_NUMBERS, FEW_NUMBERS + 1))
    assert (few.n_mixtures, few.height, few.width) == (0, 1.0, FEW_NUMBERS * (1 + BINS))
    assert (many.n_mixtures, many.width) == (3, (FEW_NUMBERS + 1) * 4)
    # Nothing but the height of the bins differs.
    np.testing.assert_allclose(many.slopes[:-1], few.slopes * many.height, rtol=1e-6)
    np.testing.assert_allclose(many.offsets[:-1], few.offsets * many.height, rtol=1e-6)
