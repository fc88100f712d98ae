"""One C file predicts what ONNX Runtime does, compiles without a warning, and holds nothing but what it says."""

import ctypes
import platform
import re
import shutil
import subprocess
from random import Random

import numpy as np
import pytest
from support.c_programs import CModel, compile_c, needs_compiler, sanitized_predictions
from support.exported import exported, share_apart, some_pipeline
from support.pipelines import DATE_FORMATS, N_ROWS, SCALINGS, drawn, fit, some_scale
from support.tables import part_of
from support.trees import some_trees

from dlreg.errors import RunDirError
from dlreg.evaluation.intervals import calibrated_intervals
from dlreg.exports.c import numbers, texts
from dlreg.exports.c.model_file import c_source, rounded_down
from dlreg.exports.tensors import read_graph
from dlreg.features.date_parts import DateOptions
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.model.mixture import Mixture, Ridge
from dlreg.pipeline.networks import ACTIVATIONS
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.pipeline.vetting import EARLIER_OPERATORS, OPERATORS
from dlreg.table.column import Column

pytestmark = needs_compiler
# Of the predictions' spread: powers, logarithms and the like round each in a way of its own.
ROUNDING = 1e-6
LEVELS = ("Elm", "elm", "", 'quo"te', "??=", "??/", "a\\", "line\nbreak", "%s", "*/", "é", "대구", "🌳", "3", "-3", "0", "1.5", "yes")  # fmt: skip


def model_of(columns, content, folder, name="", **options):
    is_number = {column.name: column.kind == "number" for column in columns}
    return CModel(c_source(exported(columns, content), name), is_number, folder, **options)


def small_table(n_rows=80):
    """Two numbers, one of them with missing cells, and two categories."""
    generator = np.random.default_rng(3)
    columns = (Column("a", "number"), Column("b", "number"), Column("c", "category"), Column("d", "category"))
    cells = {
        "a": generator.normal(size=(n_rows, 1)),
        "b": np.where(generator.random((n_rows, 1)) < 0.2, np.nan, generator.normal(size=(n_rows, 1))),
        "c": generator.choice(np.array(["x", "y", "z"], dtype=object), (n_rows, 1)),
        "d": generator.choice(np.array(list("abcdefghijklmn"), dtype=object), (n_rows, 1)),
    }
    return columns, cells


@pytest.mark.parametrize(
    ("numeric", "categorical"), [*zip(SCALINGS, ["onehot", "ordinal"] * len(SCALINGS), strict=False)]
)
def test_every_column_and_scaling_is_as_onnx_runtime_has_it(table, tmp_path, numeric, categorical):
    columns, cells = table
    options = {
        "numeric": numeric, "categorical": categorical, "missing": "mean", "dates": DateOptions("calendar", holidays="KR"),
    }  # fmt: skip
    content = some_pipeline(columns, cells, preprocessing=options)
    model = model_of(columns, content, tmp_path, flags=("-O1",))
    assert share_apart(model.predict(cells), content, cells) < ROUNDING


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_as_onnx_runtime_has_it(tmp_path, activation):
    columns, cells = small_table()
    options = {"batch_norm": True, "parametric_activation": activation != "linear"}
    content = some_pipeline(columns, cells, activation=activation, hidden_layers=[12], **options)
    assert share_apart(model_of(columns, content, tmp_path).predict(cells), content, cells) < ROUNDING


