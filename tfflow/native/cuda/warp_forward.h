// Warping: bound by memory, so every pixel's lanes read and write 16 bytes beside each other.
#pragma once

#include "warp_plan.h"

namespace tfflow {
namespace cuda {

template <typename T, int VECTOR>
struct WarpForward {
  Warp shape;
  const T* image;
  const float* flow;
  T* warped;
  T* mask;  // may be null
  int lane_bits;

  struct State {
    unsigned is_inside;
  };

  TFFLOW_BOTH int64_t items() const { return shape.pixels(); }

  TFFLOW_BOTH void visit(int64_t pixel, int lane, State& state) const {
    const Footprint footprint = footprint_of(shape, flow, pixel);
    state.is_inside = footprint.is_inside;
    const float start = footprint.is_valid || shape.masked ? 0.0f : not_a_number();
    const bool is_sampled = footprint.is_valid && (!shape.masked || footprint.is_inside);
    for (int64_t channel = lane * VECTOR; channel < shape.channels;
         channel += VECTOR << lane_bits) {
      float sums[VECTOR];
#pragma unroll
      for (int k = 0; k < VECTOR; ++k) sums[k] = start;
      if (is_sampled) {
        float corners[4][VECTOR];  // all read before the first is needed
#pragma unroll
        for (int i = 0; i < 4; ++i) load_corner(image, footprint.corners[i], channel, corners[i]);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int k = 0; k < VECTOR; ++k) sums[k] += footprint.corners[i].weight * corners[i][k];
        }
      }
      store_vector(warped + pixel * shape.channels + channel, sums);
    }
  }

  TFFLOW_BOTH void merge(State&, State) const {}  // the lanes agree

  TFFLOW_BOTH void finish(int64_t pixel, State state) const {
    if (mask != nullptr) from_float(state.is_inside ? 1.0f : 0.0f, mask + pixel);
  }
};

}  // namespace cuda
}  // namespace tfflow
