"""C++ and CUDA kernels of correlation and warp, and how they are built on the user's machine."""
