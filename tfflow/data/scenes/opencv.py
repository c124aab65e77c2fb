"""OpenCV, an extra: the modules that draw take `cv2` from here, so that one place explains."""

try:
    import cv2
except ImportError as error:
    raise ImportError(
        "drawing synthetic scenes needs OpenCV: pip install opencv-python-headless"
    ) from error

__all__ = ["cv2"]
