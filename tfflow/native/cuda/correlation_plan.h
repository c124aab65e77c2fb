// What both passes of the correlation know of its geometry: shapes.h's, in 32 bits, in lattices.
//
// Pixels that are displacement_stride ("step") apart meet each other and no others. They form
// step x step lattices, told apart by their first pixel's place, the phase.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <numeric>

#include "../shapes.h"
#include "scalar.h"

namespace tfflow {
namespace cuda {

struct CorrelationPlan {
  int batch, height, width, channels;
  int kernel, span, step, stride, origin;
  int out_height, out_width;
  int unit;  // positions are multiples of the stride, lattices of the step: both, of this
  float scale;

  // Lattices, along an axis, that outputs lie in, and the most positions in one.
  TFFLOW_BOTH int phases(int outputs) const {
    return least(step / unit, outputs > 0 ? (outputs - 1) * stride / unit + 1 : 0);
  }
  TFFLOW_BOTH int positions(int outputs) const {
    return outputs > 0 ? (outputs - 1) * stride / step + 1 : 0;
  }

  // The output at a position of a lattice, or -1 where there is none.
  TFFLOW_BOTH int output(int phase, int position, int outputs) const {
    const int pixel = phase + position * step;  // counted from the origin
    const int output = stride == 1 ? pixel : pixel / stride;
    return output * stride == pixel && output < outputs ? output : -1;
  }

  // The output that looks at a pixel, or -1.
  TFFLOW_BOTH int output_at(int pixel, int outputs) const {
    return pixel >= origin ? output(pixel - origin, 0, outputs) : -1;
  }

  // Whether any output's patch holds a pixel of the lattice, along an axis.
  TFFLOW_BOTH bool is_seen(int phase) const {
    const int radius = kernel / 2;
    for (int tap = -radius; tap <= radius; ++tap) {
      if ((phase - tap - origin) % unit == 0) return true;
    }
    return false;
  }

  TFFLOW_BOTH bool in_image(int y, int x) const {
    return y >= 0 && y < height && x >= 0 && x < width;
  }
  TFFLOW_BOTH int64_t pixel_index(int of_batch, int y, int x) const {
    return ((int64_t{1} * of_batch * height + y) * width + x) * channels;
  }
  TFFLOW_BOTH int64_t cost_index(int of_batch, int y, int x) const {
    return ((int64_t{1} * of_batch * out_height + y) * out_width + x) * span * span;
  }
};

// False where a size, or a coordinate that comes up on the way, does not fit 32 bits. The number of
// elements may: offsets into the maps have 64 bits.
inline bool make_plan(const Correlation& shape, CorrelationPlan* plan) {
  constexpr int64_t most = int64_t{1} << 28;
  const auto fit = [](std::initializer_list<int64_t> sizes) {
    return std::max(sizes) <= most;
  };
  // Sizes first, then products of two of them.
  if (!fit({shape.batch, shape.height, shape.width, shape.channels, shape.kernel_size,
            shape.max_displacement, shape.stride, shape.displacement_stride, shape.padding,
            shape.origin, -shape.origin}) ||
      !fit({shape.output_height() * shape.stride, shape.output_width() * shape.stride,
            shape.displacements(), shape.kernel_size * shape.kernel_size})) {
    return false;
  }
  const auto narrow = [](int64_t size) { return static_cast<int>(size); };
  *plan = CorrelationPlan{narrow(shape.batch),
                          narrow(shape.height),
                          narrow(shape.width),
                          narrow(shape.channels),
                          narrow(shape.kernel_size),
                          narrow(shape.span()),
                          narrow(shape.displacement_stride),
                          narrow(shape.stride),
                          narrow(shape.origin),
                          narrow(shape.output_height()),
                          narrow(shape.output_width()),
                          narrow(std::gcd(shape.stride, shape.displacement_stride)),
                          static_cast<float>(shape.scale())};
  return true;
}

}  // namespace cuda
}  // namespace tfflow
