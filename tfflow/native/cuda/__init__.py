"""CUDA kernels for correlation and warp, independent of frameworks, and their launchers."""
