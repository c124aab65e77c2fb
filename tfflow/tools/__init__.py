"""What people do with flow, on NumPy arrays, whichever network or file it comes from."""

from tfflow.tools.consistency import confidence, occlusion

__all__ = ["confidence", "occlusion"]
