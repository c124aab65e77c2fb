"""Writes docs/networks.md: every network's parameters, operations and file sizes.

    python docs/make_networks_table.py [NAME …]     (about ten minutes and 8 GB for all)

Rows of networks that are not named stay as they are.
"""

import pathlib
import sys
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import keras

import tfflow
from tfflow.markdown import markdown_table
from tfflow.tflite.conversion import convert
from tfflow.tflite.flops import flops
from tfflow.tflite.quantization import quantize

SIZE = (384, 512)
RESULT = pathlib.Path(__file__).with_name("networks.md")
HEAD = f"""\
# The networks

Written by `docs/make_networks_table.py`. Operations are those of the float32 `.tflite` file at
{SIZE[0]}x{SIZE[1]}: two for each multiplication with a sum, in convolutions and matrix products.

"""
COLUMNS = ("network", "trainable parameters", "GFLOPs", "float32 `.tflite`, MB", "float16, MB", "")


def main(names):
    rows = _rows(RESULT.read_text()) if RESULT.is_file() else {}
    for name in names or tfflow.models.list():
        rows[name] = _row(name)
        print(rows[name], flush=True)
        table = markdown_table(COLUMNS, [rows[each] for each in sorted(rows)], texts=(0, 5))
        RESULT.write_text(HEAD + "\n".join(table) + "\n")


def _rows(text):
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0].strip("`"): row for row in cells}


def _row(name):
    entry = tfflow.models.entry(name)
    model = tfflow.models.create(name)
    graph = convert(model, SIZE)
    forms = [quantize(graph, form, size=SIZE).to_bytes() for form in ("float32", "float16")]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "float32.tflite"
        path.write_bytes(forms[0])
        operations = flops(path) / 1e9
    keras.backend.clear_session()
    megabytes = [f"{len(content) / 1e6:.1f}" for content in forms]
    return [
        f"`{name}`",
        f"{entry.parameters:,}",
        f"{operations:.2f}",
        *megabytes,
        entry.description,
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
