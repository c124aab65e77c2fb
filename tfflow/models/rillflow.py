"""RillFlow, our own network for phones: it matches, and corrects its matches.

A rill is a very small stream. Where the ideas come from:

* features of each image alone, a pyramid, and at each level, coarse to fine, a warp and a cost
  volume over few displacements: PWC-Net (Sun et al., 2018);
* cosine similarity of mean-free features with a learned temperature, and the expected displacement
  of its softmax as a first answer, in each window, and at a 16th over the whole image, to find fast
  objects that are too small for the coarser levels: GMFlow (Xu et al., 2022);
* over the whole image, the product of the softmaxes over both maps, as scores of a match: LoFTR
  (Sun et al., 2021);
* an average of these matches over neighbours, with learned weights: the local average of
  LiteFlowNet (Hui et al., 2018);
* a second refinement at the finest level by the difference of the warped features instead of a cost
  volume: the sub-pixel refinement of LiteFlowNet;
* upsampling by learned convex combinations: RAFT (Teed and Deng, 2020).

The learned gates on the expected displacements, the second candidate and the sizes are ours, chosen
by measurement: docs/rillflow.md has every experiment.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from tfflow.checks import whole_number
from tfflow.models.layers import Block, Convolution, checked_width
from tfflow.models.siamese import SiameseFlowModel
from tfflow.ops import correlation, local_average, resize, upsample_convex, upsample_nearest, warp
from tfflow.ops.arguments import full_precision
from tfflow.types import Tensor

# Of each level, finest first: from a quarter of the image's size to a 64th.
LEVELS = (2, 3, 4, 5, 6)
FEATURES = (24, 48, 80, 112, 112)
# Matched features have fewer channels: they set the cost of a cost volume.
MATCHED = (16, 32, 48, 64, 64)
DECODERS = ((48, 32, 32), (48, 48, 48), (80, 64, 48), (80, 80, 64), (64, 64))
REFINEMENT = (32, 32)
UPSAMPLING = 48
RADII = (2, 3, 4, 4, 3)
# Here each pixel is also compared with all pixels of the other map.
GLOBAL_LEVEL = 4
# What that found is averaged over so many neighbours a side, with learned weights: the inner pixels
# of an object tell its edges. Then it is tried beside the flow so far, in a window of its own.
PROPAGATION = 5
CANDIDATE_LEVEL, CANDIDATE_RADIUS = 3, 2

# Features of these levels tell whether the flow is right: docs/rillflow.md compares them.
CONFIDENCE_LEVELS = (2, 3, 4)

MEAN = 0.43  # of every channel: about that of the scenes and FlyingChairs
# Of the softmax over a window, and over a whole map, whose hundreds of unrelated pixels would weigh
# too much at the former.
FIRST_TEMPERATURE = 12.0
FIRST_GLOBAL_TEMPERATURE = 30.0


@keras.saving.register_keras_serializable(package="tfflow")
class RillFlow(SiameseFlowModel):
    """Siamese features, matching by expected displacement at five levels, convex upsampling.

    Outputs, finest first: ``flow0``, the network's answer, at the images' size; ``flow2``, the flow
    at a quarter before the second refinement; ``flow3`` to ``flow6``, coarser ones; ``flow4_M``,
    the match over the whole map at a 16th, and ``flow3_M``, the candidate that it makes at an
    eighth, for losses of their own; and ``confidence``, (B, H, W, 1) in [0, 1], how similar the
    features are that the flow brings together.

    Args:
        width: Channel multiplier of the features and decoders; matched features keep their
            channels.
        least_area: ``predict_flow`` enlarges images of fewer pixels to about so many, but to no
            more than twice their height and width. The preset has 384 · 512, its files' size: its
            features begin at a quarter of the size, and what is small in a small image is lost.
        name: Name of the model.
    """

    gives_confidence = True

    def __init__(
        self, *, width: float = 1.0, least_area: int = 0, name: str = "rillflow", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.width = checked_width(width)
        self.least_area = whole_number("least_area", least_area, 0)

        def scaled(channels):
            return tuple(max(8, 8 * round(width * c / 8)) for c in channels)

        features = scaled(FEATURES)
        self.stages = {
            str(level): [
                Convolution(
                    count, 7 if level == 2 else 3, 4 if level == 2 else 2, name=f"down{level}"
                ),
                Convolution(count, 3, name=f"features{level}"),
            ]
            for level, count in zip(LEVELS, features)
        }
        self.projections = {
            str(level): Convolution(count, 1, linear=True, name=f"matched{level}")
            for level, count in zip(LEVELS, MATCHED)
        }
        self.matching = {
            str(level): Matching(radius, name=f"matching{level}")
            for level, radius in zip(LEVELS, RADII)
        }
        self.global_matching = GlobalMatching(FIRST_GLOBAL_TEMPERATURE, name="global_matching")
        self.propagation = Propagation(PROPAGATION, name="propagation")
        self.candidate_matching = Matching(CANDIDATE_RADIUS, name="candidate_matching")
        self.decoders = {
            str(level): Decoder(
                scaled(channels),
                4 if level in (GLOBAL_LEVEL, CANDIDATE_LEVEL) else 3,
                first_kernel=1 if level == 2 else 3,
                name=f"decoder{level}",
            )
            for level, channels in zip(LEVELS, DECODERS)
        }
        self.refinement = Decoder(scaled(REFINEMENT), 2, first_kernel=1, name="refinement")
        self.upsampling = [
            Convolution(scaled((UPSAMPLING,))[0], 1, name="upsampling"),
            Convolution(9 * 4**2, 1, linear=True, name="shares"),
        ]
        self.build()

    def extract(self, images: Tensor, training: bool | None = None) -> dict[str, Tensor]:
        x = images - ops.cast(MEAN, images.dtype)
        features = {}
        for level in LEVELS:
            for convolution in self.stages[str(level)]:
                x = convolution(x)
            features[f"features{level}"] = x
            features[f"matched{level}"] = unit_length(self.projections[str(level)](x))
        return features

    def estimate_from(
        self,
        features1: dict[str, Tensor],
        features2: dict[str, Tensor],
        training: bool | None = None,
    ) -> dict[str, Tensor]:
        flow, state, candidate, outputs = None, None, None, {}
        for level in reversed(LEVELS):
            pixels = self.flow_div / 2**level  # of this level, per network unit
            own, matched1 = features1[f"features{level}"], features1[f"matched{level}"]
            matched2 = features2[f"matched{level}"]
            known = [own]
            if flow is not None:
                flow, state = ops.stop_gradient(_doubled(flow)), _doubled(state)
                matched2 = warp(matched2, flow * pixels, padding="border")
                known += [state, flow]
            cost, expected, confidence = self.matching[str(level)](matched1, matched2)
            known += [cost, expected, confidence]
            if level == GLOBAL_LEVEL:
                elsewhere, confidence = self.global_matching(matched1, features2[f"matched{level}"])
                outputs[f"flow{level}_M"] = elsewhere / pixels
                everywhere, elsewhere = elsewhere, elsewhere - flow * pixels
                known += [_jump(elsewhere), confidence]
            if level == CANDIDATE_LEVEL:
                warped2 = warp(
                    features2[f"matched{level}"], ops.stop_gradient(candidate), padding="border"
                )
                second, expected2, confidence = self.candidate_matching(matched1, warped2)
                elsewhere = candidate + expected2
                outputs[f"flow{level}_M"] = elsewhere / pixels
                elsewhere = elsewhere - flow * pixels
                better = _largest(second) - _largest(cost)  # the more alike of both is right
                known += [second, _jump(elsewhere), confidence, better]
            state, correction = self.decoders[str(level)](known)
            # Where nothing is visible, the expected displacement is noise; the gate shuts it out.
            gate = ops.sigmoid(correction[..., 2:3] + 1.0)
            found = correction[..., :2] + gate * expected / pixels
            if level in (GLOBAL_LEVEL, CANDIDATE_LEVEL):
                # Mostly closed at first: the coarser levels are right for most pixels.
                found += ops.sigmoid(correction[..., 3:] - 3.0) * elsewhere / pixels
            if level == GLOBAL_LEVEL:
                # Each pixel gets one of its neighbours': between two motions there is no third.
                candidate = self.propagation(ops.stop_gradient(everywhere), state)
                candidate = 2.0 * upsample_nearest(candidate, 2)
            flow = found if flow is None else flow + found
            outputs[f"flow{level}"] = flow

        # A second refinement at the finest level: the remaining flow is less than a pixel of it.
        flow = ops.stop_gradient(flow)
        warped2 = warp(features2["matched2"], flow * pixels, padding="border")
        # Scaled like the other inputs: a channel of unrelated features is about 1 / √C.
        channels = matched1.shape[-1]
        difference = (matched1 - warped2) * channels**0.5
        product = (matched1 * warped2) * channels
        state, correction = self.refinement([own, state, flow, difference, product])
        x = ops.concatenate([state, own], axis=-1)
        for convolution in self.upsampling:
            x = convolution(x)
        # RAFT scales its logits by a quarter too, so that they learn as fast as the rest.
        outputs["flow0"] = upsample_convex(flow + correction, 0.25 * full_precision(x), 4)
        outputs = {name: outputs[name] for name in sorted(outputs)}
        return {**outputs, "confidence": confidence_of(flow * pixels, features1, features2)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width, "least_area": self.least_area}


class Softmax(Block):
    """Softmax over cosine similarities, with a learned temperature."""

    def __init__(self, first_temperature=FIRST_TEMPERATURE, name=None):
        super().__init__(name=name)
        self.first_temperature = first_temperature

    def build(self, *args, **kwargs):
        # Its logarithm: a training step then scales it.
        self.log_temperature = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(np.log(self.first_temperature)),
            name="log_temperature",
        )

    def logits(self, cosines):
        return cosines * ops.exp(ops.cast(self.log_temperature, cosines.dtype))


class Matching(Softmax):
    """Cost volume, the expected displacement of its softmax, and its confidence.

    Two maps (B, h, w, C) of unit length -> (B, h, w, D²), cosines times √C; (B, h, w, 2) in pixels
    of the level; (B, h, w, 1) in (0, 1]; with D = 2 · radius + 1.
    """

    def __init__(self, radius, name=None):
        super().__init__(name=name)
        self.radius = radius
        steps = np.arange(-radius, radius + 1, dtype=np.float32)
        # (D², 2), the vertical displacement varying slowest, as in correlation.
        self.displacements = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)

    def call(self, features1, features2):
        cost = full_precision(correlation(features1, features2, self.radius))
        shares = ops.softmax(self.logits(cost), axis=-1)
        displacements = ops.convert_to_tensor(self.displacements, dtype=cost.dtype)
        expected = ops.matmul(shares, displacements)
        # For unrelated features it is about 1 / √C; a decoder's inputs should be of similar size.
        cost = cost * features1.shape[-1] ** 0.5
        return cost, expected, ops.max(shares, axis=-1, keepdims=True)


class GlobalMatching(Softmax):
    """The expected displacement over the whole map, and its confidence, by a dual softmax.

    Two maps (B, h, w, C) of unit length -> (B, h, w, 2) in pixels of the level; (B, h, w, 1) in
    (0, 1], LoFTR's score of the best match. It compares (h · w)² pairs of pixels: 0.6 million for
    an image of 384x512.
    """

    def call(self, features1, features2):
        batch, height, width, channels = ops.shape(features1)
        # The temperature times the features: there are fewer of them than cosines.
        ours = self.logits(ops.reshape(features1, (batch, height * width, channels)))
        theirs = ops.reshape(features2, (batch, height * width, channels))
        logits = full_precision(ops.matmul(ours, ops.transpose(theirs, (0, 2, 1))))
        # The product of the softmaxes over both maps: a place counts less, the more pixels want it.
        mutual = 2.0 * logits - _log_sum_exp(logits, axis=1)
        shares = ops.softmax(mutual, axis=-1)
        rows, columns = (ops.arange(n, dtype=logits.dtype) for n in (height, width))
        grid = ops.stack(ops.meshgrid(columns, rows), axis=-1)  # (h, w, 2): x, y
        expected = ops.matmul(shares, ops.reshape(grid, (height * width, 2)))
        expected = ops.reshape(expected, (batch, height, width, 2)) - grid
        # Where all looks alike, someone is chosen too; the product itself is small there.
        most = ops.max(mutual, axis=-1, keepdims=True)
        confidence = ops.exp(most - _log_sum_exp(logits, axis=-1))
        return expected, ops.reshape(confidence, (batch, height, width, 1))


class Propagation(Block):
    """A flow averaged over neighbours, with weights from features.

    (B, h, w, 2) and (B, h, w, C) -> (B, h, w, 2). At first each pixel keeps its own.
    """

    def __init__(self, side, name=None):
        super().__init__(name=name)
        small = keras.initializers.RandomNormal(stddev=1e-3)
        self.distances = Convolution(side**2, 3, linear=True, initializer=small, name="distances")
        self.first = np.full(side**2, 2.5, np.float32)
        self.first[side**2 // 2] = 0.0

    def call(self, flow, features):
        distances = full_precision(self.distances(features))
        return local_average(flow, distances + ops.convert_to_tensor(self.first, distances.dtype))


class Decoder(Block):
    """Convolutions over all inputs of a level, and a linear one for the answer.

    Returns the last hidden map, which the next level gets, and (B, h, w, ``answers``) float32.
    """

    def __init__(self, channels, answers, first_kernel=3, name=None):
        super().__init__(name=name)
        kernels = [first_kernel] + [3] * (len(channels) - 1)
        self.convolutions = [
            Convolution(count, kernel, name=f"conv{i}")
            for i, (count, kernel) in enumerate(zip(channels, kernels), start=1)
        ]
        # Close to zero at first: the first answer is the expected displacement alone.
        small = keras.initializers.RandomNormal(stddev=1e-3)
        self.answer = Convolution(answers, 3, linear=True, initializer=small, name="answer")

    def call(self, known):
        own = known[0]
        x = ops.concatenate([ops.cast(each, own.dtype) for each in known], axis=-1)
        for convolution in self.convolutions:
            x = convolution(x)
        return x, full_precision(self.answer(x))


def unit_length(features):
    """Mean-free vectors of length 1 (B, h, w, C), so that their product is their correlation."""
    x = full_precision(features)
    x = x - ops.mean(x, axis=-1, keepdims=True)
    x = x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + 1e-4)
    return ops.cast(x, features.dtype)


def confidence_of(flow, features1, features2):
    """The mean cosine of the features that a flow at a quarter joins, over three levels.

    (B, h, w, 2) in pixels of level 2 -> (B, 4 h, 4 w, 1) in [0, 1]. Negative cosines count as 0.
    """
    cosines = {}
    for level in CONFIDENCE_LEVELS:
        matched1, matched2 = (full_precision(f[f"matched{level}"]) for f in (features1, features2))
        warped2 = warp(matched2, flow, padding="border")
        cosines[level] = ops.sum(matched1 * warped2, axis=-1, keepdims=True)
        flow = ops.average_pool(flow, 2, strides=2, data_format="channels_last") / 2
    total = 0.0
    for level in reversed(CONFIDENCE_LEVELS):
        total = cosines[level] + (_doubled(total) if level != CONFIDENCE_LEVELS[-1] else 0.0)
    mean = ops.clip(total / len(CONFIDENCE_LEVELS), 0.0, 1.0)
    height, width = ops.shape(mean)[1:3]
    return resize(mean, (4 * height, 4 * width))


def _jump(displacement):
    """A displacement as a decoder's input, as large as the others: int8 has one scale for all.

    A wrong match may be anywhere in the map, so it is clipped.
    """
    return ops.clip(0.25 * displacement, -4.0, 4.0)


def _log_sum_exp(x, axis):
    # Keras's own allows for infinities by EQUAL and SELECT, which end a partition in LiteRT.
    largest = ops.max(x, axis=axis, keepdims=True)
    return ops.log(ops.sum(ops.exp(x - largest), axis=axis, keepdims=True)) + largest


def _largest(cost):
    return ops.max(cost, axis=-1, keepdims=True)


def _doubled(x):
    height, width = ops.shape(x)[1:3]
    return resize(x, (2 * height, 2 * width))
