// Correlation and warp on CUDA, for anything that holds device pointers and a stream.
//
// shapes.h says what is computed; NHWC, dense, in the type given, sums in float32. Work is put into
// the stream and not waited for. Every element of every output is written. Sizes may be 0.
//
// Returned is CUDA's error, or cudaErrorInvalidValue where a size doesn't fit the kernels: a side,
// a number of channels or of displacements beyond 2^28, 2^31 pixels or more. Elements may be more.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "../shapes.h"
#include "types.h"

namespace tfflow {
namespace cuda {

cudaError_t correlation_forward(const Correlation& shape, Type type, const void* first,
                                const void* second, void* output, cudaStream_t stream);

// The gradients of both maps, each unless its pointer is null. The same sums in the same order
// every time.
cudaError_t correlation_backward(const Correlation& shape, Type type, const void* upstream,
                                 const void* first, const void* second, void* gradient_first,
                                 void* gradient_second, cudaStream_t stream);

// The flow is float32, whatever the image is: half precision can't tell pixels apart beyond 2048.
// `mask` (of the image's type) may be null.
cudaError_t warp_forward(const Warp& shape, Type type, const void* image, const float* flow,
                         void* warped, void* mask, cudaStream_t stream);

// Bytes of device memory that warp_backward needs to work in, 16-byte aligned; may be 0.
size_t warp_workspace_bytes(const Warp& shape, Type type, Scatter scatter);

// The gradients of image and flow (float32), each unless its pointer is null.
cudaError_t warp_backward(const Warp& shape, Type type, Scatter scatter, const void* upstream,
                          const void* image, const float* flow, void* gradient_image,
                          float* gradient_flow, void* workspace, cudaStream_t stream);

}  // namespace cuda
}  // namespace tfflow
