// Kernels in which some threads of a warp, the lanes, share an item (a pixel) and add up what each
// has of it. As in block.h, the work is in bodies that the host can run too:
//
//   lane_bits, items()               2^lane_bits lanes each, kLaneBits at most; how many items
//   visit(item, lane, State&)        a lane's share; State is made of 32-bit words
//   merge(State&, State)             adds another lane's
//   finish(item, State)              what all lanes have together, once
#pragma once

#include "scalar.h"

namespace tfflow {
namespace cuda {

constexpr int kLaneThreads = 256;  // of a block
constexpr int kLaneBits = 5;       // at most: a warp

// One sum, or a multiple of four beside each other and 16-byte aligned.
template <int COUNT>
TFFLOW_BOTH void atomic_add(float* sums, const float (&values)[COUNT]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  if constexpr (COUNT % 4 == 0) {  // four in one transaction
#pragma unroll
    for (int k = 0; k < COUNT; k += 4) {
      atomicAdd(reinterpret_cast<float4*>(sums + k),
                make_float4(values[k], values[k + 1], values[k + 2], values[k + 3]));
    }
  } else {
    atomicAdd(sums, values[0]);
  }
#else
#pragma unroll
  for (int k = 0; k < COUNT; ++k) {
#if defined(__CUDA_ARCH__)
    atomicAdd(sums + k, values[k]);
#else
    sums[k] += values[k];
#endif
  }
#endif
}

TFFLOW_BOTH void atomic_add(unsigned long long* sum, unsigned long long value) {
#if defined(__CUDA_ARCH__)
  atomicAdd(sum, value);
#else
  *sum += value;
#endif
}

TFFLOW_BOTH void atomic_max(unsigned* most, unsigned value) {
#if defined(__CUDA_ARCH__)
  atomicMax(most, value);
#else
  *most = *most < value ? value : *most;
#endif
}

#if defined(__CUDACC__)
template <typename State>
__device__ State of_other_lane(State state, int distance) {
  unsigned words[sizeof(State) / sizeof(unsigned)];
  memcpy(words, &state, sizeof(State));
#pragma unroll
  for (unsigned& word : words) word = __shfl_xor_sync(0xffffffffu, word, distance);
  memcpy(&state, words, sizeof(State));
  return state;
}

template <typename Body>
__global__ void __launch_bounds__(kLaneThreads) run_lanes(const Body body) {
  const int64_t index = int64_t{1} * blockIdx.x * kLaneThreads + threadIdx.x;
  const int64_t item = index >> body.lane_bits;
  const int lane = static_cast<int>(index) & ((1 << body.lane_bits) - 1);
  const bool is_there = item < body.items();
  typename Body::State state{};
  if (is_there) body.visit(item, lane, state);
  for (int distance = 1 << body.lane_bits >> 1; distance > 0; distance /= 2) {
    body.merge(state, of_other_lane(state, distance));
  }
  if (is_there && lane == 0) body.finish(item, state);
}
#endif

}  // namespace cuda
}  // namespace tfflow
