// The four pixels that a warped pixel is made of.
#ifndef TFFLOW_NATIVE_WARP_FOOTPRINT_H_
#define TFFLOW_NATIVE_WARP_FOOTPRINT_H_

#include "shapes.h"

namespace tfflow {

template <class Scalar>
struct Footprint {
  Sample<Scalar> x, y;
  bool valid;  // no NaN
  Scalar mask;  // 1 or 0

  // Whether any of the four pixels lies in the image.
  bool touches(const Warp& shape) const {
    return x.before < shape.width && x.after >= 0 && y.before < shape.height && y.after >= 0;
  }

  // The row of the image that the pixel is counted to.
  int64_t home(const Warp& shape) const {
    return y.before < 0 ? 0 : y.before < shape.height ? y.before : shape.height - 1;
  }

  // Whether a gradient passes through the pixel.
  bool carries(const Warp& shape) const {
    return valid && touches(shape) && (!shape.masked || mask != 0);
  }
};

template <class Scalar>
inline Footprint<Scalar> footprint(const Warp& shape, int64_t x, int64_t y, const Scalar* flow) {
  Footprint<Scalar> f;
  f.x = sample<Scalar>(static_cast<Scalar>(x) + flow[0], shape.width, shape.border);
  f.y = sample<Scalar>(static_cast<Scalar>(y) + flow[1], shape.height, shape.border);
  f.valid = f.x.valid && f.y.valid;
  Scalar inside = 1;
  if (shape.border == Border::kZeros) {
    inside = share_inside(f.x.clamped, shape.width) * share_inside(f.y.clamped, shape.height);
  }
  f.mask = f.valid && inside > static_cast<Scalar>(shape.mask_threshold) ? 1 : 0;
  return f;
}

// Pixels as (top left, top right, bottom left, bottom right): pointers into an image of the rows
// first_row … end_row - 1, `outside` for those that are not in it.
template <class Pointer, class Scalar>
inline void corners(const Warp& shape, const Footprint<Scalar>& f, Pointer image,
                    int64_t first_row, int64_t end_row, Pointer outside, Pointer (&corner)[4]) {
  const int64_t rows[2] = {f.y.before, f.y.after}, columns[2] = {f.x.before, f.x.after};
  for (int i = 0; i < 4; ++i) {
    const int64_t row = rows[i / 2], column = columns[i % 2];
    const bool inside = row >= first_row && row < end_row && in_range(column, shape.width);
    corner[i] = inside ? image + (row * shape.width + column) * shape.channels : outside;
  }
}

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_WARP_FOOTPRINT_H_
