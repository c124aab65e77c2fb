// The geometry and the arithmetic of correlation and warp, once, for every kernel.
//
// Nothing here knows a framework or a processor: the CPU's kernels, CUDA's, the TensorFlow ops and
// a JAX FFI handler all include this file, and none of them works out an index in its own way. The
// reference for the meaning is tfflow/ops/correlation.py and warp.py.
#ifndef TFFLOW_NATIVE_SHAPES_H_
#define TFFLOW_NATIVE_SHAPES_H_

#include <cstdint>

#if defined(__CUDACC__)
#define TFFLOW_HOST_DEVICE __host__ __device__
#else
#define TFFLOW_HOST_DEVICE
#endif

namespace tfflow {

// Correlation of two feature maps, NHWC:
//
//   first, second   (batch, height, width, channels)
//   output          (batch, output_height(), output_width(), displacements())
//
//   output[b, y, x, k] = scale() · Σ_m Σ_n Σ_c first [b, y1 + m,      x1 + n,      c]
//                                            · second[b, y1 + m + dy, x1 + n + dx, c]
//
// with y1 = position(y), x1 = position(x), m and n in [-patch_radius(), patch_radius()],
// k = iy · span() + ix, dy = displacement(iy), dx = displacement(ix). Either map is zero outside.
//
// Sums may be taken in any order, in float32 or better; scale() multiplies once, at the end.
//
// Gradients, for an upstream gradient g of the output's shape:
//
//   spread[b, p, k]   = scale() · Σ g[b, o, k] over the outputs o whose patch holds pixel p
//   g_first [b, p, c] = Σ_k spread[b, p,     k] · second[b, p + d, c]     d = (dy, dx) of k,
//   g_second[b, q, c] = Σ_k spread[b, q - d, k] · first [b, q - d, c]     pixels outside: nothing
//
// Both are gathers: each element is one sum, in a fixed order, and no two threads write to one.
struct Correlation {
  int64_t batch, height, width, channels;
  int64_t kernel_size;          // side of the patch that is compared, odd; 1 = single pixels
  int64_t max_displacement;     // in pixels, >= 0
  int64_t stride;               // between the pixels of `first` that are looked at, >= 1
  int64_t displacement_stride;  // between displacements, >= 1
  int64_t padding;              // determines the output's size, as FlowNet's layer has it, >= 0
  int64_t origin;               // the pixel that output (0, 0) looks at; may lie outside
  bool normalise;               // divide by kernel_size² · channels

  // tfflow.ops.correlation is kernel_size = 1, padding = max_displacement, origin = 0.
  // FlowNet's layer (Caffe) has origin = border() - padding; TensorFlow Addons' CorrelationCost
  // has border() - padding · stride, which is another one where stride > 1.

  TFFLOW_HOST_DEVICE int64_t patch_radius() const { return kernel_size / 2; }
  TFFLOW_HOST_DEVICE int64_t border() const { return max_displacement + patch_radius(); }

  // Displacements in one direction to either side, in all along an axis, and over the window.
  TFFLOW_HOST_DEVICE int64_t radius() const { return max_displacement / displacement_stride; }
  TFFLOW_HOST_DEVICE int64_t span() const { return 2 * radius() + 1; }
  TFFLOW_HOST_DEVICE int64_t displacements() const { return span() * span(); }
  TFFLOW_HOST_DEVICE int64_t displacement(int64_t i) const {
    return (i - radius()) * displacement_stride;
  }

  // ⌈(size + 2 padding - 2 border) / stride⌉, 0 where nothing is left.
  TFFLOW_HOST_DEVICE int64_t output_size(int64_t size) const {
    const int64_t kept = size + 2 * padding - 2 * border();
    return kept > 0 ? (kept + stride - 1) / stride : 0;
  }
  TFFLOW_HOST_DEVICE int64_t output_height() const { return output_size(height); }
  TFFLOW_HOST_DEVICE int64_t output_width() const { return output_size(width); }

  // The pixel of `first` in the middle of an output's patch, along either axis.
  TFFLOW_HOST_DEVICE int64_t position(int64_t output) const { return origin + output * stride; }

  TFFLOW_HOST_DEVICE double scale() const {
    const int64_t terms = kernel_size * kernel_size * channels;
    return normalise && terms > 0 ? 1.0 / static_cast<double>(terms) : 1.0;
  }

