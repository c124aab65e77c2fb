// Which kernels an op runs, for which type and vectors; how they run is the caller's.
//
// A Runner has run(body) for the bodies of block.h, run_lanes(body) for those of lanes.h and
// clear(pointer, bytes), in a row; each returns 0 or an error's number. correlation.cu and warp.cu
// launch kernels, the tests have loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "scalar.h"
#include "types.h"

namespace tfflow {
namespace cuda {

constexpr int kDone = 0, kTooLarge = 1;  // cudaSuccess and cudaErrorInvalidValue
constexpr int64_t kMostBlocks = 0x7fffffff;  // of a grid along x

// Calls with a value of the type.
template <typename Function>
int with_type(Type type, Function function) {
  switch (type) {
    case Type::kFloat32:
      return function(float{});
    case Type::kFloat16:
      return function(Half{});
    case Type::kBFloat16:
      return function(BFloat16{});
  }
  return kTooLarge;
}

// Calls with the number of channels to read and write at a time: 16 bytes' worth where all pixels
// begin at a multiple of 16 bytes, else 1. A null pointer is not in the way.
template <int COUNT>
struct Vector {
  static constexpr int count = COUNT;
};

template <typename T, typename Function>
int with_vector(int64_t channels, std::initializer_list<const void*> pointers, Function function) {
  uintptr_t addresses = 0;
  for (const void* pointer : pointers) addresses |= reinterpret_cast<uintptr_t>(pointer);
  if (channels % kVector<T> == 0 && addresses % 16 == 0) return function(Vector<kVector<T>>{});
  return function(Vector<1>{});
}

}  // namespace cuda
}  // namespace tfflow