def test_mish_is_one_function_as_pipelines_have_it_and_as_they_had_it(tmp_path, monkeypatch):
    columns, cells = small_table()

    def earlier(graph, value):
        return graph.add("Mul", value, graph.add("Tanh", graph.add("Softplus", value)))

    for form in (ACTIVATIONS["mish"], earlier):
        monkeypatch.setitem(ACTIVATIONS, "mish", form)
        content = some_pipeline(columns, cells, activation="mish", hidden_layers=[12])
        model = model_of(columns, content, tmp_path)
        assert share_apart(model.predict(cells), content, cells) < ROUNDING
        code = c_source(exported(columns, content), "")
        assert "mish_float(" in code and "expf(" not in code and "tanh_float" not in code


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="MLAS goes other ways elsewhere")
@pytest.mark.parametrize("n_members", [1, 3])
def test_products_of_any_shape_round_as_those_of_onnx_runtime(tmp_path, n_members):
    columns, cells = small_table()
    content = some_pipeline(columns, cells, n_members=n_members, hidden_layers=[300, 150, 40, 270, 10])
    assert share_apart(model_of(columns, content, tmp_path).predict(cells), content, cells) < 1e-14


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("name", ["none", "periodic", "piecewise_linear", "mixed bins"])
def test_every_embedding_and_ensemble_is_as_onnx_runtime_has_it(tmp_path, name, n_members):
    columns, cells = small_table()
    if name == "mixed bins":
        more = [f"n{place}" for place in range(33)]
        columns = (*columns, *(Column(number, "number") for number in more))
        generator = np.random.default_rng(5)
        cells |= {number: generator.normal(size=(80, 1)) for number in more}
    preprocessing = fit(columns, cells, cells["a"][:, 0], categorical="embedding")
    x = preprocessing.transform(cells)[:, : preprocessing.n_numbers]
    embedding = fit_embedding("piecewise_linear" if name == "mixed bins" else name, x)
    network = Network(
        len(preprocessing.feature_names), [16, 9], "mish", embedding=embedding, feature_scale=True,
        categories=preprocessing.embedded_levels,
    )  # fmt: skip
    content = drawn(preprocessing, network, n_members=n_members)[0].SerializeToString()
    model = model_of(columns, content, tmp_path)
    assert share_apart(model.predict(cells), content, cells, spread=1.0) < ROUNDING
    if n_members > 1:
        spread = Pipeline(content).run(cells)["spread"]
        assert model.call("predict_spread", cells) == pytest.approx(spread, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("name", ["none", "periodic", "piecewise_linear"])
def test_members_that_share_weights_are_as_onnx_runtime_has_them(tmp_path, name, n_members):
    columns, cells = small_table()
    preprocessing = fit(columns, cells, cells["a"][:, 0], categorical="embedding")
    x = preprocessing.transform(cells)[:, : preprocessing.n_numbers]
    network = Network(
        len(preprocessing.feature_names), [16, 9], "mish", embedding=fit_embedding(name, x),
        categories=preprocessing.embedded_levels, shared_members=5,
    )  # fmt: skip
    content = drawn(preprocessing, network, n_members=n_members)[0].SerializeToString()
    assert share_apart(model_of(columns, content, tmp_path).predict(cells), content, cells) < ROUNDING


@pytest.mark.parametrize("target", ["standard", "minmax", "log", "log1p", "none"])
def test_a_mixture_in_every_scale_of_the_target_is_as_onnx_runtime_has_it(tmp_path, target):
    columns, cells = small_table()
    y = np.random.default_rng(1).gamma(2.0, size=80)
    preprocessing = fit(columns, cells, y, target=target)
    width = len(preprocessing.feature_names)
    ridge = Ridge(0.3, np.linspace(-1, 1, width), 0.1)
    mixture = Mixture(np.array([0.3, 0.4]), ridge, (-1.0, 1.0))
    content = drawn(preprocessing, Network(width, [8]), n_members=2, mixture=mixture)[0].SerializeToString()
    assert (
        share_apart(model_of(columns, content, tmp_path).predict(cells), content, cells, spread=1.0)
        < ROUNDING
    )


@pytest.mark.parametrize("weight", [0.4, 1.0])
def test_trees_beside_networks_are_as_onnx_runtime_has_them(tmp_path, weight):
    columns, cells = small_table()
    preprocessing = fit(columns, cells, np.random.default_rng(1).normal(size=80), categorical="embedding")
    width = len(preprocessing.feature_names)
    network = Network(width, [8], categories=preprocessing.embedded_levels)
    mixture = Mixture(np.array([0.3, 0.3]), None, (-2.0, 2.0), some_trees(width, 60, weight))
    content = drawn(preprocessing, network, n_members=2, mixture=mixture)[0].SerializeToString()
    model = model_of(columns, content, tmp_path)
    assert share_apart(model.predict(cells), content, cells, spread=1.0) < ROUNDING


@pytest.fixture(scope="module")
def of_every_kind(table, tmp_path_factory):
    """A model of every kind of column: columns, cells, its bytes, in C, and in ONNX Runtime."""
    columns, cells = table
    content = some_pipeline(columns, cells, hidden_layers=[6])
    model = model_of(columns, content, tmp_path_factory.mktemp("model"), flags=("-O1",))
    return columns, cells, content, model, Pipeline(content)


def test_dates_that_are_none_are_missing_and_named(of_every_kind):
    _, cells, _, model, pipeline = of_every_kind
    first = {name: column[30:31] for name, column in cells.items()}
    for name in DATE_FORMATS:
        for text in ("nonsense", "2023-02-29", "31/13/2020 25:61", " "):
            altered = {**first, name: np.array([[text]], dtype=object)}
            expected = pipeline.predict(altered)
            assert model.predict(altered) == pytest.approx(expected, rel=1e-6)
            (found,) = model.call("unreadable", altered, result=ctypes.c_char_p)
            assert found == (name.encode() if text.strip() else None)
    assert model.call("unreadable", first, result=ctypes.c_char_p) == [None]


def test_any_text_in_a_date_or_a_category_is_as_onnx_runtime_has_it(of_every_kind):
    columns, cells, _, model, pipeline = of_every_kind
    random, n_rows = Random(6), 4000
    rows = [random.randrange(N_ROWS) for _ in range(n_rows)]
    altered = {name: column[rows].copy() for name, column in cells.items()}
    of_texts = [column.name for column in columns if column.kind != "number"]
    for row in range(n_rows):
        name = random.choice(of_texts)
        text = list(altered[name][row, 0])
        for _ in range(random.randrange(4)):
            place = random.randint(0, len(text))
            text[place : place + random.randrange(2)] = [
                random.choice(["", *"0123459:-+/ .,TZaApPmM!é\t\u3000"])
            ]
        altered[name][row, 0] = "".join(text)
    expected = pipeline.predict(altered)
    assert model.predict(altered) == pytest.approx(expected, rel=1e-4, abs=1e-5 * expected.std())


@pytest.mark.parametrize(
    ("kind", "fold_case", "levels"),
    [
        ("category", False, LEVELS),
        ("category", True, [level for level in LEVELS if level != "Elm"]),
        ("boolean", False, ["true", "false", "maybe"]),
        ("category", False, [f"level {number}" for number in range(300)]),
        ("category", False, [f"level {number}" for number in range(1001)]),
    ],
)
def test_any_spelling_of_a_level_is_as_onnx_runtime_has_it(tmp_path, kind, fold_case, levels):
    columns = (Column("c", kind, fold_case=fold_case),)
    cells = {"c": np.array(sorted(levels), dtype=object)[:, None]}
    preprocessing = fit_preprocessing(
        part_of(cells, np.linspace(0, 1, len(levels))), columns, numeric="standard", missing="median",
        categorical="ordinal", target="standard",
    )  # fmt: skip
    content = drawn(preprocessing, Network(1, []))[0].SerializeToString()
    model = model_of(columns, content, tmp_path)
    assert len(set(model.predict(cells))) == len(levels)
    spelt = []
    for level in [*levels[:20], "True", "1", "0", "nein", "Ja", "예", "unseen", ""]:
        spelt += [level, level.upper(), level.title(), f" {level}", f"\t{level}\u3000\ufeff", f"+{level}"]
        spelt += [
            f"{level}.0",
            f"{level}.",
            f"{level},00",
            f"{level},05",
            f"0{level}",
            f"-{level}",
            f"{level}x",
        ]
    # A blank cell alone is as if it were empty, but not to ONNX Runtime where no other row is filled.
    altered = {"c": np.array([text for text in spelt if text.strip() or not text], dtype=object)[:, None]}
    assert share_apart(model.predict(altered), content, altered, spread=0.3) < ROUNDING


def test_sanitizers_find_nothing(table, tmp_path):
    columns, cells = table
    rows = {name: column[:30].copy() for name, column in cells.items()}
    for place, name in enumerate(DATE_FORMATS):
        rows[name][place, 0] = "9" * 40
    rows["prediction"][:5, 0] = ["x" * 4000, "\u3000", "\xff", "A", ""]
    rows["dlreg/0"][:3, 0] = [np.inf, -np.inf, 1e300]
    content = some_pipeline(columns, cells, n_members=2, preprocessing={"numeric": "quantile"})
    is_number = {column.name: column.kind == "number" for column in columns}
    predicted = sanitized_predictions(c_source(exported(columns, content)), is_number, rows, tmp_path)
    assert share_apart(predicted, content, rows) < ROUNDING


def test_names_and_levels_of_any_kind_stay_within_comments_and_literals(tmp_path):
    names = ['*/ system("x"); /*', '"; int main(){}', "??/", "\\", "new\nline", "double", "NAN", "1st", "a b", "a_b", "A_B", "\u202eback", "풍속"]  # fmt: skip
    generator = np.random.default_rng(0)
    columns = (*(Column(name, "number") for name in names), Column('%d/* "lev', "category"))
    cells = {name: generator.normal(size=(160, 1)) for name in names}
    cells['%d/* "lev'] = np.resize(np.array(LEVELS, dtype=object), (160, 1))
    content = some_pipeline(columns, cells)
    model = model_of(columns, content, tmp_path)
    assert share_apart(model.predict(cells), content, cells) < ROUNDING


@pytest.mark.parametrize("are_signed", [False, True])
def test_intervals_are_those_of_predict(tmp_path, are_signed):
    columns, cells = small_table()
    preprocessing = fit(columns, cells, cells["a"][:, 0])
    network = Network(len(preprocessing.feature_names), [4])
    exported_model, _ = drawn(preprocessing, network)
    scale = some_scale(len(preprocessing.feature_names))
    content = add_residual_scale(exported_model, scale).SerializeToString()
    scores = np.random.default_rng(2).gamma(1.0, size=99) - 0.4 * are_signed
    intervals = calibrated_intervals(scores, signed=are_signed)
    source = c_source(exported(columns, content, intervals))
    model = CModel(source, {column.name: column.kind == "number" for column in columns}, tmp_path)
    outputs = Pipeline(content).run(cells)
    for level in (0.01, 0.5, 0.55, 0.9, 0.99, 0.995, 1.0, 0.0, -1.0, float("nan")):
        lower, upper = ctypes.c_double(), ctypes.c_double()
        margins = intervals.margins(level, 80, outputs["residual_scale"]) if 0 < level < 1 else None
        for row, struct in enumerate(model.rows(cells)):
            called = model.library.predict_interval
            called.restype = ctypes.c_double
            y = called(ctypes.byref(struct), ctypes.c_double(level), ctypes.byref(lower), ctypes.byref(upper))
            below, above = (np.nan, np.nan) if margins is None else margins[row]
            found = y - lower.value, upper.value - y
            assert found == pytest.approx((below, above), rel=1e-5, abs=1e-9, nan_ok=True)
            assert y == pytest.approx(outputs["prediction"][row], rel=1e-4, abs=1e-5)


def test_two_models_are_linked_by_their_names(tmp_path):
    columns, cells = small_table()
    sources = {}
    for name, hidden in (("near", [4]), ("far", [5])):
        content = some_pipeline(columns, cells, hidden_layers=hidden)
        sources[f"{name}.c"] = c_source(exported(columns, content), name)
    sources["main.c"] = (
        '#define DLREG_DECLARATIONS\n#include "near.c"\n#include "near.c"\n#include "far.c"\n'
        "int main(void) {\n"
        '    const struct near_row near = {1, 2, "x", "a"};\n    const struct far_row far = {1, 2, "x", "a"};\n'
        "    return near_predict(&near) == far_predict(&far);\n}\n"
    )
    assert subprocess.run([compile_c(sources, "both", tmp_path)], check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("c++"), reason="there is no C++ compiler")
def test_the_declarations_are_cpp_too(tmp_path):
    columns = tuple(Column(name, "number") for name in ("class", "new", "x"))
    cells = {column.name: np.random.default_rng(0).normal(size=(160, 1)) for column in columns}
    (tmp_path / "model.c").write_text(c_source(exported(columns, some_pipeline(columns, cells))))
    (tmp_path / "main.cpp").write_text(
        '#define DLREG_DECLARATIONS\n#include "model.c"\nint main() { return 0; }\n'
    )
    subprocess.run(["c++", "-Wall", "-Werror", "main.cpp", "-c"], cwd=tmp_path, check=True)


def test_a_file_keeps_nothing_allocates_nothing_and_asks_no_locale(table):
    columns, cells = table
    content = some_pipeline(columns, cells, n_members=2)
    source = c_source(exported(columns, content))
    assert source == c_source(exported(columns, content))
    outside = re.findall(r"^static (?!const )[^(]*;", source, re.MULTILINE)
    assert outside == []
    functions = (
        "alloc|free|strto|ato|scanf|printf|isalpha|isdigit|isspace|tolower|toupper|strcoll|locale|fopen"
    )
    assert not re.search(rf"\b\w*({functions})\w*\s*\(", source)
    assert set(re.findall(r"#include <(.*)>", source)) == {"math.h", "stddef.h", "stdint.h", "string.h"}


def test_every_operator_of_a_pipeline_is_known_in_c():
    names = {name for _, name in {**OPERATORS, **EARLIER_OPERATORS}} | {"Mish"}
    assert names == numbers.EMITTERS.keys() | texts.EMITTERS.keys() | {"MatMul", "Gemm"}


def test_places_that_no_table_has_are_refused(tmp_path):
    import onnx
    from onnx import numpy_helper

    columns, cells = small_table()
    preprocessing = {"categorical": "embedding"}
    model = onnx.ModelProto.FromString(some_pipeline(columns, cells, preprocessing=preprocessing))
    gathers = {node.input[1] for node in model.graph.node if node.op_type == "Gather"}
    changed = [tensor for tensor in model.graph.initializer if tensor.name in gathers]
    for tensor in changed:
        places = numpy_helper.to_array(tensor)
        if places.dtype == np.int64:
            tensor.CopyFrom(numpy_helper.from_array(places + 1000, tensor.name))
    with pytest.raises(RunDirError, match="Gather"):
        c_source(exported(columns, model.SerializeToString()))
    with pytest.raises(RunDirError):
        read_graph(b"no pipeline")


def test_the_highest_level_that_is_told_has_an_interval():
    for n_rows in (9, 10, 99, 192, 1000, 12_345):
        intervals = calibrated_intervals(np.arange(float(n_rows)))
        told = float(rounded_down(intervals.highest_level))
        assert intervals.factors(told) is not None
        assert told == pytest.approx(intervals.highest_level, abs=1e-6)