  TFFLOW_HOST_DEVICE int64_t input_elements() const { return batch * height * width * channels; }
  TFFLOW_HOST_DEVICE int64_t output_elements() const {
    return batch * output_height() * output_width() * displacements();
  }
};

// What lies outside of a warped image: zeros, or the pixels of its border, repeated.
enum class Border : int32_t { kZeros = 0, kRepeat = 1 };

// Backward warping, NHWC:
//
//   image   (batch, height, width, channels)
//   flow    (batch, height, width, 2), channel 0 = u to the right, 1 = v downwards, in pixels
//   warped  like image: warped[b, y, x] = image at (x + u, y + v), bilinearly
//   mask    (batch, height, width, 1), optional: 1 where inside() > mask_threshold, else 0
//
// In each direction, sample() says between which two pixels and how far; then
//
//   warped = (1 - ty) ((1 - tx) top_left    + tx top_right)
//          +      ty  ((1 - tx) bottom_left + tx bottom_right)
//
// and, with `masked`, warped · mask. Gradients for an upstream gradient g (0 where masked out):
//
//   g_image: g times each of the four weights, added to the four pixels
//   g_u = Σ_c g ((1 - ty) (top_right - top_left) + ty (bottom_right - bottom_left))
//   g_v = Σ_c g ((1 - tx) (bottom_left - top_left) + tx (bottom_right - top_right))
//
// each of the latter two only where the sample moves with the flow (Sample::moves). A pixel whose
// flow is NaN becomes NaN (as in the reference: it should be seen), its mask 0, and it gives no
// gradient to anything. Infinities are far outside.
struct Warp {
  int64_t batch, height, width, channels;
  Border border;
  bool masked;           // whether the warped image is set to zero where the mask is 0
  float mask_threshold;  // only for the mask

  TFFLOW_HOST_DEVICE int64_t pixels() const { return batch * height * width; }
  TFFLOW_HOST_DEVICE int64_t image_elements() const { return pixels() * channels; }
};

// Where a coordinate falls along an axis of `size` pixels.
template <class Real>
struct Sample {
  int64_t before;  // the two neighbours; -1 or `size` is a pixel of zeros outside
  int64_t after;
  Real toward;   // 0 at `before` … 1 at `after`
  Real clamped;  // the coordinate, held in the axis and its margin of zeros
  bool moves;    // the clamped coordinate still follows the flow
  bool valid;    // false for NaN; `before` is then some pixel, and nothing must come of it
};

// `Real` is float or double (half precision can't tell pixels apart beyond 2048). All comparisons
// are written so that NaN and ±inf end within bounds, before anything is cast to an integer.
template <class Real>
TFFLOW_HOST_DEVICE inline Sample<Real> sample(Real coordinate, int64_t size, Border border) {
  // One pixel of zeros all around is as good as zeros everywhere outside.
  const int64_t margin = border == Border::kZeros ? 1 : 0;
  const Real low = static_cast<Real>(-margin), high = static_cast<Real>(size - 1 + margin);
  Sample<Real> s;
  s.valid = coordinate == coordinate;
  s.moves = coordinate >= low && coordinate <= high;
  s.clamped = coordinate > low ? coordinate : low;
  s.clamped = s.clamped < high ? s.clamped : high;
  // Rounded down: the cast rounds toward zero, and nothing is below -1 here.
  s.before = static_cast<int64_t>(s.clamped + static_cast<Real>(margin)) - margin;
  const Real fraction = s.clamped - static_cast<Real>(s.before);
  if (fraction < 0) s.before -= 1;  // the sum was rounded up to the next pixel
  s.toward = s.clamped - static_cast<Real>(s.before);
  s.after = s.before + 1 < size + margin ? s.before + 1 : size - 1 + margin;
  return s;
}

// The share of the two neighbours' weights along an axis that lies within it. A pixel's share is
// the product of both axes'; with Border::kRepeat it is 1.
template <class Real>
TFFLOW_HOST_DEVICE inline Real share_inside(Real clamped, int64_t size) {
  const Real left = clamped + static_cast<Real>(1), right = static_cast<Real>(size) - clamped;
  const Real share = left < right ? left : right;
  return share < 0 ? static_cast<Real>(0) : share > 1 ? static_cast<Real>(1) : share;
}

TFFLOW_HOST_DEVICE inline bool in_range(int64_t i, int64_t size) { return i >= 0 && i < size; }

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_SHAPES_H_
