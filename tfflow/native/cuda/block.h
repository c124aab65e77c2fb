// How a block of threads works in every kernel here, so that the host can run the same bodies.
//
// A body is a struct of plain values with __host__ __device__ functions, each the work of one
// thread between two barriers:
//
//   int steps(Block)                          how often load and multiply take turns
//   load(Block, step, shared)                 fills the shared memory
//   multiply(Block, step, shared, State&)     adds to what the thread keeps in its registers
//   put(Block, shared, State)                 hands the results to the shared memory
//   write(Block, shared, State)               and on to the device's memory
//
// run_block() is the kernel; tests/ops/cuda_emulation.cc has loops over the threads in its place.
#pragma once

#include "scalar.h"

namespace tfflow {
namespace cuda {

struct Block {
  int index;    // of the block
  int thread;   // within the block
  int threads;  // of the block
};

// What a launch needs besides the body.
struct Launch {
  int64_t blocks;
  int threads;
  int shared_bytes;
};

#if defined(__CUDACC__)
template <typename Body>
__global__ void run_block(const Body body) {
  extern __shared__ float4 shared_vectors[];
  float* shared = reinterpret_cast<float*>(shared_vectors);
  const Block block{static_cast<int>(blockIdx.x), static_cast<int>(threadIdx.x),
                    static_cast<int>(blockDim.x)};
  typename Body::State state{};
  const int steps = body.steps(block);
  for (int step = 0; step < steps; ++step) {
    __syncthreads();
    body.load(block, step, shared);
    __syncthreads();
    body.multiply(block, step, shared, state);
  }
  __syncthreads();
  body.put(block, shared, state);
  __syncthreads();
  body.write(block, shared, state);
}
#endif

}  // namespace cuda
}  // namespace tfflow
