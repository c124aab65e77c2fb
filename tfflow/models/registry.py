"""The networks by name. Nothing here imports Keras, so that listing them takes no time."""

from __future__ import annotations

import builtins
import dataclasses
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tfflow.suggestion import suggestion

if TYPE_CHECKING:
    from tfflow.models.flow_model import FlowModel

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class ModelEntry:
    """What the library knows of a network before it is built.

    Attributes:
        name: The registry's name, e.g. ``"lightflow"``.
        target: Where the class is, ``"package.module:Class"``; or the class itself.
        arguments: Constructor arguments that make this variant.
        parameters: Number of trainable parameters, None if not stated.
        gflops: Operations of a forward pass at 384x512 in 1e9, None if not stated.
        paper: Where the network was published.
        description: One line for people.
    """

    name: str
    target: Any
    arguments: dict
    parameters: int | None = None
    gflops: float | None = None
    paper: str = ""
    description: str = ""

    def model_class(self) -> type[FlowModel]:
        """The class, imported now."""
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


_ENTRIES: dict[str, ModelEntry] = {}

# Set by tfflow/__init__.py: a function that returns the module tfflow.loading. Presets know models,
# models don't know presets; the two meet there.
loading: Any = None


@overload
def register(name: str, target: None = None, **settings: Any) -> Callable[[T], T]: ...
@overload
def register(name: str, target: T, **settings: Any) -> T: ...
def register(
    name: str,
    target: Any = None,
    *,
    parameters: int | None = None,
    gflops: float | None = None,
    paper: str = "",
    description: str = "",
    **arguments: Any,
) -> Any:
    """Adds a network under a name of its own, for :func:`create`, recipes and the command line.

    Without ``target`` it is a class decorator.

    Args:
        name: A new name.
        target: A :class:`tfflow.models.FlowModel` subclass, or ``"package.module:Class"``.
        parameters: Number of trainable parameters (checked by the test of the registry).
        gflops: Operations of a forward pass at 384x512, in 1e9; for a recipe's cost.
        paper: Where it was published.
        description: One line for people.
        **arguments: Constructor arguments of this variant.

    Returns:
        ``target``.

    Raises:
        ValueError: If the name is taken.

    Example:
        >>> @tfflow.models.register("mine")
        ... class Mine(tfflow.models.FlowModel):
        ...     ...
    """
    if target is None:
        return lambda found: register(
            name,
            found,
            parameters=parameters,
            gflops=gflops,
            paper=paper,
            description=description,
            **arguments,
        )
    if name in _ENTRIES:
        raise ValueError(f"A network named {name!r} is registered already; choose another name.")
    _ENTRIES[name] = ModelEntry(name, target, arguments, parameters, gflops, paper, description)
    return target


def list() -> builtins.list[str]:
    """The names of all registered networks, in alphabetical order."""
    return sorted(_ENTRIES)


def entry(name: str) -> ModelEntry:
    """The :class:`~tfflow.models.registry.ModelEntry` of a name.

    Raises:
        ValueError: If there is no such network; the message names the nearest ones.
    """
    if name not in _ENTRIES:
        raise ValueError(f"No network is named {name!r}. {suggestion(name, list())}")
    return _ENTRIES[name]


def create(name: str, /, *, preset: str | None = None, **arguments: Any) -> FlowModel:
    """Builds a network by name, with random weights or a preset's.

    Args:
        name: One of :func:`list`.
        preset: Name of trained weights (``tfflow.weights.list_presets(name)``), or None.
        **arguments: Further constructor arguments, which override the variant's own; ``name`` names
            the model, to tell two of a kind apart.

    Returns:
        A :class:`tfflow.models.FlowModel`, built and ready to predict.

    Raises:
        ValueError: If the network or the preset is unknown; the nearest name is suggested.

    Example:
        >>> model = tfflow.models.create("lightflow")
        >>> model.predict_flow(image1, image2).shape
        (384, 512, 2)
    """
    found = entry(name)
    if preset is not None:
        return loading().create_from_preset(name, preset, arguments)
    return found.model_class()(**{**found.arguments, "name": name, **arguments})


_LIGHTFLOW = {
    "target": "tfflow.models.lightflow:LightFlow",
    "paper": "Zhu et al., Towards High Performance Video Object Detection for Mobiles, 2018",
}
register("lightflow", **_LIGHTFLOW, parameters=2_540_390, gflops=0.84, description="for phones")
register(
    "lightflow_0.75",
    **_LIGHTFLOW,
    parameters=1_442_690,
    gflops=0.50,
    description="three quarters of the channels",
    width=0.75,
)
register(
    "lightflow_0.5",
    **_LIGHTFLOW,
    parameters=653_406,
    gflops=0.246,
    description="half of the channels",
    width=0.5,
)

_RILLFLOW = {"target": "tfflow.models.rillflow:RillFlow", "paper": "ours; docs/rillflow.md"}
register(
    "rillflow",
    **_RILLFLOW,
    parameters=1_426_203,
    gflops=4.09,
    description="for phones: our own, it matches",
)
register(
    "rillflow_0.5",
    **_RILLFLOW,
    parameters=421_075,
    gflops=1.5,
    description="half of the channels",
    width=0.5,
)

