"""Named sets of values for a config: whatever a file says itself overrules them.

`accurate` is RealMLP's recipe (Holzmüller, Grinsztajn and Steinwart, 2024,
https://arxiv.org/abs/2407.04491) with Muon for the matrices of hidden layers and two embeddings of the
numbers, bagged over five folds, blended with a ridge regression and boosted trees, and refitted on all rows.
`fast` is the same without trees and with one embedding, the one that learns in fewer steps, smaller networks,
and fewer and smaller steps on half as many rows each. `best` is `accurate` with four times the networks, of
which those are selected that predict best together, and twice the steps.
"""

from collections.abc import Mapping
from typing import Any

_ACCURATE: Mapping[str, Mapping[str, Any]] = {
    "preprocessing": {
        "numeric": "robust_clip",
        "missing_indicator": True,
        "categorical": "embedding",
        "dates": "calendar",
        "embedding": ["periodic", "piecewise_linear"],
        "clip_predictions": True,
    },
    "model": {
        "hidden_layers": [96, 96],
        "activation": "mish",
        "parametric_activation": True,
        "feature_scale": True,
        "initializer": "he_normal",
        "dropout": [0.1, 0.0],
        "dropout_schedule": "fading",
        "blend": ["ridge", "trees"],
    },
    "training": {
        "optimizer": "muon",
        "learning_rate": 0.2,
        "learning_rate_factors": {
            "biases": 0.1,
            "embeddings": 0.1,
            "feature_scale": 6.0,
            "weights_by_fan_in": True,
        },
        "beta_2": 0.95,
        "weight_decay": 0.02,
        "weight_decay_groups": ["weights"],
        "schedule": {"name": "coslog4"},
        "epochs": "auto",
        "batch_size": 256,
        "equal_batches": True,
        "cross_validation": 5,
        "auto_steps": 2048,
        "refit": {"epochs_fraction": 0.6, "learning_rate_fraction": 0.25},
        "early_stopping": None,
    },
}
_FAST: Mapping[str, Mapping[str, Any]] = {
    "preprocessing": {**_ACCURATE["preprocessing"], "embedding": "piecewise_linear"},
    "model": {**_ACCURATE["model"], "hidden_layers": [64, 64], "dropout": 0.0, "blend": ["ridge"]},
    "training": {**_ACCURATE["training"], "learning_rate": 0.12, "batch_size": 128, "auto_steps": 1280},
}
_BEST: Mapping[str, Mapping[str, Any]] = {
    **_ACCURATE,
    "model": {**_ACCURATE["model"], "ensemble": 4, "ensemble_selection": "greedy"},
    "training": {**_ACCURATE["training"], "auto_steps": 4096},
}
PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "standard": {},
    "fast": _FAST,
    "accurate": _ACCURATE,
    "best": _BEST,
}
