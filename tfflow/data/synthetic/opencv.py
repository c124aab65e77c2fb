"""OpenCV, an extra: the modules that draw take `cv2` from here, so that one place explains."""

try:
    import cv2
except ImportError as error:
    raise ImportError(
        'synthetic scenes are drawn with OpenCV, which is not here: pip install "tfflow[scenes]"'
    ) from error

__all__ = ["cv2"]
