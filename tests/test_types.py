"""The types of the public API: complete, right for right uses, and wrong for wrong ones."""

import ast
import importlib
import inspect
import pathlib
import pkgutil
import re
import subprocess
import sys
import types
import typing

import pytest

import tfflow

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = str(pathlib.Path(tfflow.__file__).parent)
PACKAGES = [f"tfflow.{name}" for name in tfflow.__all__ if name != "load"]
# What the documents name by its module.
MODULES = [
    "tfflow.data.pipeline.augmentation",
    "tfflow.data.scenes",
    "tfflow.evaluation.callback",
    "tfflow.ops.native",
    "tfflow.ops.shifted_warp",
    "tfflow.progress",
    "tfflow.startup",
    "tfflow.weights.presets",
    *(
        f"tfflow.training.{module.name}"
        for module in pkgutil.iter_modules(tfflow.training.__path__)
    ),
]
LAZY = [name for name in ["tfflow", *PACKAGES] if "_LAZY" in vars(importlib.import_module(name))]
EXAMPLES = sorted(pathlib.Path(__file__).parent.joinpath("types").glob("*.py"))


def public_objects():
    """What the public modules export, and the classes that its signatures name."""
    todo = []
    for module in map(importlib.import_module, ["tfflow", *PACKAGES, *MODULES]):
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
        todo += [getattr(module, name) for name in names]
    seen = set()
    while todo:
        found = todo.pop()
        if not isinstance(found, (type, types.FunctionType)) or found in seen:
            continue
        if not found.__module__.startswith("tfflow"):
            continue
        seen.add(found)
        yield found
        for function in functions_of(found):
            for annotation in inspect.get_annotations(function).values():
                todo += parts_of(annotation, vars(sys.modules[function.__module__]))


def functions_of(found):
    """A function itself; of a class, the public methods that this package wrote for it."""
    if not isinstance(found, type):
        yield inspect.unwrap(found)
        return
    for owner in found.__mro__:
        for name, value in vars(owner).items():
            if name.startswith("_") and not name.endswith("__"):
                continue
            value = getattr(value, "fget", value)  # a property
            value = getattr(value, "func", value)  # a cached one
            value = inspect.unwrap(getattr(value, "__func__", value))
            if inspect.isfunction(value) and value.__code__.co_filename.startswith(PACKAGE):
                yield value


def parts_of(annotation, names):
    """The types that an annotation is made of."""
    if isinstance(annotation, str):
        return [names.get(word) for word in re.findall(r"\w+", annotation)]
    inner = annotation if isinstance(annotation, list) else typing.get_args(annotation)
    return [annotation, *(part for each in inner for part in parts_of(each, names))]


def test_public_functions_and_methods_have_all_their_types():
    lacking = set()
    for found in public_objects():
        for function in functions_of(found):
            parameters = list(inspect.signature(function).parameters.values())
            if parameters and parameters[0].name in ("self", "cls"):
                del parameters[0]
            names = [p.name for p in parameters if p.annotation is p.empty]
            names += [] if "return" in function.__annotations__ else ["return"]
            if names:
                where = f"{function.__module__}.{function.__qualname__}"
                lacking.add(f"{where}: {', '.join(names)}")
    assert not lacking, "\n".join(sorted(lacking))


def named_for_type_checkers(module):
    """Name -> module, of what a module imports for type checkers and exports (x as x)."""
    return {
        name.name: node.module
        for block in ast.parse(pathlib.Path(module.__file__).read_text(encoding="utf-8")).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        for name in node.names
        if name.asname
    }


@pytest.mark.parametrize("name", LAZY)
def test_type_checkers_know_what_is_imported_when_first_used(name):
    module = importlib.import_module(name)
    lazy = {key: value.removeprefix(f"{name}.") for key, value in module._LAZY.items()}
    assert named_for_type_checkers(module) == {
        key: f"{name}.{value}" for key, value in lazy.items()
    }


@pytest.mark.parametrize("package", [tfflow, tfflow.training], ids=lambda each: each.__name__)
def test_type_checkers_know_the_modules(package):
    names = dict.fromkeys(package._SUBMODULES, package.__name__)
    assert named_for_type_checkers(package) == names


def test_tables_have_the_choices_of_their_types():
    from tfflow.evaluation import leaderboards
    from tfflow.recipes import options
    from tfflow.tflite import quantization

    for choices, table in (
        (leaderboards.Benchmark, leaderboards.BENCHMARKS),
        (options.Precision, options.PRECISIONS),
        (quantization.Quantization, quantization.QUANTIZATIONS),
    ):
        assert typing.get_args(choices) == tuple(table)


def test_mypy_finds_the_package_and_right_uses_right_and_each_wrong_use_wrong():
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "tfflow", *map(str, EXAMPLES)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    found = set()
    for line in result.stdout.splitlines():
        path, number, kind = re.match(r"(.+?):(\d+): (\w+): ", line).groups()
        if kind == "error":
            found.add((pathlib.Path(ROOT, path), int(number)))
    expected = {
        (path, number)
        for path in EXAMPLES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line.endswith("# wrong")
    }
    assert expected
    assert found == expected, result.stdout
