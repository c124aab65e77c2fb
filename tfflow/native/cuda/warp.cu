// The warp's kernels, put into a stream.
#include "launch.h"
#include "stream_runner.h"
#include "warp_dispatch.h"

namespace tfflow {
namespace cuda {

cudaError_t warp_forward(const Warp& shape, Type type, const void* image, const float* flow,
                         void* warped, void* mask, cudaStream_t stream) {
  StreamRunner runner(stream);
  return static_cast<cudaError_t>(warp_image(shape, type, image, flow, warped, mask, runner));
}

size_t warp_workspace_bytes(const Warp& shape, Type type, Scatter scatter) {
  return workspace_bytes(shape, type, scatter);
}

cudaError_t warp_backward(const Warp& shape, Type type, Scatter scatter, const void* upstream,
                          const void* image, const float* flow, void* gradient_image,
                          float* gradient_flow, void* workspace, cudaStream_t stream) {
  StreamRunner runner(stream);
  return static_cast<cudaError_t>(warp_gradients(shape, type, scatter, upstream, image, flow,
                                                 gradient_image, gradient_flow, workspace, runner));
}

}  // namespace cuda
}  // namespace tfflow
