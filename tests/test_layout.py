"""The package's layout: imports only go down the list, and nowhere in circles."""

import ast
import collections
import graphlib
import pathlib

import tfflow

PACKAGE = pathlib.Path(tfflow.__file__).parent
# Each imports from those below it alone; CONTRIBUTING.md says what each is for.
LAYOUT = [
    "__main__",
    "cli",
    "detection",
    "recipes",
    "loading",
    "tflite",
    "evaluation",
    "weights",
    "losses",
    "metrics",
    "training",
    "models",
    "data",
    "visualization",
    "addons",
    "tools",
    "ops",
    "native",
    "keras_classes",
    "lazy",
    "startup",
    "download",
    "progress",
    "atomic_file",
    "folder_lock",
    "cache_folder",
    "checksum",
    "markdown",
    "suggestion",
    "checks",
    "vectors",
    "types",
]
ALLOWED = {
    # The package's own front: who only asks for its version, or for a network by name.
    ("tfflow", "tfflow.keras_classes"),
    ("tfflow", "tfflow.lazy"),
    ("tfflow", "tfflow.models.registry"),
}


def run_time_nodes(tree):
    """All nodes of a module but those that only type checkers read: they import nothing."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from run_time_nodes(node)


def modules():
    """Name of each module -> (path, what it imports of the package)."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    imports = collections.defaultdict(set)
    for name, path in found.items():
        for node in run_time_nodes(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imports[name] |= {each.name for each in node.names if each.name in found}
            elif isinstance(node, ast.ImportFrom) and node.module in found:
                inner = {f"{node.module}.{each.name}" for each in node.names}
                imports[name] |= (inner & found.keys()) or {node.module}
    return imports


def top(module):
    """The package or module right below tfflow that a module is in; None for tfflow itself."""
    return module.split(".")[1] if "." in module else None


def test_imports_go_down():
    up = []
    for module, others in modules().items():
        for other in others:
            mine, theirs = top(module), top(other)
            if mine == theirs or theirs is None or (module, other) in ALLOWED:
                continue
            if mine is None or LAYOUT.index(mine) > LAYOUT.index(theirs):
                up.append(f"{module} imports {other}")
    assert not up, "\n".join(up)


def test_everything_is_in_the_list():
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert names - {"__init__", "__pycache__"} == set(LAYOUT)


def test_no_circles_within_a_package():
    graph = {
        module: {other for other in others if other != module and top(other) == top(module)}
        for module, others in modules().items()
        if top(module) is not None
    }
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise AssertionError("a circle: " + " imports ".join(reversed(error.args[1]))) from None
