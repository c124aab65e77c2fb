"""Points that were tracked, drawn into the frames of a clip."""

import collections

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tfflow.types import Array
from tfflow.visualization.boxes import class_color
from tfflow.visualization.figures import as_uint8


class TrackDrawing:
    """Draws points and where they have been, frame by frame; lost points are left out.

    Args:
        tail: Length of the line behind a point, in frames.
    """

    def __init__(self, *, tail: int = 12) -> None:
        self._places = collections.deque[npt.NDArray[np.float32]](maxlen=tail + 1)

    def next(self, image: Array, points: Array, visible: Array) -> npt.NDArray[np.uint8]:
        """The next frame with the points.

        Args:
            image: (H, W, 3), uint8 or float in [0, 1].
            points: (N, 2), (x, y) in pixels, the same N points in each frame.
            visible: (N,) bool.

        Returns:
            (H, W, 3) uint8.
        """
        frame = as_uint8(np.asarray(image))
        self._places.append(np.array(points, np.float32))
        picture = Image.fromarray(frame)
        draw = ImageDraw.Draw(picture)
        line = max(1, round(min(frame.shape[:2]) / 240))
        tails = np.stack(self._places, axis=1)
        for number in np.nonzero(np.asarray(visible))[0]:
            color, places = class_color(number), tails[number]
            if len(places) > 1:
                draw.line([tuple(place) for place in places.tolist()], fill=color, width=line)
            draw.circle(places[-1].tolist(), 1.5 * line, fill=color)
        return np.asarray(picture)
