"""From a config to what is trained."""

from support.tables import make_table

from dlreg.config.reading import load_config
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.steps.preparing import preprocessing_options
from dlreg.table.dataset import load_dataset
from dlreg.training.train import build_variants

CONFIG = """\
preset: accurate
data: {path: table.csv, target: 소요 시간, exclude: [id], dates: {day: "%d/%m/%Y"}}
model: {hidden_layers: [16]}
training: {cross_validation: 3}
"""


def test_each_embedding_has_its_dropout_and_a_list_goes_round(tmp_path):
    make_table().to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    for given, expected in (("[0.1, 0.0]", [0.1, 0.0]), ("[0.2]", [0.2, 0.2]), ("0.3", [0.3, 0.3])):
        config = load_config(tmp_path / "config.yaml", [f"model.dropout={given}"])
        dataset = load_dataset(config)
        train = dataset.parts["train"]
        preprocessing = fit_preprocessing(
            train,
            dataset.columns,
            **preprocessing_options(config),
        )
        variants = build_variants(config, preprocessing, preprocessing.transform(train.cells), 6)
        assert [variant.network.dropout for variant in variants] == expected
