"""Lets Keras find this package's classes by name, before their modules are imported.

A ``.keras`` file names its classes. ``import tfflow`` must not import them, as that would import
Keras; instead it tells Keras where they are, as soon as Keras is imported.
"""

import importlib
import importlib.abc
import sys

# Registered name -> the module that registers it.
CLASSES = {
    "Addons>CorrelationCost": "tfflow.addons.layers",
    **dict.fromkeys(("tfflow>DenseImageWarp", "tfflow>InterpolateBilinear"), "tfflow.addons.image"),
    **dict.fromkeys(
        ("tfflow>FlowNetS", "tfflow>FlowNetC", "tfflow>FlowNet2SD"), "tfflow.models.flownet"
    ),
    **dict.fromkeys(("tfflow>FlowNet2Stack", "tfflow>FlowNet2"), "tfflow.models.flownet2"),
    **dict.fromkeys(("tfflow>LightFlow", "tfflow>SeparableConvolution"), "tfflow.models.lightflow"),
    "tfflow>LiteFlowNet": "tfflow.models.liteflownet.network",
    "tfflow>LiteFlowNet2": "tfflow.models.liteflownet.liteflownet2",
    **dict.fromkeys(("tfflow>MaskFlowNetS", "tfflow>MaskFlowNet"), "tfflow.models.maskflownet"),
    "tfflow>RillFlow": "tfflow.models.rillflow",
    **dict.fromkeys(
        (
            "tfflow>MultiLevelEPE",
            "tfflow>MultiLevelCharbonnier",
            "tfflow>LightFlowL1",
            "tfflow>MaskFlowNetLoss",
        ),
        "tfflow.training.losses",
    ),
    **dict.fromkeys(("tfflow>EndPointError", "tfflow>FlOutliers"), "tfflow.training.metrics"),
    **dict.fromkeys(("tfflow>AdamL2", "tfflow>ConvolutionMuon"), "tfflow.training.optimizers"),
    "tfflow>FlowGuidedGRU": "tfflow.detection.aggregation",
    "tfflow>FlowGuidedDetector": "tfflow.detection.detector",
    **dict.fromkeys(
        ("tfflow>FocalLoss", "tfflow>BoxLoss", "tfflow>CentrenessLoss"), "tfflow.detection.losses"
    ),
}


def announce():
    """Makes the classes known to Keras: now if it is imported, else when it will be."""
    if "keras" in sys.modules:
        _add_to(sys.modules["keras"])
    else:
        sys.meta_path.insert(0, _WhenKerasIsImported())


def _add_to(keras):
    known = keras.saving.get_custom_objects()
    for name in CLASSES:
        # The class itself takes this place when its module is imported.
        known.setdefault(name, _NotImportedYet(name))


class _NotImportedYet:
    """Stands for a class in Keras's table; the class itself then builds the object."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"{self._name} of {CLASSES[self._name]}"

    def from_config(self, config):
        # Not from Keras's table: within a scope of custom objects, a copy of it still has this.
        module = importlib.import_module(CLASSES[self._name])
        return getattr(module, self._name.partition(">")[2]).from_config(config)


class _WhenKerasIsImported(importlib.abc.MetaPathFinder):
    """Lets the other finders find Keras, and adds the classes once it has been imported."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "keras":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (each.find_spec(fullname, path, target) for each in others)), None)
        if spec is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            if module.__name__ == "keras":  # some loaders are one object for all modules
                spec.loader.exec_module = execute
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                _add_to(module)

        spec.loader.exec_module = exec_module
        return spec
