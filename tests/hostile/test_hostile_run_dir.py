"""A stranger's run directory: nothing is executed, fetched, or touched outside it, and no memory is taken.

Each directory is a whole run with one thing made hostile, its hashes made to agree. One process runs
every reading command on every directory under an audit hook that writes down what Python opens, starts
and connects to, and measures the memory of each command.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.command_line import run_cli

from dlreg.pipeline.limits import MAX_PARTS, MAX_TEXTS, MAX_TEXTS_PER_OPERATOR, limits_of
from dlreg.pipeline.patterns import MOST_CHARACTERS_OF_LEVELS, pattern_memory
from dlreg.pipeline.wire import count_parts
from dlreg.runs.names import FILES
from dlreg.runs.reading import record_json
from dlreg.table.spelling import BLANKS, any_of

COMMANDS = {
    "verify": ["verify", "{run}"],
    "evaluate": ["evaluate", "{run}"],
    "measure": ["evaluate", "{run}", "--data", "{csv}", "--json"],
    "predict": ["predict", "{run}", "{csv}", "-o", "{out}/predictions.csv"],
    "explain": ["explain", "{run}", "--repeats", "1", "-o", "{out}/importance.svg"],
    "loss": ["plot", "{run}"],
    "scatter": ["plot", "{run}", "--kind", "predictions", "-o", "{out}/scatter.svg"],
    "rest": ["plot", "{run}", "--kind", "residuals", "-o", "{out}/rest.pdf"],
    "baseline": ["evaluate", "{whole}", "--baseline", "{run}", "--max-regression", "rmse=5%"],
    "card": ["card", "{run}", "-o", "{out}/card.md"],
    "resume": ["train", "{run}", "--resume"],
    "summary": ["train", "{run}", "--resume", "--json"],
}
ALL = set(COMMANDS)
READERS = ALL - {"verify"}
RUNNERS = {"evaluate", "measure", "predict", "explain", "baseline"}
# They read preprocessing and intervals.
TELLERS = RUNNERS | {"card"}
PREPROCESSED = TELLERS | {"loss"}
# They read the table that the config names.
OWN_ROWS = {"evaluate", "explain", "baseline"}
DRAWERS = {"scatter", "rest", "card"}
# They measure validation rows.
LEARNT = {"evaluate", "baseline"}
EXTRA_MIB, MAX_SECONDS = 200, 10
LONG = bool(os.environ.get("DLREG_LONG_TESTS"))

HARNESS = """
import contextlib, io, json, os, sys, time
sys.argv = ["dlreg"]
from dlreg.cli import main as cli

OPENED, DONE = [], []
TOUCHING = ("subprocess.", "socket.", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork", "pty.",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "os.chown", "shutil.", "ftplib.", "urllib.", "http.", "pickle.", "marshal.load", "exec", "compile", "ctypes.")

def hook(event, arguments):
    if event == "open":
        OPENED.append([str(arguments[0]), arguments[2] if isinstance(arguments[2], int) else 0])
    elif event.startswith(TOUCHING):
        DONE.append([event, [str(argument)[:200] for argument in arguments]])

def memory(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))

def run(arguments):
    out, errors = io.StringIO(), io.StringIO()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before, began = memory("VmRSS"), time.thread_time()
    OPENED.clear(), DONE.clear()
    sys.argv = ["dlreg", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            cli.main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    opened, done = list(OPENED), list(DONE)
    return {"code": code, "out": out.getvalue(), "err": errors.getvalue(), "opened": opened, "done": done,
            "kib": memory("VmHWM") - before, "seconds": time.thread_time() - began}

jobs = json.load(sys.stdin)
for job in jobs[:12]:
    run(job)  # what is imported and cached is, before anybody looks
sys.addaudithook(hook)
print(json.dumps([run(job) for job in jobs]))
"""


@dataclass(frozen=True)
class Hostile:
    """A way to make a run hostile.

    Attributes:
        change: Does it; its hashes are made to agree afterwards.
        refused_by: The commands that must end with exit code 5; all others with 0.
        reseal: Whether the hashes are made to agree.
        says: Part of every refusal.
        codes: Other exit codes, by command.
    """

    change: Callable[[Path], object]
    refused_by: set[str]
    reseal: bool = True
    says: str = ""
    codes: tuple[tuple[str, int], ...] = ()


def read(path, name):
    return json.loads((path / name).read_text())


def edit(name, change):
    """Changes the JSON of a file in place, or by what `change` returns."""

    def apply(path):
        value = read(path, name)
        value = change(value) or value
        (path / name).write_text(json.dumps(value))

    return apply


def put(name, content):
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return lambda path: (path / name).write_bytes(content)


def replace_by(name, make):
    def apply(path):
        (path / name).unlink()
        make(path / name)

    return apply


def link(name):
    return replace_by(name, lambda file: file.symlink_to(file.parents[1] / "outside" / "secret"))


def other_scale(record):
    record["scale"] = {"learned": "constant", "constant": "learned"}[record["scale"]]


def sparse(name, size):
    return replace_by(name, lambda file: (file.touch(), os.truncate(file, size)))


def in_config(old, new):
    def apply(path):
        text = (path / "config.yaml").read_text()
        assert old in text
        (path / "config.yaml").write_text(text.replace(old, new, 1))

    return apply


def data_path(target, size=None, make=None):
    """Makes the config and run.json name another file to read."""

    def apply(path):
        file = Path(target) if target.startswith("/") else path / target
        if make:
            make(file)
        lines = (path / "config.yaml").read_text().splitlines()
        lines = [f"  path: {file}" if line.startswith("  path: ") else line for line in lines]
        (path / "config.yaml").write_text("\n".join(lines) + "\n")
        record = read(path, "run.json")
        content = file.read_bytes() if os.path.isfile(file) and size is None else b""  # noqa: PTH113
        record["data"]["data.path"] = {
            "path": str(file),
            "size": len(content) if size is None else size,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        (path / "run.json").write_text(json.dumps(record))

    return apply


def learnt(content):
    """Has a run say that it learnt its validation rows in the end, of which this was predicted."""
    return both(
        put("validation.csv", content), edit("run.json", lambda r: r["files"].update({"validation.csv": {}}))
    )


def both(*changes):
    return lambda path: [change(path) for change in changes]


def reseal(path):
    """Makes the hashes of a directory agree with what is in it."""
    try:
        record = read(path, "run.json")
        files = record["files"]
        for name in files:
            file = path / name
            if name in FILES and file.is_file() and not file.is_symlink():
                with file.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                files[name] = {"size": file.stat().st_size, "sha256": digest}
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    record.pop("sha256", None)
    (path / "run.json").write_bytes(record_json(record))


# ---------------------------------------------------------------- graphs


def graph(change):
    """Changes the run's own pipeline."""

    def apply(path):
        model = onnx.load(path / "pipeline.onnx")
        replaced = change(model)
        content = replaced if isinstance(replaced, bytes) else model.SerializeToString()
        (path / "pipeline.onnx").write_bytes(content)

    return apply


def first_number(model):
    return next(v.name for v in model.graph.input if v.type.tensor_type.elem_type == TensorProto.DOUBLE)


def first_text(model):
    return next(v.name for v in model.graph.input if v.type.tensor_type.elem_type == TensorProto.STRING)


def before_output(*nodes, constants=()):
    """Puts nodes before the output, which get `$x` (a column of numbers) and give `$y` (that is added to it)."""

    def change(model):
        g = model.graph
        position, last = next(
            numbered for numbered in enumerate(g.node) if g.output[0].name in numbered[1].output
        )
        after = list(g.node)[position + 1 :]
        del g.node[position + 1 :]
        last.output[0] = "hostile_before"
        names = {"$x": first_number(model), "$t": first_text(model), "$y": "hostile_y"}
        for node in nodes:
            fresh = onnx.NodeProto()
            fresh.CopyFrom(node)
            for field in (fresh.input, fresh.output):
                for index, name in enumerate(field):
                    field[index] = names.get(name, name)
            g.node.append(fresh)
        g.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants)
        g.node.append(helper.make_node("Add", ["hostile_before", "hostile_y"], [g.output[0].name]))
        g.node.extend(after)

    return graph(change)


