"""What imports what: one way, from the ground up, and never what a package's face rules out."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "dlreg"
# From the ground up: nothing imports what stands further down the list.
ORDER = (
    "errors", "wording", "limits", "arrays", "moments", "processor", "memory", "files", "config", "table", "features", "model", "engine", "training",
    "pipeline", "evaluation", "figures", "runs", "preview", "report", "trackers", "steps", "search", "exports", "serving", "commands",
    "api", "cli",
)  # fmt: skip
# Beyond the order, by package or module.
NEVER = {
    "files": {"arrays", "moments", "processor", "memory"},
    "model": {"config", "table", "features"},
    "engine": {"config", "table", "features"},
    "pipeline": {"config", "training"},
    "pipeline.session": {"model", "features", "table"},
    "pipeline.vetting": {"model", "features", "table"},
    "evaluation": {"config", "table", "features", "training", "pipeline"},
    "figures": {"config", "table", "features", "model", "training", "pipeline", "evaluation"},
    "runs": {"figures"},
    "preview": {"pipeline", "runs", "figures"},
    "report": {"features", "model", "training", "pipeline"},
    "exports": {"config", "features", "model", "training", "figures"},
    "serving": {"model", "features", "engine", "training"},
    "cli": {"table", "features", "model", "pipeline", "figures"},
}
DOORS = {
    # There is one door to the compiled loop.
    "engine": {
        "engine",
        "training",
        "commands.train",
        "search.trial_runner",
        "search.local_engine",
        "api.backend",
    },
    "tensorflow": {"engine", "exports.saved_model", "exports.tensorflow_operators"},
    "keras": {"engine", "model.keras_model", "model.initial_weights"},
    "sklearn": {"training.blending", "training.trees", "evaluation.boosting", "api.regressor"},
    "IPython": {"api.progress"},
    "threadpoolctl": {"evaluation.boosting", "training.blending", "training.trees"},
    "jinja2": {"report.page"},
    "onnxruntime": {"pipeline.session", "trackers.mlflow_model"},
    "model_signing": {"runs.signature"},
    "pyarrow": {"table.arrow_file"},
    "holidays": {"features.holidays"},
    "python_calamine": {"table.excel_file"},
    "matplotlib": {"figures", "commands.plot", "api.run"},
    "starlette": {"serving.application", "commands.serve"},
    "uvicorn": {"serving.server", "commands.serve"},
    "optuna": {"search"},
    "ray": {"search.ray_engine"},
    "tensorboard": {"trackers.tensorboard_log", "trackers.tensorboard_study"},
    "mlflow": {"trackers.mlflow_log", "trackers.mlflow_model", "trackers.mlflow_study"},
    "typer": {"cli"},
    "rich": {"cli"},
}


def modules(root: Path) -> dict[str, ast.Module]:
    """Each module by its name below the package, such as `engine.epoch`."""
    paths = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.py")}
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in paths.items()}


def imports(tree: ast.Module) -> set[str]:
    """What a module imports anywhere, in functions and for type checkers too, without the leading `dlreg.`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("dlreg.") for name in names}


def is_part(name: str, whole: str) -> bool:
    return name == whole or name.startswith(f"{whole}.")


def offences(root: Path) -> list[str]:
    """Every import that is against the order, a never or a door."""
    lines = []
    for module, tree in modules(root).items():
        package = module.split(".")[0]
        for name in imports(tree):
            first = name.split(".")[0]
            if package in ORDER and first in ORDER and ORDER.index(first) > ORDER.index(package):
                lines.append(f"{module} imports {name}, which stands above it")
            for part, nevers in NEVER.items():
                if is_part(module, part) and first in nevers:
                    lines.append(f"{module} imports {name}, which {part} never does")
            if first in DOORS and not any(is_part(module, door) for door in DOORS[first]):
                lines.append(f"{module} imports {name}: only {', '.join(sorted(DOORS[first]))} may")
    return lines


