"""CUDA kernels for correlation and warp, free of frameworks, and what launches them."""
