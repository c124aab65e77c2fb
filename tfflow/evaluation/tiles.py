"""Flow of images larger than what a network is made for: a coarse look, then tile by tile."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tfflow.checks import OPENCVS_LONGEST, whole_number
from tfflow.models.prediction import LARGEST_AREA, as_rgb_batch, as_size, working_size
from tfflow.types import Images, Predictor
from tfflow.vectors import length

# Pixels. Large motion is found on images of about the size that networks are trained at: on a
# quarter of a megapixel, errors were a fifth smaller than after a look at a whole one.
_COARSE_AREA = LARGEST_AREA // 4

# From one size to the next, a side grows by at most this factor, so that what a tile has to find,
# the errors of the smaller size, stays within what networks are trained for.
_LARGEST_STEP = 4.0

# A change of the coarse flow by more than one of its pixels has to explain the first image better:
# the mean difference of colours around a pixel must fall below this share of what it was.
_BETTER = 0.9
_AROUND = 15  # px


class TiledPredictor:
    """Runs any predictor on images of any size in full detail, in bounded memory.

    ``predict_flow`` of a network runs an image above a megapixel at about a megapixel, and a
    ``.tflite`` file at its own size, so small things and fractions of a pixel are lost. This one
    begins with a coarse look, at a quarter of a megapixel or the file's size, which sees large
    motion, and then goes over the images tile by tile at full resolution (from images more than
    four times as large, by way of sizes in between):

    1. the second image is warped back by the coarse flow;
    2. the predictor finds what motion is left between the tile and the warped one, and both
       motions are composed: with the coarse flow c and the rest r, the flow is
       r(p) + c(p + r(p));
    3. where that differs from the coarse flow by more than one coarse pixel, it counts only where
       it explains the first image better: in a tile, a flat or a periodic surface may look as if
       it moved anywhere;
    4. tiles overlap, and their weights fall smoothly to their edges and sum to one.

    An image that is no larger than a tile is given to the predictor as it is.

    Beside the images and the flow, memory holds a tile. Time grows with the area.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        overlap: By how much neighbouring tiles overlap at least, as a share of their sides, from
            0 to 0.5.

    Raises:
        ValueError: If ``overlap`` is not from 0 to 0.5.

    Example:
        >>> flow = TiledPredictor(tfflow.load()).predict_flow(image1, image2)
    """

    def __init__(self, predictor: Predictor, *, overlap: float = 0.25) -> None:
        if not 0 <= overlap <= 0.5:
            raise ValueError(f"overlap is a share of a tile, from 0 to 0.5; got {overlap!r}.")
        self.predictor, self.overlap = predictor, overlap

    def predict_flow(
        self, image1: Images, image2: Images, *, size: tuple[int, int] | None = None
    ) -> npt.NDArray[np.float32]:
        """Optical flow from ``image1`` to ``image2``.

        Args:
            image1: uint8 or float in [0, 1], (H, W, 3) or (B, H, W, 3); grey and RGBA images are
                converted. The predictor gets tiles of uint8 if both images are, else of float32.
            image2: The same for the second image.
            size: (height, width) of a tile, which is what the predictor runs at. None: what it
                runs such images at by itself, a ``.tflite`` file's size or about a megapixel.

        Returns:
            float32 (H, W, 2) or (B, H, W, 2) in pixels of the images.

        Raises:
            ValueError: If the images don't match or hold invalid values, or the predictor does not
                run at ``size``.
        """
        (first, single), (second, second_single) = (
            as_rgb_batch(image, name) for image, name in ((image1, "image1"), (image2, "image2"))
        )
        if first.shape != second.shape or single != second_single:
            raise ValueError(
                "image1 and image2 must be of one size and number; got shapes "
                f"{np.shape(image1)} and {np.shape(image2)}."
            )
        full = first.shape[1:3]
        tile = self._runs_at(full, size)
        # What sets the size of its input takes it as an argument; anything else runs at the size
        # of what it is given.
        options = {"size": tile} if hasattr(self.predictor, "working_size") else {}
        if not first.dtype == second.dtype == np.uint8:
            first, second = _as_float32(first), _as_float32(second)
        if all(side <= limit for side, limit in zip(full, tile)):
            flows = [self._predicted(*pair, options) for pair in zip(first, second)]
        else:
            flows = [self._coarse_to_fine(*pair, tile, options) for pair in zip(first, second)]
        return flows[0] if single else np.stack(flows)

    def _runs_at(self, image_size, size=None):
        """The (height, width) that the predictor runs such images at; ``size`` if it is given."""
        if hasattr(self.predictor, "working_size"):
            return self.predictor.working_size(image_size, size)
        if size is None:
            return working_size(image_size, 1)
        height, width = as_size(size)
        return whole_number("size", height), whole_number("size", width)

    def _coarse_to_fine(self, image1, image2, tile, options):
        first, *larger = self._sizes(image1.shape[:2], tile)
        flow = self._predicted(_reduced(image1, first), _reduced(image2, first), {})

        def predict(image1, image2):
            return self._predicted(image1, image2, options)

        for size in larger:
            images = _reduced(image1, size), _reduced(image2, size)
            flow = _refined(predict, *images, flow, tile, self.overlap)
        return flow

    def _predicted(self, image1, image2, options):
        # A copy: it may be of any type, and the predictor may fill one array again.
        return np.array(self.predictor.predict_flow(image1, image2, **options), np.float32)

    def _sizes(self, full, tile):
        """(height, width) of the coarse look; of images as large as a tile; and so on to the full.

        A tile that holds the whole image sees all around it, so that comes before several tiles.
        """
        whole = [min(sides) for sides in zip(full, tile)]
        growth = [side / start for side, start in zip(full, whole)]
        steps = math.ceil(math.log(max(growth), _LARGEST_STEP))
        sizes = [
            tuple(round(start * factor ** (step / steps)) for start, factor in zip(whole, growth))
            for step in range(steps + 1)
        ]
        shrink = min(1.0, math.sqrt(_COARSE_AREA / math.prod(tile)))
        multiple = getattr(self.predictor, "multiple", 1)
        small = tuple(max(1, int(shrink * side / multiple)) * multiple for side in tile)
        coarse = self._runs_at(small)
        coarse = tuple(min(sides) for sides in zip(coarse, sizes[0]))
        return sizes if coarse == sizes[0] else [coarse, *sizes]


def _as_float32(images):
    """Images in [0, 1], of a type that OpenCV resizes."""
    if images.dtype == np.uint8:
        return images / np.float32(255)
    return images.astype(np.float32, copy=False)


def _reduced(image, size):
    """An image averaged over the pixels of a smaller size; the image itself if it has that size."""
    import cv2  # slow to import, so only where needed

    if image.shape[:2] == size:
        return image
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)


def _refined(predict, image1, image2, coarse, tile, overlap):
    """The flow (H, W, 2) of two images from that of smaller ones."""
    height, width = image1.shape[:2]
    flow = np.zeros((height, width, 2), np.float32)
    columns = _spans(width, tile[1], overlap)
    for rows in _spans(height, tile[0], overlap):
        for span in columns:
            window = rows.place, span.place
            weights = rows.weights[:, None, None] * span.weights[:, None]
            flow[window] += weights * _Tile(image1, image2, coarse, window).flow(predict)
    return flow


class _Span(NamedTuple):
    """A tile's place along one side of an image, and its weight at each pixel there."""

    place: slice
    weights: np.ndarray


