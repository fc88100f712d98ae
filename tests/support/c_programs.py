"""C that dlreg wrote, compiled without a warning and called."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
needs_compiler = pytest.mark.skipif(not COMPILER, reason="there is no C compiler")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Wconversion", "-Werror")
SANITIZED = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# Behind a model: many rows at once, as an array of its struct.
LOOP = """
void many(const struct {name}row *rows, size_t n_rows, size_t repeats, double *y);
void many(const struct {name}row *rows, size_t n_rows, size_t repeats, double *y) {{
    for (size_t k = 0; k < n_rows * repeats; k++) {{
        y[k % n_rows] = {name}predict(rows + k % n_rows);
    }}
}}
"""


def compile_c(sources: dict[str, str], output: str, folder: Path, *flags: str) -> Path:
    """Compiles files that are all given; any warning is an error.

    Args:
        sources: Their texts by name; those that end in `.c` are compiled together.
        output: The name of what is made.
        folder: Takes all of them.
        flags: Further ones for the compiler.
    """
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    files = [name for name in sources if name.endswith(".c")]
    command = [COMPILER, *STRICT, *flags, *files, "-o", output, "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[:4000]
    return folder / output


class CModel:
    """A C model in this process.

    Args:
        source: Its text.
        is_number: For each column whether it is one of numbers.
        folder: Takes the files.
        name: What its names begin with, with the underscore.
        flags: For the compiler.
    """

    def __init__(self, source, is_number, folder, name="", flags=("-O2",)):
        text = source + LOOP.format(name=name)
        path = compile_c({"model.c": text}, "model.so", folder, *flags, "-shared", "-fPIC")
        self.library, self.name = ctypes.CDLL(str(path)), name
        kinds = [ctypes.c_double if number else ctypes.c_char_p for number in is_number.values()]
        fields = [(f"field_{place}", kind) for place, kind in enumerate(kinds)]
        self.row_type = type("Row", (ctypes.Structure,), {"_fields_": fields})
        self.is_number = is_number

    def rows(self, cells):
        """Cells, one array of shape [N, 1] per column, as an array of structs."""
        columns = [
            cells[name][:, 0].tolist() if number else [str(cell).encode() for cell in cells[name][:, 0]]
            for name, number in self.is_number.items()
        ]
        n_rows = len(columns[0])
        return (self.row_type * n_rows)(*(self.row_type(*row) for row in zip(*columns, strict=True)))

    def predict(self, cells, repeats=1):
        rows = self.rows(cells)
        return self.predict_rows(rows, repeats)

    def predict_rows(self, rows, repeats=1):
        """The predictions of rows, computed several times over."""
        y = np.empty(len(rows))
        many = self.library.many
        many.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
        many.restype = None
        many(rows, len(rows), repeats, y.ctypes.data)
        return y

    def call(self, function, cells, *arguments, result=ctypes.c_double):
        """What a function of a row says of each row."""
        called = getattr(self.library, function)
        called.restype = result
        return [called(ctypes.byref(row), *arguments) for row in self.rows(cells)]


def sanitized_predictions(source, is_number, cells, folder):
    """The predictions of a program of its own under AddressSanitizer and UndefinedBehaviorSanitizer."""
    from dlreg.exports.c.literals import number_literal, text_literal

    columns = [
        [number_literal(cell, "double") for cell in cells[name][:, 0]]
        if number
        else [text_literal(str(cell).encode()) for cell in cells[name][:, 0]]
        for name, number in is_number.items()
    ]
    rows = ",\n".join("{" + ", ".join(row) + "}" for row in zip(*columns, strict=True))
    main = (
        "#define DLREG_DECLARATIONS\n#include <math.h>\n#include <stdio.h>\n#include <stddef.h>\n"
        '#include "model.c"\n'
        f"static const struct row rows[] = {{{rows}}};\n"
        "int main(void) {\n"
        "    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {\n"
        '        printf("%.17g\\n", predict(rows + k));\n'
        "    }\n    return 0;\n}\n"
    )
    program = compile_c({"model.c": source, "main.c": main}, "program", folder, *SANITIZED)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[:4000]
    return np.array([float(line) for line in done.stdout.split()])
