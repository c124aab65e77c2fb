// Where a pixel's flow points, for both passes of the warp.
#pragma once

#include "../shapes.h"
#include "lanes.h"

namespace tfflow {
namespace cuda {

// One of the four pixels that a sample lies between.
struct Corner {
  int64_t offset;  // of its channels in the image; -1 outside
  float weight;
};

struct Footprint {
  Corner corners[4];  // top left, top right, bottom left, bottom right
  float toward_x, toward_y;
  bool moves_x, moves_y;  // with the flow
  bool is_valid;          // false where the flow is NaN
  bool is_inside;         // the mask
};

TFFLOW_BOTH Footprint footprint_of(const Warp& shape, const float* flow, int64_t pixel) {
  // There are less than 2^31 pixels; division in 32 bits is many times faster.
  const int width = static_cast<int>(shape.width), height = static_cast<int>(shape.height);
  const int row = static_cast<int>(pixel) / width, column = static_cast<int>(pixel) - row * width;
  const int batch = row / height, line = row - batch * height;
#if defined(__CUDA_ARCH__)
  const float2 vector = __ldg(reinterpret_cast<const float2*>(flow) + pixel);
  const float u = vector.x, v = vector.y;
#else
  const float u = flow[2 * pixel], v = flow[2 * pixel + 1];
#endif
  const auto x = sample(static_cast<float>(column) + u, shape.width, shape.border);
  const auto y = sample(static_cast<float>(line) + v, shape.height, shape.border);

  Footprint footprint;
  footprint.toward_x = x.toward, footprint.toward_y = y.toward;
  footprint.moves_x = x.moves, footprint.moves_y = y.moves;
  footprint.is_valid = x.valid && y.valid;
  const float share = shape.border == Border::kRepeat
                          ? 1.0f
                          : share_inside(x.clamped, shape.width) *
                                share_inside(y.clamped, shape.height);
  footprint.is_inside = footprint.is_valid && share > shape.mask_threshold;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const int64_t of_x = k % 2 ? x.after : x.before, of_y = k / 2 ? y.after : y.before;
    const bool is_there = in_range(of_x, shape.width) && in_range(of_y, shape.height);
    footprint.corners[k].offset =
        is_there ? ((int64_t{1} * batch * height + of_y) * width + of_x) * shape.channels : -1;
    footprint.corners[k].weight =
        (k % 2 ? x.toward : 1.0f - x.toward) * (k / 2 ? y.toward : 1.0f - y.toward);
  }
  return footprint;
}

// The channels of a corner from `channel` on, zeros outside.
template <typename T, int VECTOR>
TFFLOW_BOTH void load_corner(const T* image, const Corner& corner, int64_t channel,
                             float (&values)[VECTOR]) {
  if (corner.offset >= 0) {
    load_vector(image + corner.offset + channel, values);
  } else {
#pragma unroll
    for (int k = 0; k < VECTOR; ++k) values[k] = 0.0f;
  }
}

}  // namespace cuda
}  // namespace tfflow