def _spans(length, tile, overlap):
    """Tiles spread evenly over a side; the weights of all of them sum to one at each pixel."""
    tile = min(tile, length)
    margin = overlap * tile
    count = math.ceil((length - margin) / (tile - margin))
    places = [
        slice(start, start + tile)
        for start in np.rint(np.linspace(0, length - tile, count)).astype(int).tolist()
    ]
    to_edge = np.arange(tile) + 0.5
    ramp = np.minimum(np.minimum(to_edge, to_edge[::-1]) / max(margin, 1.0), 1.0)
    window = ramp * ramp * (3 - 2 * ramp)
    total = np.zeros(length)
    for place in places:
        total[place] += window
    return [_Span(place, (window / total[place]).astype(np.float32)) for place in places]


class _Tile:
    """A part of the first image, and what the coarse flow says about it."""

    def __init__(self, image1, image2, coarse, window):
        height, width = image1.shape[:2]
        self.image, self.image2, self.coarse = image1[window], image2, coarse
        self.to_coarse = np.divide(coarse.shape[1::-1], (width, height)).astype(np.float32)
        rows, columns = (np.arange(each.start, each.stop, dtype=np.float32) for each in window)
        self.pixels = np.stack(np.meshgrid(columns, rows), axis=-1)

    def flow(self, predict):
        """The flow (h, w, 2) of the tile, in px of the images."""
        import cv2

        start = self._coarse_at(self.pixels)
        rest = predict(self.image, self._warped(start, cv2.INTER_CUBIC))
        flow = rest + self._coarse_at(self.pixels + rest)
        near = length((flow - start) * self.to_coarse) < 1
        taken = near | (self._error(flow) < _BETTER * self._error(start))
        share = cv2.blur(taken.astype(np.float32), (_AROUND, _AROUND))[..., None]
        return start + share * (flow - start)

    def _coarse_at(self, pixels):
        """The coarse flow at places in the image, in px of the image."""
        import cv2

        x, y = cv2.split((pixels + 0.5) * self.to_coarse - 0.5)
        flow = _look_up(self.coarse, x, y, cv2.INTER_LINEAR)
        return flow / self.to_coarse

    def _warped(self, flow, interpolation):
        """The second image as the first would see it, if the flow were right."""
        import cv2

        x, y = cv2.split(self.pixels + flow)
        warped = _look_up(self.image2, x, y, interpolation)
        # At an edge, cubic interpolation goes beyond what is black and white; uint8 does not.
        return warped if warped.dtype == np.uint8 else np.clip(warped, 0, 1, out=warped)

    def _error(self, flow):
        """How much the second image, warped, differs from the first, averaged around each pixel."""
        import cv2

        difference = cv2.absdiff(self.image, self._warped(flow, cv2.INTER_LINEAR))
        return cv2.blur(difference.mean(axis=-1, dtype=np.float32), (_AROUND, _AROUND))


def _look_up(array, x, y, interpolation):
    """An array's values at places in px, those outside from its edge."""
    import cv2

    # OpenCV looks up in arrays of less than 2^15 px a side: here, in the part that is needed.
    window = []
    for places, side in ((y, array.shape[0]), (x, array.shape[1])):
        start = 0
        if side > OPENCVS_LONGEST:
            np.clip(places, -2, side + 1, out=places)  # beyond, there is the edge alone
            start = min(max(0, int(places.min()) - 2), side - 1)
            places -= start
        window.append(slice(start, start + OPENCVS_LONGEST))
    return cv2.remap(array[tuple(window)], x, y, interpolation, borderMode=cv2.BORDER_REPLICATE)