def arrows_between(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """For each module those of the package that it imports."""
    return {
        module: {
            target for name in imports(tree) for target in trees if target == name or is_part(name, target)
        }
        - {module}
        for module, tree in trees.items()
    }


def commands_that_reach(library: str, root: Path) -> set[str]:
    """The modules of `commands` from which imports lead to a library, over however many modules."""
    trees = modules(root)
    arrows = arrows_between(trees)
    reached = {module for module, tree in trees.items() if any(is_part(x, library) for x in imports(tree))}
    while further := {module for module, targets in arrows.items() if targets & reached} - reached:
        reached |= further
    return {module for module in reached if is_part(module, "commands")}


def circle(root: Path) -> list[str]:
    """Modules that import each other in a circle; none if there is no circle."""
    arrows = arrows_between(modules(root))
    state: dict[str, int] = defaultdict(int)

    def visit(module: str, path: list[str]) -> list[str]:
        state[module] = 1
        for target in sorted(arrows[module]):
            if state[target] == 1:
                return [*path[path.index(target) if target in path else 0 :], target]
            if not state[target] and (closed := visit(target, [*path, target])):
                return closed
        state[module] = 2
        return []

    return next(
        (closed for module in arrows if not state[module] and (closed := visit(module, [module]))), []
    )


def test_every_package_has_its_place():
    names = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert names - {"__init__", "__main__", "__pycache__", "py", "docs"} == set(ORDER)


def test_imports_go_one_way():
    assert offences(ROOT) == []


def test_no_modules_import_each_other_in_a_circle():
    assert circle(ROOT) == []


@pytest.mark.parametrize(("library", "beside"), [("tensorflow", {"commands.export"}), ("keras", set())])
def test_of_the_commands_those_that_train_or_write_for_it_lead_to_tensorflow(library, beside):
    search = {"commands.tune", "commands.tune_finish", "commands.tune_runs", "commands.tune_search"}
    training = {"commands.train", "commands.train_steps", "commands.reproduce"}
    assert commands_that_reach(library, ROOT) == training | search | beside


def test_packages_hand_nothing_on():
    """A package's `__init__.py` is its face, a docstring alone: importing a module imports no others."""
    for path in ROOT.glob("*/__init__.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        assert len(tree.body) == 1, path


def test_a_face_names_every_module_of_its_package():
    for path in ROOT.rglob("*/__init__.py"):
        face = path.read_text(encoding="utf-8")
        members = [
            entry
            for entry in path.parent.iterdir()
            if entry.suffix == ".py" or (entry / "__init__.py").exists()
        ]
        unnamed = [entry.stem for entry in members if entry != path and f"`{entry.stem}`" not in face]
        assert unnamed == [], path


@pytest.mark.parametrize(
    ("module", "line", "fragment"),
    [
        ("table/planted.py", "from dlreg.features import scaling", "stands above"),
        ("model/planted.py", "from dlreg.config.schema import Config", "never"),
        ("evaluation/planted.py", "def f():\n    from dlreg.table import dataset", "never"),
        ("pipeline/planted.py", "import keras", "only engine, model.initial_weights, model.keras_model may"),
        ("training/planted.py", "import tensorflow as tf", "only engine, exports."),
        ("preview/planted.py", "from dlreg.engine.epoch import Program", "engine"),
        ("runs/planted.py", "from dlreg.cli import app", "stands above"),
    ],
)
def test_an_import_planted_against_the_rules_is_found(tmp_path, module, line, fragment):
    (tmp_path / module).parent.mkdir()
    (tmp_path / module).write_text(line)
    (offence, *_) = offences(tmp_path)
    assert offence.startswith(module.removesuffix(".py").replace("/", ".")) and fragment in offence


def test_a_planted_circle_is_found(tmp_path):
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "a.py").write_text("from dlreg.table.b import x")
    (tmp_path / "table" / "b.py").write_text("def f():\n    from dlreg.table import c")
    (tmp_path / "table" / "c.py").write_text("import dlreg.table.a")
    assert set(circle(tmp_path)) == {"table.a", "table.b", "table.c"}


def test_a_command_that_leads_to_tensorflow_is_found(tmp_path):
    (tmp_path / "commands").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "commands" / "far.py").write_text("def f():\n    from dlreg.model import near")
    (tmp_path / "commands" / "light.py").write_text("import numpy")
    (tmp_path / "model" / "near.py").write_text("from tensorflow import function")
    assert commands_that_reach("tensorflow", tmp_path) == {"commands.far"}
