"""LiteFlowNet2: "A Lightweight Optical Flow CNN - Revisiting Data Fidelity and Regularization".

Hui, Tang, Loy, TPAMI 2020 (arXiv 1903.07414). LiteFlowNet with deeper M and S and without the
costly level 2: the flow of level 3, a quarter of the size, is resized to the image's.
"""

from typing import Any

import keras

from tfflow.models.liteflownet.network import LiteFlowNet


@keras.saving.register_keras_serializable(package="tfflow")
class LiteFlowNet2(LiteFlowNet):
    """LiteFlowNet2 (Hui et al., 2020) and its training stages.

    Outputs ``flow`` and ``flow6`` to ``flow3``; level N has 1/2^(N-1) of the image's size.

    Args:
        finest_level: Where NetE ends, 6 to 3.
        estimator_channels: Hidden channels of M and S.
        name: Name of the model.
        **kwargs: Those of :class:`LiteFlowNet`.
    """

    # mmflow's LiteFlowNet2 lets new levels start from random weights.
    copies_levels = False

    def __init__(
        self,
        *,
        finest_level: int = 3,
        estimator_channels: tuple[int, ...] = (128, 128, 96, 64, 32),
        name: str = "liteflownet2",
        **kwargs: Any,
    ) -> None:
        if finest_level == 2:
            raise ValueError(
                "LiteFlowNet2 has no level 2: finest_level must be 6 to 3. (The official KITTI "
                "model's light one is pseudo_level2=True.)"
            )
        super().__init__(
            finest_level=finest_level, estimator_channels=estimator_channels, name=name, **kwargs
        )
