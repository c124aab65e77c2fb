// The correlation's kernels, put into a stream.
#include "correlation_dispatch.h"
#include "launch.h"
#include "stream_runner.h"

namespace tfflow {
namespace cuda {

cudaError_t correlation_forward(const Correlation& shape, Type type, const void* first,
                                const void* second, void* output, cudaStream_t stream) {
  StreamRunner runner(stream);
  return static_cast<cudaError_t>(correlate(shape, type, first, second, output, runner));
}

cudaError_t correlation_backward(const Correlation& shape, Type type, const void* upstream,
                                 const void* first, const void* second, void* gradient_first,
                                 void* gradient_second, cudaStream_t stream) {
  StreamRunner runner(stream);
  return static_cast<cudaError_t>(correlate_gradients(shape, type, upstream, first, second,
                                                      gradient_first, gradient_second, runner));
}

}  // namespace cuda
}  // namespace tfflow
