// The gradients of a warp, in one pass over the upstream gradient: the flow's is a sum over
// channels, the image's is scattered to the pixels that were sampled.
#pragma once

#include "warp_plan.h"

namespace tfflow {
namespace cuda {

// The image's gradient, added up as it comes in float32.
struct FloatSums {
  float* sums;  // null where it isn't wanted

  TFFLOW_BOTH bool is_wanted() const { return sums != nullptr; }

  template <int VECTOR>
  TFFLOW_BOTH void add(int64_t offset, const float (&values)[VECTOR]) const {
    atomic_add(sums + offset, values);
  }
};

// The image's gradient in 64-bit integers, which add up to the same in any order.
struct FixedPoint {
  const unsigned* largest;  // the bits of the largest upstream gradient, without its sign
  int headroom;             // so many bits hold the sum of all gradients of an image

  // Units of 1. No sum passes 2^62, for no pixel counts for more than 1 in it.
  TFFLOW_BOTH double units() const {
    const int exponent = static_cast<int>(*largest >> 23) - 126;  // largest < 2^exponent
    return two_to(62 - headroom - exponent);
  }
  TFFLOW_BOTH bool is_finite() const { return *largest < 0x7f800000u; }

  // Exact, also where ldexp would be slow; |exponent| < 1022.
  TFFLOW_BOTH static double two_to(int exponent) {
    return bit_cast<double>(static_cast<uint64_t>(1023 + exponent) << 52);
  }
};

struct FixedPointSums {
  unsigned long long* sums;
  FixedPoint format;

  TFFLOW_BOTH bool is_wanted() const { return format.is_finite(); }

  template <int VECTOR>
  TFFLOW_BOTH void add(int64_t offset, const float (&values)[VECTOR]) const {
    const double units = format.units();
#pragma unroll
    for (int k = 0; k < VECTOR; ++k) {
      // Truncated, which is as good at 2^-42; a negative number wraps around, and back in the sum.
      const auto fixed = static_cast<long long>(values[k] * units);
      atomic_add(sums + offset + k, static_cast<unsigned long long>(fixed));
    }
  }
};

template <typename T, int VECTOR, typename Sums>
struct WarpBackward {
  Warp shape;
  const T* upstream;
  const T* image;
  const float* flow;
  float* gradient_flow;  // may be null
  Sums gradient_image;
  int lane_bits;

  struct State {
    float of_u, of_v;
  };

  TFFLOW_BOTH int64_t items() const { return shape.pixels(); }

  TFFLOW_BOTH void visit(int64_t pixel, int lane, State& state) const {
    const Footprint footprint = footprint_of(shape, flow, pixel);
    if (!footprint.is_valid || (shape.masked && !footprint.is_inside)) return;
    const bool is_scattered = gradient_image.is_wanted();
    const auto& corners = footprint.corners;
    for (int64_t channel = lane * VECTOR; channel < shape.channels;
         channel += VECTOR << lane_bits) {
      float gradient[VECTOR];
      load_vector(upstream + pixel * shape.channels + channel, gradient);
      if (gradient_flow != nullptr) {
        float pixels[4][VECTOR];
#pragma unroll
        for (int i = 0; i < 4; ++i) load_corner(image, corners[i], channel, pixels[i]);
#pragma unroll
        for (int k = 0; k < VECTOR; ++k) {
          const float top = pixels[1][k] - pixels[0][k], bottom = pixels[3][k] - pixels[2][k];
          const float left = pixels[2][k] - pixels[0][k], right = pixels[3][k] - pixels[1][k];
          state.of_u += gradient[k] * (top + footprint.toward_y * (bottom - top));
          state.of_v += gradient[k] * (left + footprint.toward_x * (right - left));
        }
      }
      if (is_scattered) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if (corners[i].offset < 0 || corners[i].weight == 0.0f) continue;
          float share[VECTOR];
#pragma unroll
          for (int k = 0; k < VECTOR; ++k) share[k] = corners[i].weight * gradient[k];
          gradient_image.add(corners[i].offset + channel, share);
        }
      }
    }
    if (!footprint.moves_x) state.of_u = 0.0f;
    if (!footprint.moves_y) state.of_v = 0.0f;
  }

  TFFLOW_BOTH void merge(State& state, State other) const {
    state.of_u += other.of_u;
    state.of_v += other.of_v;
  }

  TFFLOW_BOTH void finish(int64_t pixel, State state) const {
    if (gradient_flow == nullptr) return;
    gradient_flow[2 * pixel] = state.of_u;
    gradient_flow[2 * pixel + 1] = state.of_v;
  }
};

// The largest of the upstream gradients, by their bits: those of NaN and infinity are larger than
// all others, and the largest is the same in any order.
template <typename T>
struct LargestGradient {
  const T* upstream;
  int64_t count;
  unsigned* largest;
  int lane_bits;

  static constexpr int64_t kMostItems = 1 << 13;  // warps

  struct State {
    unsigned bits;
  };

  TFFLOW_BOTH int64_t items() const {
    const int64_t warps = (count >> lane_bits) + 1;
    return warps < kMostItems ? warps : kMostItems;
  }

  TFFLOW_BOTH void visit(int64_t item, int lane, State& state) const {
    for (int64_t k = (item << lane_bits) + lane; k < count; k += items() << lane_bits) {
      merge(state, State{bit_cast<unsigned>(to_float(upstream[k])) & 0x7fffffffu});
    }
  }

  TFFLOW_BOTH void merge(State& state, State other) const {
    if (other.bits > state.bits) state.bits = other.bits;
  }

  TFFLOW_BOTH void finish(int64_t, State state) const { atomic_max(largest, state.bits); }
};

// Sums to the image's type: an item is an element.
template <typename T, typename Read>
struct Convert {
  Read read;
  int64_t count;
  T* result;
  int lane_bits;

  struct State {
    unsigned nothing;
  };

  TFFLOW_BOTH int64_t items() const { return count; }
  TFFLOW_BOTH void visit(int64_t k, int, State&) const { from_float(read.at(k), result + k); }
  TFFLOW_BOTH void merge(State&, State) const {}
  TFFLOW_BOTH void finish(int64_t, State) const {}
};

struct ReadFloat {
  const float* sums;
  TFFLOW_BOTH float at(int64_t k) const { return sums[k]; }
};

struct ReadFixedPoint {
  const unsigned long long* sums;
  FixedPoint format;
  TFFLOW_BOTH float at(int64_t k) const {
    if (!format.is_finite()) return not_a_number();
    return static_cast<float>(static_cast<long long>(sums[k]) / format.units());
  }
};

}  // namespace cuda
}  // namespace tfflow
