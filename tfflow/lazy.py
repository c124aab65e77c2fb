"""Names of a package that are imported from its modules when they are first used."""

import importlib


def importer(package, modules, submodules=()):
    """The ``__getattr__`` of a package.

    Args:
        package: The package's name.
        modules: Name -> the module in the package that has it.
        submodules: Names of modules in the package.
    """

    def __getattr__(name):
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        if name in modules:
            return getattr(importlib.import_module(f"{package}.{modules[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__
