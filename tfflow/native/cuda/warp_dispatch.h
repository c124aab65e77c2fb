// The kernels of the warp's two passes, and the memory that the second needs.
#pragma once

#include <type_traits>

#include "dispatch.h"
#include "warp_backward.h"
#include "warp_forward.h"

namespace tfflow {
namespace cuda {

inline bool fits(const Warp& shape) {
  constexpr int64_t most = int64_t{1} << 28;
  return shape.height <= most && shape.width <= most && shape.channels <= most &&
         shape.batch * shape.height <= most && shape.pixels() < kMostBlocks;
}

constexpr size_t kHeaderBytes = 16;  // of a fixed-point workspace: the largest gradient

inline size_t workspace_bytes(const Warp& shape, Type type, Scatter scatter) {
  const size_t elements = static_cast<size_t>(shape.image_elements());
  if (scatter == Scatter::kFixedPoint) {
    return kHeaderBytes + elements * sizeof(unsigned long long);
  }
  return type == Type::kFloat32 ? 0 : elements * sizeof(float);
}

template <typename Runner>
int warp_image(const Warp& shape, Type type, const void* image, const float* flow, void* warped,
               void* mask, Runner& runner) {
  if (!fits(shape)) return kTooLarge;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    return with_vector<T>(shape.channels, {image, warped}, [&](auto vector) {
      constexpr int kCount = decltype(vector)::count;
      return runner.run_lanes(WarpForward<T, kCount>{
          shape, static_cast<const T*>(image), flow, static_cast<T*>(warped),
          static_cast<T*>(mask), bits_for(shape.channels / kCount, kLaneBits)});
    });
  });
}

// The gradient of the flow, and that of the image as sums that are still to be converted.
template <typename T, typename Sums, typename Runner>
int scatter_gradients(const Warp& shape, const T* upstream, const T* image, const float* flow,
                      float* gradient_flow, const Sums& sums, Runner& runner) {
  return with_vector<T>(shape.channels, {upstream, image, sums.sums}, [&](auto vector) {
    constexpr int kCount = decltype(vector)::count;
    const int lane_bits = bits_for(shape.channels / kCount, kLaneBits);
    return runner.run_lanes(WarpBackward<T, kCount, Sums>{shape, upstream, image, flow,
                                                          gradient_flow, sums, lane_bits});
  });
}

// Every sum to the image's type.
template <typename T, typename Read, typename Runner>
int convert(const Warp& shape, const Read& read, T* result, Runner& runner) {
  return runner.run_lanes(Convert<T, Read>{read, shape.image_elements(), result, 0});
}

template <typename T, typename Runner>
int warp_gradients_atomic(const Warp& shape, const T* upstream, const T* image, const float* flow,
                          T* gradient_image, float* gradient_flow, void* workspace,
                          Runner& runner) {
  constexpr bool kInPlace = std::is_same<T, float>::value;  // others are added up in float32 first
  const auto sums =
      gradient_image == nullptr
          ? nullptr
          : static_cast<float*>(kInPlace ? static_cast<void*>(gradient_image) : workspace);
  int error = kDone;
  if (sums != nullptr) error = runner.clear(sums, shape.image_elements() * sizeof(float));
  if (error == kDone) {
    error = scatter_gradients(shape, upstream, image, flow, gradient_flow, FloatSums{sums}, runner);
  }
  if (error == kDone && !kInPlace && sums != nullptr) {
    error = convert(shape, ReadFloat{sums}, gradient_image, runner);
  }
  return error;
}

template <typename T, typename Runner>
int warp_gradients_fixed_point(const Warp& shape, const T* upstream, const T* image,
                               const float* flow, T* gradient_image, float* gradient_flow,
                               void* workspace, Runner& runner) {
  const auto largest = static_cast<unsigned*>(workspace);
  const auto integers = reinterpret_cast<unsigned long long*>(static_cast<char*>(workspace) +
                                                              kHeaderBytes);
  const FixedPoint format{largest, bits_for(shape.height * shape.width, 62)};
  int error = runner.clear(workspace, workspace_bytes(shape, Type::kFloat32, Scatter::kFixedPoint));
  if (error == kDone) {
    const int64_t count = shape.image_elements();
    error = runner.run_lanes(LargestGradient<T>{upstream, count, largest, kLaneBits});
  }
  if (error == kDone) {
    error = scatter_gradients(shape, upstream, image, flow, gradient_flow,
                              FixedPointSums{integers, format}, runner);
  }
  if (error == kDone) {
    error = convert(shape, ReadFixedPoint{integers, format}, gradient_image, runner);
  }
  return error;
}

template <typename Runner>
int warp_gradients(const Warp& shape, Type type, Scatter scatter, const void* upstream,
                   const void* image, const float* flow, void* gradient_image,
                   float* gradient_flow, void* workspace, Runner& runner) {
  if (!fits(shape)) return kTooLarge;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    const auto g = static_cast<const T*>(upstream), pixels = static_cast<const T*>(image);
    const auto result = static_cast<T*>(gradient_image);
    if (scatter == Scatter::kFixedPoint && result != nullptr) {
      return warp_gradients_fixed_point(shape, g, pixels, flow, result, gradient_flow, workspace,
                                        runner);
    }
    return warp_gradients_atomic(shape, g, pixels, flow, result, gradient_flow, workspace, runner);
  });
}

}  // namespace cuda
}  // namespace tfflow
