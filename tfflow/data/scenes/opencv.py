"""OpenCV, an optional extra: the modules that draw import `cv2` from here, for one clear error."""

try:
    import cv2
except ImportError as error:
    raise ImportError(
        "drawing synthetic scenes needs OpenCV: pip install opencv-python-headless"
    ) from error

__all__ = ["cv2"]