_LITEFLOWNET = {
    "target": "tfflow.models.liteflownet:LiteFlowNet",
    "paper": "Hui et al., LiteFlowNet: A Lightweight CNN for Optical Flow Estimation, 2018",
}
_LITEFLOWNET2 = {
    "target": "tfflow.models.liteflownet:LiteFlowNet2",
    "paper": "Hui et al., A Lightweight Optical Flow CNN - Revisiting Data Fidelity and "
    "Regularization, 2020",
}


def _register_stages(name, common, sizes):
    """The network's training stages as mmflow names them: level 6 without R, with R, then finer."""
    for stage, (count, gflops) in sizes.items():
        finest = int(stage[1])
        register(
            f"{name}_pre_{stage}",
            **common,
            parameters=count,
            gflops=gflops,
            description=f"training stage: levels 6 to {finest}"
            if finest < 6
            else f"training stage: level 6 {'with' if 'R' in stage else 'without'} R",
            finest_level=finest,
            use_regularization="R" in stage,
        )


_register_stages(
    "liteflownet",
    _LITEFLOWNET,
    {
        "M6S6": (1_245_476, 14.34),
        "M6S6R6": (1_758_861, 14.53),
        "M5S5R5": (2_738_106, 16.09),
        "M4S4R4": (3_662_661, 21.92),
        "M3S3R3": (4_509_392, 42.82),
        "M2S2R2": (5_377_917, 128.75),
    },
)
register(
    "liteflownet",
    **_LITEFLOWNET,
    parameters=5_377_917,
    gflops=128.75,
    description="accurate and small",
)
register(
    "liteflownetx",
    **_LITEFLOWNET,
    parameters=901_123,
    gflops=22.49,
    description="without M and a sixth of the size; our reading, its layers are not published",
    use_matching=False,
    feature_channels=(16, 16, 32, 48, 64, 96),
    estimator_channels=(64, 32, 16),
    regularization_channels=(32, 32, 32, 32, 16, 16),
    matching_features=32,
    regularization_features=64,
)
_register_stages(
    "liteflownet2",
    _LITEFLOWNET2,
    {
        "M6S6": (1_725_156, 14.52),
        "M6S6R6": (2_238_541, 14.72),
        "M5S5R5": (3_697_466, 17.01),
        "M4S4R4": (5_101_701, 25.78),
        "M3S3R3": (6_428_112, 58.46),
    },
)
register(
    "liteflownet2",
    **_LITEFLOWNET2,
    parameters=6_428_112,
    gflops=58.46,
    description="faster, no level 2",
)

_FLOWNET = {"paper": "Dosovitskiy et al., FlowNet: Learning Optical Flow, 2015"}
_FLOWNET2 = {"paper": "Ilg et al., FlowNet 2.0: Evolution of Optical Flow Estimation, 2017"}
register(
    "flownets",
    "tfflow.models.flownet:FlowNetS",
    **_FLOWNET,
    parameters=38_676_506,
    gflops=31.59,
    description="encoder and decoder, simple",
)
register(
    "flownetc",
    "tfflow.models.flownet:FlowNetC",
    **_FLOWNET,
    parameters=39_175_298,
    gflops=46.48,
    description="with a cost volume",
)
register(
    "flownet2sd",
    "tfflow.models.flownet:FlowNet2SD",
    **_FLOWNET2,
    parameters=45_371_666,
    gflops=50.88,
    description="for small displacements",
)
register(
    "flownet2cs",
    "tfflow.models.flownet2:FlowNet2Stack",
    **_FLOWNET2,
    parameters=77_870_620,
    gflops=79.91,
    description="FlowNetC and FlowNetS",
    refinements=1,
)
for _name in ("flownet2css", "flownet2css_sd"):
    register(
        _name,
        "tfflow.models.flownet2:FlowNet2Stack",
        **_FLOWNET2,
        parameters=116_565_942,
        gflops=113.33,
        description="FlowNetC and two FlowNetS"
        + (", trained for small displacements too" if _name.endswith("sd") else ""),
    )
register(
    "flownet2",
    "tfflow.models.flownet2:FlowNet2",
    **_FLOWNET2,
    parameters=162_518_834,
    gflops=199.97,
    description="FlowNet2-CSS and FlowNet2-SD, fused",
)

_MASKFLOWNET = {
    "paper": "Zhao et al., MaskFlownet: Asymmetric Feature Matching with Learnable Occlusion Mask, "
    "2020"
}
register(
    "maskflownets",
    "tfflow.models.maskflownet:MaskFlowNetS",
    **_MASKFLOWNET,
    parameters=10_514_256,
    gflops=76.92,
    description="gives occlusion too; one stage",
)
register(
    "maskflownet",
    "tfflow.models.maskflownet:MaskFlowNet",
    **_MASKFLOWNET,
    parameters=20_655_716,
    gflops=148.95,
    description="gives occlusion too; two stages",
)
