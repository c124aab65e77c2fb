// Puts kernels into a CUDA stream; a Runner as dispatch.h has it.
#pragma once

#include <cuda_runtime_api.h>

#include "block.h"
#include "dispatch.h"
#include "lanes.h"

namespace tfflow {
namespace cuda {

static_assert(kDone == cudaSuccess && kTooLarge == cudaErrorInvalidValue, "CUDA's numbers");

class StreamRunner {
 public:
  explicit StreamRunner(cudaStream_t stream) : stream_(stream) {}

  template <typename Body>
  int run(Body body) {
    body.divide_work();
    const Launch launch = body.launch();
    if (launch.blocks == 0) return kDone;
    if (launch.blocks > kMostBlocks) return kTooLarge;
    run_block<<<static_cast<unsigned>(launch.blocks), launch.threads, launch.shared_bytes,
                stream_>>>(body);
    return cudaGetLastError();
  }

  template <typename Body>
  int run_lanes(const Body& body) {
    const int64_t blocks = ((body.items() << body.lane_bits) + kLaneThreads - 1) / kLaneThreads;
    if (blocks == 0) return kDone;
    if (blocks > kMostBlocks) return kTooLarge;
    cuda::run_lanes<<<static_cast<unsigned>(blocks), kLaneThreads, 0, stream_>>>(body);
    return cudaGetLastError();
  }

  int clear(void* memory, size_t bytes) {
    return bytes == 0 ? kDone : static_cast<int>(cudaMemsetAsync(memory, 0, bytes, stream_));
  }

 private:
  cudaStream_t stream_;
};

}  // namespace cuda
}  // namespace tfflow