def node(operator, inputs, outputs=("$y",), **attributes):
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def external(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../outside/secret")


def with_function(model):
    model.functions.add(name="f", domain="ai.onnx.ml")


def with_domain(model):
    model.opset_import.add(domain="com.microsoft", version=1)
    model.graph.node[0].domain = "com.microsoft"


def with_branch(model):
    body = helper.make_graph([], "body", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", body))


def with_newer_operators(model):
    model.opset_import[0].version = 99


def with_sparse(model):
    model.graph.sparse_initializer.add()


def with_metadata(model):
    model.metadata_props.add(key="ort_config", value='{"session_options": {}}')


def with_claimed_size(model):
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([1 << 40, 1 << 20])


def with_negative_size(model):
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([-1, -1])


def with_cycle(model):
    model.graph.node[0].input[0] = model.graph.node[-1].output[0]


def with_other_input(model):
    name = model.graph.input[0].name
    for node in model.graph.node:
        node.input[:] = ["other" if given == name else given for given in node.input]
    model.graph.input[0].name = "other"


def with_other_output(model):
    name = model.graph.output[0].name
    model.graph.node.append(helper.make_node("Identity", [name], ["other"]))
    model.graph.output.append(helper.make_tensor_value_info("other", TensorProto.DOUBLE, ["N", 1]))


def with_outputs_swapped(model):
    name = model.graph.output[0].name
    model.graph.node.append(helper.make_node("Identity", [name], ["spread"]))
    model.graph.output.insert(0, helper.make_tensor_value_info("spread", TensorProto.DOUBLE, ["N", 1]))


def with_wide_input(model):
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1 << 40


def part(number, content, wire_type=2):
    """A part of a protobuf message, as it is written: a field's number, its wire type, its length."""
    size, length = b"", len(content)
    while length >= 128:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    tag = bytes([number << 3 & 127 | wire_type | (128 if number > 15 else 0)])
    tag += bytes([number >> 4]) if number > 15 else b""
    return tag + (size + bytes([length]) + content if wire_type == 2 else content)


def appended(content):
    """Adds parts to the model. What is added to its graph, field 7, becomes one with the graph."""
    return graph(lambda model: model.SerializeToString() + content)


def many(*numbers, n=5_000_000, tag=b"\x0a\x00"):
    """So many empty parts, deep inside messages of these fields."""
    content = tag * n
    for number in reversed(numbers):
        content = part(number, content)
    return appended(content)


def deep(n):
    """Attributes that hold a graph that holds a node that holds an attribute …"""
    content = b""
    for number in (5, 1, 6) * n:
        content = part(number, content)
    return part(7, part(1, part(5, content)))


def with_patterns(n, pattern):
    nodes = [node("RegexFullMatch", ["$t"], [f"m{k}"], pattern=pattern(k)) for k in range(n)]
    sums = [node("Cast", [f"m{k}"], [f"d{k}"], to=TensorProto.DOUBLE) for k in range(n)]
    sums += [node("Add", [f"s{k}", f"d{k}"], [f"s{k + 1}"]) for k in range(n)]
    sums[n].input[0], sums[-1].output[0] = "$x", "$y"
    return before_output(*nodes, *sums)


def lookup(text, output, keys):
    encoded = {"keys_strings": keys, "values_int64s": range(len(keys)), "default_int64": 0}
    return helper.make_node("LabelEncoder", [text], [output], domain="ai.onnx.ml", **encoded)


def with_lookups(n_keys, n_operators):
    def change(model):
        keys = [str(k) for k in range(n_keys)]
        model.graph.node.extend(
            lookup(first_text(model), f"encoded_{place}", keys) for place in range(n_operators)
        )

    return change


def all_at_once(model):
    """Everything just below what is allowed: names, patterns, nodes, and parts."""
    text, number, limits = first_text(model), first_number(model), limits_of(len(model.graph.input))
    size = MOST_CHARACTERS_OF_LEVELS - 100
    pattern = any_of(["".join(chr(0xAC00 + k % 700) for k in range(size // 3))]).encode()
    for k in range(limits.pattern_memory // pattern_memory(pattern) - 3):
        model.graph.node.append(helper.make_node("RegexFullMatch", [text], [f"m{k}"], pattern=pattern))
    n_nodes = limits.nodes - len(model.graph.node)
    model.graph.node.extend(
        helper.make_node("Neg", [f"chain_{k}" if k else number], [f"chain_{k + 1}"]) for k in range(n_nodes)
    )
    room = limits.parts - count_parts(model.SerializeToString(), MAX_PARTS).total - 100
    n_keys = min(room // 2, limits.texts - 10_000)
    for place, start in enumerate(range(0, n_keys, MAX_TEXTS_PER_OPERATOR)):
        keys = [f"{k:x}" for k in range(start, min(start + MAX_TEXTS_PER_OPERATOR, n_keys))]
        model.graph.node[-1 - place].CopyFrom(lookup(text, f"encoded_{place}", keys))
    # The name of a value is held more often than any other text.
    model.graph.node[-1].output[0] = "x" * (
        limits.n_bytes - count_parts(model.SerializeToString(), MAX_PARTS).n_bytes - 1000
    )


def with_full_memory(model):
    """Constants that leave hardly any room for rows, so that how many there are takes long to find."""
    g = model.graph
    for name, shape in (("upright", (1024, 1)), ("flat", (1, 1023))):
        g.initializer.append(numpy_helper.from_array(np.ones(shape), name))
    g.node.extend(helper.make_node("Add", ["upright", "flat"], [f"full_{k}"]) for k in range(8))


def with_axes(model):
    g = model.graph
    g.initializer.append(numpy_helper.from_array(np.array([0]), "axis"))
    g.node.extend(
        helper.make_node("Unsqueeze", [f"axes_{k}" if k else first_number(model), "axis"], [f"axes_{k + 1}"])
        for k in range(5000)
    )


def with_twin(model):
    model.graph.initializer.append(model.graph.initializer[0])


def with_default(model):
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 1)), first_number(model)))


def with_attribute_twice(model):
    attributed = next(node for node in model.graph.node if node.attribute)
    attributed.attribute.append(attributed.attribute[0])


def with_long_chain(model):
    g = model.graph
    name = g.output[0].name
    g.node[-1].output[0] = "chain_0"
    g.node.extend(helper.make_node("Neg", [f"chain_{k}"], [f"chain_{k + 1}"]) for k in range(100_000))
    g.node[-1].output[0] = name


def with_many_constants(model):
    for number in range(300_000):
        model.graph.initializer.add(name=f"z{number}", data_type=TensorProto.FLOAT, dims=[0])


def with_steering_name(model):
    model.graph.node[0].op_type = "\x1b[2J"


def with_attribute_outside(model):
    attribute = model.graph.node[0].attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
    attribute.t.external_data.add(key="location", value="../outside/secret")


def with_reference(model):
    model.graph.node[0].attribute.add(name="axis", ref_attr_name="x")


def with_second_version(model):
    model.opset_import.add(domain="", version=1)


def with_sequence(model):
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = TensorProto.FLOAT


def with_overflowing_size(model):
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([1 << 62, 4])


DOUBLES = [helper.make_node("StringConcat", [f"s{k}", f"s{k}"], [f"s{k + 1}"]) for k in range(40)]
DOUBLES[0].input[:] = ["$t", "$t"]
WIDE = np.ones((1, 1_000_000))
FLAT = np.array([1, -1])

GRAPHS = {
    "external data": graph(external),
    "a function": graph(with_function),
    "a custom domain": graph(with_domain),
    "a nested graph": graph(with_branch),
    "newer operators": graph(with_newer_operators),
    "a sparse constant": graph(with_sparse),
    "session settings": graph(with_metadata),
    "a claimed size": graph(with_claimed_size),
    "a lookup of too many texts": graph(with_lookups(MAX_TEXTS_PER_OPERATOR + 1, 1)),
    "lookups of too many texts": graph(with_lookups(MAX_TEXTS // 6, 6)),
    "a negative size": graph(with_negative_size),
    "a cycle": graph(with_cycle),
    "another input": graph(with_other_input),
    "another output": graph(with_other_output),
    "outputs in another order": graph(with_outputs_swapped),
    "a wide input": graph(with_wide_input),
    "empty nodes": many(7, 1),
    "empty shapes in the graph": many(7, 13, 2, 1, 2),
    "empty types of inputs": many(7, 11, 2),
    "empty axes": many(7, 13, 2, 1, 2, tag=b"\x0a\x02\x08\x00", n=2_000_000),
    "empty attributes": many(7, 1, 5),
    "empty graphs in attributes": many(7, 1, 5, 6),
    "empty tensors in attributes": many(7, 1, 5, 5),
    "empty functions": many(25),
    "empty training steps": many(20),
    "empty metadata": many(tag=b"\x72\x00"),
    "empty constants": many(7, 5, tag=b"\x42\x00"),
    "empty versions": many(tag=b"\x42\x00"),
    "empty texts of a constant": many(7, 5, tag=b"\x32\x00"),
    "packed axes of a constant": appended(part(7, part(5, part(1, b"\x01" * 9_000_000)))),
    "unknown fields": many(7, 1, tag=b"\x7a\x00"),
    "graphs in graphs": appended(deep(300)),
    "a group": appended(part(7, b"", 3) * 1_000_000),
    "a number without an end": appended(b"\x08" + b"\xff" * 1_000_000),
    "a part beyond the end": appended(b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    "a number for a graph": appended(b"\x38\x01"),
    "a field without a number": appended(b"\x02\x00"),
    "half a character": appended(part(7, part(2, b"\xed\xa0\x80"))),
    "a name of 20 MB": appended(part(7, part(2, b"x" * 20_000_000))),
    "10,000 dates": with_patterns(10_000, lambda k: "[0-9]{4}-[0-9]{2}-[0-9]{2}" + "x" * (k % 100)),
    "axes without end": graph(with_axes),
    "a constant twice": graph(with_twin),
    "an input with a default": graph(with_default),
    "an attribute twice": graph(with_attribute_twice),
    "a long chain": graph(with_long_chain),
    "ConstantOfShape": before_output(
        node("ConstantOfShape", ["n"], ["b"]), node("Gather", ["b", "i"]),
        constants=[("n", np.array([1 << 40])), ("i", np.array(0))],
    ),
    "Expand": before_output(node("Expand", ["$x", "n"]), constants=[("n", np.array([1 << 20, 1 << 20]))]),
    "Tile": before_output(node("Tile", ["$x", "n"]), constants=[("n", np.array([1, 1 << 36]))]),
    "Pad": before_output(node("Pad", ["$x", "n"]), constants=[("n", np.array([0, 0, 0, 1 << 36]))]),
    "Range": before_output(
        node("Range", ["a", "b", "c"]),
        constants=[("a", np.array(0.0)), ("b", np.array(1e12)), ("c", np.array(1.0))],
    ),
    "Resize": before_output(node("Resize", ["$x", "", "s"]), constants=[("s", np.array([1, 1e9], np.float32))]),
    "Loop": before_output(node("Loop", ["n"]), constants=[("n", np.array(1 << 40))]),
    "a product of constants": before_output(
        node("Mul", ["a", "b"], ["p"]), node("Gather", ["p", "i"], ["q"]), node("Gather", ["q", "i"], axis=1),
        constants=[("a", np.ones((200_000, 1))), ("b", np.ones((1, 200_000))), ("i", np.array([0]))],
    ),
    "rows times rows": before_output(
        node("Reshape", ["$x", "flat"], ["r"]), node("Mul", ["$x", "r"], ["square"]),
        node("Reshape", ["square", "cube"], ["flatter"]), node("Mul", ["$x", "flatter"], ["cubic"]),
        node("Gather", ["cubic", "i"], axis=1),
        constants=[("flat", FLAT), ("cube", FLAT), ("i", np.array([0]))],
    ),
    "chosen rows times chosen rows": before_output(
        node("Reshape", ["$x", "flat"], ["line"]), node("Equal", ["line", "line"], ["known"]), node("NonZero", ["known"], ["chosen"]),
        node("Reshape", ["chosen", "flat"], ["places"]), node("Gather", ["line", "places"], ["values"]),
        node("Reshape", ["values", "column"], ["upright"]), node("Add", ["upright", "values"], ["square"]),
        node("Gather", ["square", "i"], axis=1),
        constants=[("flat", np.array([-1])), ("column", np.array([-1, 1])), ("i", np.array([0]))],
    ),
    "scattered out of range": before_output(
        node("Reshape", ["$x", "flat"], ["line"]), node("ScatterElements", ["line", "far", "one"], ["s"]),
        node("Reshape", ["s", "column"]),
        constants=[("flat", np.array([-1])), ("column", np.array([-1, 1])), ("far", np.array([1 << 40])), ("one", np.ones(1))],
    ),
    "8 MB of patterns": before_output(
        *[node("RegexFullMatch", ["$t"], [f"m{k}"], pattern=BLANKS + "(?:" + "x" * 1000 + ")" + BLANKS) for k in range(8400)],
        node("Cast", ["m0"], to=TensorProto.DOUBLE),
    ),
    "patterns of many characters": with_patterns(
        700, lambda k: f"{BLANKS}(?:{''.join(chr(0x100 + (k + j) % 680) for j in range(3000))}){BLANKS}"
    ),
    "patterns of many dates": with_patterns(300, lambda k: "".join(chr(0x100 + (k + j) % 680) for j in range(980))),
    "a pattern of many choices": with_patterns(1, lambda _: "a?" * 490),
    "a pattern of empty choices": with_patterns(1, lambda _: "(||||)" * 100),
    "a pattern of numbers in a row": with_patterns(1, lambda _: f"{BLANKS}(?:{r'(?:[.]0*|,00?)?' * 400}){BLANKS}"),
    "a pattern of many repetitions": with_patterns(1, lambda _: "[0-9]{1,99}" * 89),
    "a pattern that is printed": with_patterns(1, lambda _: "\x1bc\x1b_PWNED\u009b2J[0-9]{1,0}"),
    "places of a single flag": before_output(
        node("Equal", ["one", "one"], ["flag"]), node("NonZero", ["flag"], ["places"]),
        node("Reshape", ["places", "flat"], ["line"]), node("Reshape", ["line", "column"], ["upright"]),
        node("Cast", ["upright"], ["number"], to=TensorProto.DOUBLE), node("Add", ["number", "tall"], ["wide"]),
        node("Add", ["wide", "long"], ["square"]), node("Gather", ["square", "i"], axis=1),
        constants=[("one", np.array(1)), ("flat", FLAT[:1] * -1), ("column", np.array([-1, 1])), ("i", np.array([0])),
                   ("tall", np.ones((12_000, 1))), ("long", np.ones((1, 12_000)))],
    ),
    "a constant without elements": before_output(
        node("MatMul", ["a", "b"], ["c"]),
        constants=[("a", np.ones((1 << 20, 0, 1, 1))), ("b", np.ones((0, 1, 1)))],
    ),
    "many products side by side": before_output(
        node("Reshape", ["$x", "four"], ["x4"]), node("Mul", ["x4", "a"], ["left"]), node("MatMul", ["left", "b"], ["c"]),
        constants=[("four", np.array([-1, 1, 1, 1])), ("a", np.ones((1, 3000, 1, 1))), ("b", np.ones((1, 5000, 1, 1))[:, :1])],
    ),
    "a long text that is constant": before_output(
        node("Equal", ["$t", "long"], ["e"]), node("Cast", ["e"], to=TensorProto.DOUBLE),
        constants=[("long", np.array([["x" * 8000]], dtype=object))],
    ),
    "doubling pieces": before_output(
        node("StringSplit", ["$t"], ["p0", "n"], delimiter="a", maxsplit=1),
        *[node("Concat", [f"p{k}", f"p{k}"], [f"p{k + 1}"], axis=-1) for k in range(40)],
        node("Gather", ["p40", "i"], ["one"], axis=-1), node("Equal", ["one", "$t"], ["e"]),
        node("Cast", ["e"], to=TensorProto.DOUBLE),
        constants=[("i", np.array(0))],
    ),
    "unlimited pieces": before_output(node("StringSplit", ["$t"], ["p", "n"], delimiter="a")),
    "doubling texts": before_output(*DOUBLES),
    "division of whole numbers": before_output(
        node("Cast", ["$x"], ["whole"], to=TensorProto.INT64), node("Div", ["whole", "zero"], ["none"]),
        node("Cast", ["none"], to=TensorProto.DOUBLE),
        constants=[("zero", np.array([0]))],
    ),
    "no number": before_output(node("Cast", ["$t"], to=TensorProto.DOUBLE)),
    "out of range": before_output(
        node("Gather", ["c", "i"]), constants=[("c", np.ones((3, 1))), ("i", np.array(7))]
    ),
    "a pattern that steers a terminal": before_output(
        node("RegexFullMatch", ["$t"], ["m"], pattern="\x1b[2J\x1b]0;owned\x07((a{1000}){1000}){1000}"),
        node("Cast", ["m"], to=TensorProto.DOUBLE),
    ),
    "a text of 20 MB": before_output(
        node("Where", ["c", "b", "$t"], ["w"]), node("Equal", ["w", "$t"], ["e"]), node("Cast", ["e"], to=TensorProto.DOUBLE),
        constants=[("c", np.array([[True]])), ("b", np.array([["x" * (20 << 20)]], dtype=object))],
    ),
    "a million columns side by side": before_output(
        node("Concat", ["$x"] * 5000, ["w"], axis=1), node("Concat", ["w"] * 200, ["v"], axis=1),
        node("Concat", ["v"] * 20, ["u"], axis=1), node("Gather", ["u", "j"], axis=1),
        constants=[("j", np.array([0]))],
    ),
    "300,000 constants": graph(with_many_constants),
    "a name that steers a terminal": graph(with_steering_name),
    "an attribute outside": graph(with_attribute_outside),
    "a reference to a function's attribute": graph(with_reference),
    "two versions of the operators": graph(with_second_version),
    "training steps": graph(lambda model: model.training_info.add() and None),
    "quantisation": graph(lambda model: model.graph.quantization_annotation.add() and None),
    "a sequence for an input": graph(with_sequence),
    "a product that overflows": graph(with_overflowing_size),
    "a branch": before_output(node("If", ["$x"])),
    "a scan": before_output(node("Scan", ["$x"])),
    "random numbers": before_output(node("RandomNormal", [], shape=[1 << 20, 1 << 20])),
    "an outer product": before_output(node("Einsum", ["$x", "$x"], equation="ij,kl->ijkl")),
    "a picture": before_output(node("ImageDecoder", ["$x"])),
    "an endless pattern": before_output(
        node("RegexFullMatch", ["$t"], ["m"], pattern="((a{1000}){1000}){1000}"),
        node("Cast", ["m"], to=TensorProto.DOUBLE),
    ),
}  # fmt: skip

SAYS = {
    "external data": "external_data in TensorProto",
    "a function": "functions in ModelProto",
    "a nested graph": "g in AttributeProto",
    "a product of constants": "tensors of more than",
    "rows times rows": "tensors that grow faster than their rows",
    "chosen rows times chosen rows": "tensors that grow faster than their rows",
    "scattered out of range": "pipeline.onnx: the pipeline cannot be run",
    "a lookup of too many texts": "LabelEncoder with more than 100,000 texts",
    "lookups of too many texts": "texts, where",
    "8 MB of patterns": "patterns of more memory",
    "patterns of many characters": "patterns of more memory",
    "patterns of many dates": "patterns of dates for 6 columns",
    **dict.fromkeys(
        (
            "a pattern of many choices",
            "a pattern of empty choices",
            "a pattern of numbers in a row",
            "a pattern of many repetitions",
            "a pattern that is printed",
        ),
        "neither a date's nor a level's",
    ),
    "places of a single flag": "NonZero of a single flag",
    "a constant without elements": "of type 11 and shape",
    "a long text that is constant": "a text of more than",
    "doubling pieces": "tensors of more than",
    "division of whole numbers": "Div of type 7",
    "no number": "pipeline.onnx: the pipeline cannot be run",
    "out of range": "pipeline.onnx: the pipeline cannot be run",
    "session settings": "metadata of the name 'ort_config'",
    "empty nodes": "parts",
    "empty shapes in the graph": "parts",
    "unknown fields": "an unknown field in NodeProto",
    "graphs in graphs": "g in AttributeProto",
    "a group": "ModelProto.graph of wire type 3",
    "half a character": "GraphProto.name that is not UTF-8",
    "a number without an end": "no ONNX model",
    "a part beyond the end": "no ONNX model",
    "a number for a graph": "ModelProto.graph of wire type 0",
    "a name of 20 MB": "bytes",
    "10,000 dates": "nodes",
    "axes without end": "Unsqueeze with 9 axes",
    "a constant twice": "two inputs or constants of one name",
    "an input with a default": "two inputs or constants of one name",
    "an attribute twice": "an attribute twice",
    "a long chain": "nodes",
    **{
        name: f"the operator {name}"
        for name in ("ConstantOfShape", "Expand", "Tile", "Pad", "Range", "Resize", "Loop")
    },
}


def files(record):
    return record["files"]


JSON_BOMB = b"[" + b"[]," * 5_000_000 + b"[]]"
CORPUS = {
    # run.json itself, its hash as it comes
    "record: deep nesting": Hostile(put("run.json", "[" * 500_000), ALL, reseal=False),
    "record: deep objects": Hostile(put("run.json", '{"a":' * 100_000), ALL, reseal=False),
    "record: null": Hostile(put("run.json", "null"), ALL, reseal=False),
    "record: a huge number": Hostile(put("run.json", '{"schema_version": ' + "9" * 5000 + "}"), ALL, reseal=False),
    "record: not a number": Hostile(put("run.json", '{"schema_version": NaN, "sha256": ""}'), ALL, reseal=False),
    "record: 30 MB": Hostile(put("run.json", b" " * 30_000_000), ALL, reseal=False),
    "record: 10 GB": Hostile(sparse("run.json", 10 << 30), ALL, reseal=False),
    "record: a link": Hostile(link("run.json"), ALL, reseal=False),
    "record: a pipe": Hostile(replace_by("run.json", os.mkfifo), ALL, reseal=False),
    "record: a directory": Hostile(replace_by("run.json", Path.mkdir), ALL, reseal=False),
    "record: empty": Hostile(put("run.json", b""), ALL, reseal=False),
    # run.json with its hash right
    "record: a list of files": Hostile(edit("run.json", lambda r: r.update(files=[])), ALL),
    "record: a file elsewhere": Hostile(
        edit("run.json", lambda r: files(r).update({"../outside/secret": {"size": 6, "sha256": "0" * 64}})), ALL
    ),
    "record: a size in words": Hostile(
        edit("run.json", lambda r: files(r).update(x={"size": "much", "sha256": "0" * 64})), ALL
    ),
    "record: a negative size": Hostile(
        edit("run.json", lambda r: files(r).update(x={"size": -1, "sha256": "0" * 64})), ALL
    ),
    "record: a hash as a number": Hostile(
        edit("run.json", lambda r: files(r).update(x={"size": 1, "sha256": 7})), ALL
    ),
    "record: data as a number": Hostile(edit("run.json", lambda r: r.update(data={"data.path": 3})), ALL),
    "record: no data": Hostile(edit("run.json", lambda r: r.pop("data") and None), OWN_ROWS),
    "record: a blend of markup": Hostile(edit("run.json", lambda r: r.update(blend={"<b>x</b>": 0.5})), {"card", "resume", "summary"}),
    "record: a blend without end": Hostile(edit("run.json", lambda r: r.update(blend={"ridge": 1e300})), {"card", "resume", "summary"}),
    "record: an epoch in words": Hostile(edit("run.json", lambda r: r.update(best_epoch="x")), ALL),
    "record: an epoch too far": Hostile(edit("run.json", lambda r: r.update(best_epoch=10**6)), {"loss"}),
    "record: a huge epoch": Hostile(edit("run.json", lambda r: r.update(best_epoch=10**4000)), ALL),
    "record: a status that is a list": Hostile(edit("run.json", lambda r: r.update(status=[])), ALL),
    "record: a version in words": Hostile(edit("run.json", lambda r: r.update(schema_version="1")), ALL),
    "record: words that steer a terminal": Hostile(
        edit("run.json", lambda r: r["verdict"].update(sentence="[/bold]\x1b[2J\x9b2J\u202e[link=x]a[/link]", advice="[red]\x1b]0;x\x07")), set()
    ),
    "record: a metric beyond all numbers": Hostile(edit("run.json", lambda r: r["metrics"]["test"].update(rmse=10**400)), {"card", "resume", "summary"}),
    "record: an unfinished run": Hostile(edit("run.json", lambda r: r.update(status="failed", exit_code=7, error="\x1b[2J")), ALL, codes=(("resume", 7), ("summary", 7))),
    "record: a status that steers a terminal": Hostile(edit("run.json", lambda r: r.update(status="\x1b[2J")), ALL),
    "record: no pipeline": Hostile(edit("run.json", lambda r: files(r).pop("pipeline.onnx") and None), RUNNERS | {"verify"}),
    # config.yaml
    "config: a Python object": Hostile(put("config.yaml", "data: !!python/object/apply:os.system ['touch pwned']\n"), READERS),
    "config: aliases": Hostile(put("config.yaml", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"), READERS),
    "config: binary": Hostile(put("config.yaml", bytes(range(256))), READERS),
    "config: 2 MB": Hostile(put("config.yaml", b"#" * 2_000_000), READERS),
    "config: nested": Hostile(put("config.yaml", "{a: " * 5000), READERS),
    "config: an unknown key": Hostile(in_config("preset:", "plugin: evil\npreset:"), READERS),
    "config: a URL": Hostile(in_config("  path: ", "  path: https://example.org/"), READERS),
    "config: an odd encoding": Hostile(in_config("encoding: utf-8", "encoding: zip"), READERS),
    "config: a link": Hostile(link("config.yaml"), ALL),
    "config: terminal escapes": Hostile(in_config("target: 소요 시간", 'target: "\\e[2J\\e]0;owned\\a$\\\\input{x}$"'), OWN_ROWS | {"measure"}, codes=(("evaluate", 4), ("measure", 4), ("explain", 4))),
    "data: a pipe": Hostile(data_path("pipe", make=os.mkfifo), OWN_ROWS | {"verify"}),
    "data: a device": Hostile(data_path("/dev/zero"), OWN_ROWS),
    "data: a directory": Hostile(data_path("/etc"), OWN_ROWS),
    "data: the environment": Hostile(data_path("/proc/self/environ", size=0), OWN_ROWS),
    "data: kernel memory": Hostile(data_path("/proc/kcore", size=140737471590400), OWN_ROWS),
    "data: a guess": Hostile(data_path("/etc/passwd", size=Path("/etc/passwd").stat().st_size), OWN_ROWS),
    "data: a name too long": Hostile(data_path("/" + "x" * 300, size=1), OWN_ROWS),
    "data: a NUL byte": Hostile(in_config("  path: ", '  path: "a\\0b" #'), READERS),
    "config: networks that fill the memory": Hostile(in_config("[16, 8]", "[65536, 65536, 65536]"), set()),
    "config: layers beyond reason": Hostile(in_config("[16, 8]", "[100000000]"), READERS),
    "config: a million threads": Hostile(in_config("threads: null", "threads: 1000000"), READERS),
    "config: an encoding that is a module": Hostile(in_config("encoding: utf-8", "encoding: antigravity"), READERS),
    "config: an encoding elsewhere": Hostile(in_config("encoding: utf-8", "encoding: ../../outside/secret"), READERS),
    "config: a format of 300 years": Hostile(in_config("%d/%m/%Y", "%Y" * 300), READERS),
    # preprocessing.json
    "preprocessing: 40 MB of blanks": Hostile(put("preprocessing.json", b'{"columns": {"x": {"kind": "number"}}, "features": []' + b" " * 40_000_000 + b"}"), PREPROCESSED),
    "preprocessing: a million levels": Hostile(edit("preprocessing.json", lambda p: p["columns"]["비"].update(levels=[f"{n:x}" for n in range(900_000)])), set(), codes=(("measure", 4), ("predict", 4))),
    "preprocessing: wide characters": Hostile(edit("preprocessing.json", lambda p: p.update(features=["\U0001f600" * 5_000_000])), PREPROCESSED),
    "preprocessing: nested": Hostile(put("preprocessing.json", "[" * 500_000), PREPROCESSED),
    "preprocessing: a bomb": Hostile(put("preprocessing.json", JSON_BOMB), PREPROCESSED),
    "preprocessing: a list": Hostile(edit("preprocessing.json", lambda p: p.update(columns=[])), PREPROCESSED),
    "preprocessing: 9,000 features": Hostile(edit("preprocessing.json", lambda p: p.update(features=[f"f{k}" for k in range(9000)])), RUNNERS, says="features are more than"),
    "preprocessing: no columns": Hostile(edit("preprocessing.json", lambda p: p.update(columns={})), PREPROCESSED),
    "preprocessing: another kind": Hostile(edit("preprocessing.json", lambda p: p["columns"]["비"].update(kind="pickle")), PREPROCESSED),
    "preprocessing: no format": Hostile(edit("preprocessing.json", lambda p: p["columns"]["day"].pop("date_format") and None), PREPROCESSED),
    "preprocessing: a bad format": Hostile(edit("preprocessing.json", lambda p: p["columns"]["day"].update(date_format="%Q(((")), PREPROCESSED),
    "preprocessing: a zone elsewhere": Hostile(edit("preprocessing.json", lambda p: p["columns"]["day"].update(time_zone="../../outside/secret")), PREPROCESSED),
    "preprocessing: a zone of numbers": Hostile(edit("preprocessing.json", lambda p: p["columns"]["year"].update(time_zone="UTC")), PREPROCESSED),
    "preprocessing: a century to come": Hostile(edit("preprocessing.json", lambda p: p["columns"]["day"].update(latest_year=10**9)), PREPROCESSED),
    "preprocessing: a unit of a category": Hostile(edit("preprocessing.json", lambda p: p["columns"]["비"].update(unit="kg")), PREPROCESSED),
    "preprocessing: a range of a category": Hostile(edit("preprocessing.json", lambda p: p["columns"]["비"].update(range=[0.0, 1.0])), PREPROCESSED),
    "preprocessing: a range beyond all days": Hostile(edit("preprocessing.json", lambda p: p["columns"]["day"].update(range=[-1e300, -1e299])), set()),
    "preprocessing: an endless unit": Hostile(edit("preprocessing.json", lambda p: p["target"].update(unit="k" * 100)), PREPROCESSED),
    "preprocessing: a scale of nothing": Hostile(edit("preprocessing.json", lambda p: p["target"].update(scale=0.0)), PREPROCESSED),
    "preprocessing: a scale beyond all": Hostile(edit("preprocessing.json", lambda p: p["target"].update(scale=1e200)), PREPROCESSED),
    "preprocessing: a tiny scale": Hostile(edit("preprocessing.json", lambda p: p["target"].update(scale=1e-300)), set()),
    "preprocessing: levels as numbers": Hostile(edit("preprocessing.json", lambda p: p["columns"]["비"].update(levels=[1])), PREPROCESSED),
    "preprocessing: another column": Hostile(edit("preprocessing.json", lambda p: p["columns"].update(extra={"kind": "number"})), RUNNERS),
    "preprocessing: half a character": Hostile(put("preprocessing.json", '{"features": [], "columns": {"\\ud800": {"kind": "number"}}}'), RUNNERS),
    "preprocessing: NaN": Hostile(put("preprocessing.json", '{"columns": NaN, "features": []}'), PREPROCESSED),
    # metrics.json
    "metrics: a width beyond all": Hostile(edit("metrics.json", lambda m: m["test"].update(width_90=1e308)), set()),
    "metrics: a negative width": Hostile(edit("metrics.json", lambda m: m["test"].update(width_90=-1.0)), {"scatter", "rest"}),
    # history.json
    "history: nothing": Hostile(put("history.json", "{}"), {"loss"}),
    "history: no epochs": Hostile(put("history.json", '{"loss": []}'), {"loss"}),
    "history: texts": Hostile(put("history.json", '{"loss": ["a"]}'), {"loss"}),
    "history: NaN": Hostile(put("history.json", '{"loss": [NaN]}'), {"loss"}),
    "history: infinite": Hostile(put("history.json", '{"loss": [1e999]}'), {"loss"}),
    "history: far apart": Hostile(put("history.json", json.dumps({"loss": [1e308, -1e308] * 20})), {"loss"}),
    "history: a huge number": Hostile(put("history.json", '{"loss": [1' + "0" * 400 + "]}"), {"loss"}),
    "history: lengths": Hostile(put("history.json", json.dumps({"loss": [1.0] * 40, "val_loss": [1.0]})), {"loss"}),
    "history: nested": Hostile(put("history.json", '{"loss": ' + "[" * 100_000), {"loss"}),
    "history: 40 MB of blanks": Hostile(put("history.json", b'{"loss": [1.0]' + b" " * 40_000_000 + b"}"), {"loss"}),
    "history: a million texts": Hostile(put("history.json", '{"loss": [1.0], "x": [' + ",".join(f'"{n:x}"' for n in range(900_000)) + "]}"), {"loss"}),
    # predictions.csv, split.json
    "validation: none of its rows": Hostile(learnt(b"row,y_true,y_pred\n"), LEARNT),
    "validation: other rows": Hostile(learnt(b"row,y_true,y_pred\n900000,1,2\n"), LEARNT),
    "validation: 4 million times one row": Hostile(learnt(b"row,y_true,y_pred\n" + b"0,1,2\n" * 4_000_000), LEARNT),
    "validation: 20 MB in a number": Hostile(learnt(b"row,y_true,y_pred\n0,1," + b"1" * 20_000_000 + b"\n"), LEARNT),
    "predictions: 20 MB in a line": Hostile(put("predictions.csv", b"row,y_true,y_pred\n" + b"1," * 10_000_000 + b"\n"), DRAWERS),
    "predictions: 20 MB in a number": Hostile(put("predictions.csv", b"row,y_true,y_pred\n0,1," + b"1" * 20_000_000 + b"\n"), DRAWERS),
    "predictions: 4 million rows": Hostile(put("predictions.csv", b"row,y_true,y_pred\n" + b"0,1,2\n" * 4_000_000), set()),
    "predictions: 10 MB of newlines": Hostile(put("predictions.csv", b"row,y_true,y_pred\n" + b"\n" * 10_000_000), DRAWERS),
    "predictions: empty": Hostile(put("predictions.csv", b""), DRAWERS),
    "predictions: other columns": Hostile(put("predictions.csv", "a,b\n1,2\n"), DRAWERS),
    "predictions: words": Hostile(put("predictions.csv", "row,y_true,y_pred\n0,a,b\n"), DRAWERS),
    "predictions: NaN": Hostile(put("predictions.csv", "row,y_true,y_pred\n0,nan,1\n"), DRAWERS),
    "predictions: far apart": Hostile(put("predictions.csv", "row,y_true,y_pred\n0,1e308,-1e308\n"), DRAWERS),
    "predictions: a short row": Hostile(put("predictions.csv", "row,y_true,y_pred\n0,1,2\n1\n"), DRAWERS),
    "predictions: NUL bytes": Hostile(put("predictions.csv", b"row,y_true,y_pred\n" + bytes(999)), DRAWERS - {"card"}),
    "predictions: a pipe": Hostile(replace_by("predictions.csv", os.mkfifo), DRAWERS | {"verify"}),
    "split: other rows": Hostile(edit("split.json", lambda s: s.update(test=[0])), OWN_ROWS),
    "split: nested": Hostile(put("split.json", "[" * 50_000), OWN_ROWS),
    "split: a bomb": Hostile(put("split.json", JSON_BOMB), OWN_ROWS),
    # intervals.json
    "intervals: nothing": Hostile(put("intervals.json", "{}"), TELLERS | {"scatter"}),
    "intervals: nested": Hostile(put("intervals.json", "[" * 50_000), TELLERS | {"scatter"}),
    "intervals: a bomb": Hostile(put("intervals.json", JSON_BOMB), TELLERS | {"scatter"}),
    "intervals: 2 MB": Hostile(put("intervals.json", b" " * 2_000_000), TELLERS | {"scatter"}),
    "intervals: a text": Hostile(edit("intervals.json", lambda i: i["scores"].__setitem__(0, "0")), TELLERS | {"scatter"}),
    "intervals: NaN": Hostile(edit("intervals.json", lambda i: i["scores"].__setitem__(-1, float("nan"))), TELLERS | {"scatter"}),
    "intervals: infinite": Hostile(edit("intervals.json", lambda i: i["scores"].__setitem__(-1, float("inf"))), TELLERS | {"scatter"}),
    "intervals: beyond all": Hostile(edit("intervals.json", lambda i: i["scores"].__setitem__(-1, 1e200)), TELLERS | {"scatter"}),
    "intervals: negative": Hostile(edit("intervals.json", lambda i: i["scores"].__setitem__(0, -1.0)), TELLERS | {"scatter"}),
    "intervals: out of order": Hostile(edit("intervals.json", lambda i: i["scores"].reverse()), TELLERS | {"scatter"}),
    "intervals: two kinds of scores": Hostile(edit("intervals.json", lambda i: i.update(signed_scores=i["scores"])), TELLERS | {"scatter"}),
    "intervals: no scores": Hostile(edit("intervals.json", lambda i: i.pop("scores")), TELLERS | {"scatter"}),
    "intervals: signed and out of order": Hostile(edit("intervals.json", lambda i: i.update(signed_scores=i.pop("scores")[::-1])), TELLERS | {"scatter"}),
    "intervals: signed and beyond all": Hostile(edit("intervals.json", lambda i: i.update(signed_scores=[-1e200, *i.pop("scores")[1:]])), TELLERS | {"scatter"}),
    "intervals: more rows": Hostile(edit("intervals.json", lambda i: i.update(rows=1 << 62)), TELLERS | {"scatter"}),
    "intervals: fewer rows": Hostile(edit("intervals.json", lambda i: i.update(rows=0)), TELLERS | {"scatter"}),
    "intervals: another scale": Hostile(edit("intervals.json", other_scale), RUNNERS, says="intervals.json"),
    "intervals: a pipe": Hostile(replace_by("intervals.json", os.mkfifo), TELLERS | {"scatter"} | {"verify"}),
    # pipeline.onnx
    "pipeline: empty": Hostile(put("pipeline.onnx", b""), RUNNERS),
    "pipeline: words": Hostile(put("pipeline.onnx", b"import os; os.system('touch pwned')"), RUNNERS),
    "pipeline: a pickle": Hostile(put("pipeline.onnx", b"cos\nsystem\n(S'touch pwned'\ntR."), RUNNERS),
    "pipeline: another format": Hostile(put("pipeline.onnx", b"\x20\0\0\0ORTM" + bytes(100)), RUNNERS),
    "pipeline: 200 MB of zeros": Hostile(sparse("pipeline.onnx", 200 << 20), RUNNERS),
    "pipeline: a link": Hostile(link("pipeline.onnx"), RUNNERS | {"verify"}),
    **{
        f"pipeline: {name}": Hostile(change, RUNNERS, says=SAYS.get(name, ""))
        for name, change in GRAPHS.items()
    },
    "pipeline: all at once": Hostile(graph(all_at_once), set()),
    "pipeline: memory that is full": Hostile(graph(with_full_memory), set()),
    "pipeline: wide rows": Hostile(
        before_output(
            node("IsNaN", ["$x"], ["missing"]), node("Where", ["missing", "zero", "$x"], ["known"]),
            node("Mul", ["known", "w"], ["wide"]), node("Gather", ["wide", "i"], ["one"], axis=1), node("Reshape", ["one", "s"]),
            constants=[("zero", np.array(0.0)), ("w", WIDE), ("i", np.array(0)), ("s", np.array([-1, 1]))],
        ),
        set(),
        codes=(("baseline", 8), ("explain", 5)),
    ),
    # where files are written, and what lies beside them
    "figure: a link": Hostile(link("loss_curve.png"), {"verify"}),
    "figure: a dangling link": Hostile(replace_by("loss_curve.png", lambda f: f.symlink_to(f.parents[1] / "outside" / "fresh")), {"verify"}),
    "figure: a pipe": Hostile(replace_by("loss_curve.png", os.mkfifo), {"verify"}, codes=(("loss", 6),)),
    "figure: a directory": Hostile(replace_by("loss_curve.png", Path.mkdir), {"verify"}, codes=(("loss", 6),)),
    "beside: temporaries that are links": Hostile(
        lambda path: (path / ".dlreg-0123456789abcdef.tmp").symlink_to(path.parent / "outside" / "secret"), {"verify"}
    ),
    "beside: Python": Hostile(
        both(*(put(name, "open('pwned', 'w')") for name in ("sitecustomize.py", "numpy.py", "onnx.py"))), {"verify"}
    ),
    "beside: settings of matplotlib": Hostile(put("matplotlibrc", "text.usetex: True\n"), {"verify"}),
    "beside: names that steer a terminal": Hostile(put("\x1b[2J\u202e.txt", "x"), {"verify"}),
    "model: a pickle": Hostile(put("model.keras", b"cos\nsystem\n(S'touch pwned'\ntR."), set()),
}  # fmt: skip


def commands_for(name) -> list[str]:
    """The commands that read what is hostile, and `verify`; all with `DLREG_LONG_TESTS=1`."""
    file = name.partition(":")[0]
    others = {
        "pipeline": READERS - {"predict"},
        "preprocessing": READERS - {"evaluate", "predict"},
        "intervals": {"measure", "explain", "loss", "scatter", "rest", "baseline"},
        "config": {"measure", "scatter", "rest"},
        "record": {"measure", "scatter", "rest"},
        "data": READERS - OWN_ROWS,
        "split": READERS - OWN_ROWS,
        "history": READERS - {"loss"},
        "predictions": READERS - {"scatter"},
        "figure": READERS - {"loss"},
        "beside": {"measure", "baseline", "rest"},
    }
    skipped = set() if LONG else others.get(file, set())
    if not LONG and name in CORPUS and "terminal" not in name:
        skipped = skipped | {"summary"}
    return [command for command in COMMANDS if command not in skipped]


@pytest.fixture(scope="module")
def results(project, tmp_path_factory):
    """What became of each command on each directory, by name and command; the good run is `whole`."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "outside").mkdir()
    (folder / "outside" / "secret").write_text("secret")
    shutil.copy(project / "table.csv", folder / "rows.csv")
    jobs, keys = [], []
    for number, (name, hostile) in enumerate({"whole": None, "again": None, **CORPUS}.items()):
        path, out = folder / f"run{number}", folder / f"out{number}"
        shutil.copytree(project / "run", path)
        out.mkdir()
        if hostile:
            hostile.change(path)
            if hostile.reseal:
                reseal(path)
        for command in commands_for(name):
            arguments = COMMANDS[command]
            places = {"run": path, "csv": folder / "rows.csv", "out": out, "whole": folder / "run0"}
            jobs.append([a.format_map(places) for a in arguments])
            keys.append((name, command, path, out))
    for path in (folder / "run2").parent.glob("run*/matplotlibrc"):
        shutil.copy(path, folder)  # matplotlib looks in the working directory
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(HARNESS)], cwd=folder, env=environment,
        input=json.dumps(jobs), capture_output=True, text=True, check=False, timeout=900 if LONG else 300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    outcomes = {}
    for (name, command, path, out), result in zip(keys, json.loads(done.stdout), strict=True):
        outcomes[name, command] = result | {"path": path, "folder": out}
    return folder, outcomes


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_directory_is_refused_and_touches_nothing(results, name):
    folder, outcomes = results
    hostile = CORPUS[name]
    codes = {command: 5 if command in hostile.refused_by else 0 for command in COMMANDS} | dict(hostile.codes)
    for command in commands_for(name):
        result, normal = outcomes[name, command], outcomes["again", command]
        where = f"{command}: {result['err']}"
        assert result["code"] == codes[command], where
        assert "Traceback" not in result["err"], where
        assert "bug of dlreg" not in result["err"], where
        text = (result["err"] + result["out"]).replace(str(result["path"]), "")
        assert all(c.isprintable() or c in "\n" for c in text), where
        if result["code"]:
            assert hostile.says in result["err"], where
            assert "error: " in result["err"]
            # A path is told whole, however long.
            assert len(result["err"].replace("x" * 5000, "")) < 3000
        assert result["kib"] - normal["kib"] < EXTRA_MIB * 1024, f"{command} took {result['kib']} KiB"
        assert result["seconds"] < MAX_SECONDS, f"{command} took {result['seconds']} s"
        check_touched(folder, result, normal)
    assert (folder / "outside" / "secret").read_text() == "secret"
    assert [entry.name for entry in (folder / "outside").iterdir()] == ["secret"]
    assert not list(folder.rglob("pwned"))


# Libraries load parts of themselves when they are needed.
LIBRARIES = (str(Path(os.__file__).parent), str(Path(onnx.__file__).parents[1]))


def check_touched(folder, result, normal):
    """Only the directory, the CSV and the output are opened, beside what the good run opens, too."""
    path, out = str(result["path"]), str(result["folder"])
    usual = {opened for opened, _ in normal["opened"] if not opened.startswith((str(folder), "3", "4", "5"))}
    for opened, flags in result["opened"]:
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        inside = opened.startswith((path + "/", out + "/")) or opened in (path, out)
        if opened.startswith(f"{folder}/run0/") and not writes:
            continue  # what the baseline is compared with
        if opened.startswith(LIBRARIES) and not writes:
            continue
        if writes and opened.startswith("/") and opened not in usual:
            assert inside, f"wrote {opened}"
        elif opened.startswith("/") and opened not in usual and not inside:
            assert opened == str(folder / "rows.csv") or opened in allowed_data(result), f"read {opened}"
    for event, arguments in result["done"]:
        # Such as the encoding that a config names.
        if event == "exec" and any(f'file "{library}/' in arguments[0] for library in LIBRARIES):
            continue
        assert event in {usual_event for usual_event, _ in normal["done"]} | {
            "os.remove",
            "os.rename",
            "marshal.loads",
        }, (
            event,
            arguments,
        )
        if event in ("os.remove", "os.rename"):
            assert all(a.startswith((path + "/", out + "/")) for a in arguments if a.startswith("/")), (
                arguments
            )


def allowed_data(result) -> set[str]:
    """The CSV that the config names: `evaluate` says that it reads it, and compares its hash first.

    What is no plain file may not even be opened.
    """
    lines = [line for line in result["err"].splitlines() if line.startswith("note: reading ")]
    names = [line.removeprefix("note: reading ").removesuffix(", as the run's config says") for line in lines]
    # Unlike Path's, it takes any name.
    return {name for name in names if os.path.isfile(name) and not name.startswith("/proc/")}  # noqa: PTH113


def test_the_harness_sees_what_it_looks_for(results):
    _, outcomes = results
    result = outcomes["whole", "predict"]
    assert result["code"] == 0
    opened = {Path(name).name for name, _ in result["opened"]}
    assert {"run.json", "pipeline.onnx", "config.yaml", "preprocessing.json", "rows.csv"} <= opened
    assert any(event == "os.rename" for event, _ in result["done"])
    assert outcomes["whole", "evaluate"]["err"].startswith("note: reading /")


@pytest.mark.parametrize("command", ["evaluate", "predict", "resume"])
def test_nothing_is_left_in_the_home_folder(project, tmp_path, command):
    """Such as by the telemetry of a library, which Python's audit hooks do not see."""
    arguments = [a.format(run="run", csv="table.csv", out=tmp_path) for a in COMMANDS[command]]
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "XDG_CACHE_HOME": "", "CI": "", "ORT_DISABLE_TELEMETRY": ""}
    done = run_cli(*arguments, cwd=project, env=environment)
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []


def test_python_leaves_nothing_in_the_home_folder_either(tmp_path):
    script = "import os; import dlreg.pipeline.session; print(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": "", "CI": ""}
    for before in (None, "0"):
        environment.pop("ORT_DISABLE_TELEMETRY", None)
        given = {} if before is None else {"ORT_DISABLE_TELEMETRY": before}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environment | given,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{before}\n"
        assert list(tmp_path.rglob("*")) == []


def test_the_corpus_is_large():
    assert len(CORPUS) >= 40
