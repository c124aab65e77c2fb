// Warping, a vector of channels at a time. The image's gradient is a scatter, made deterministic by
// ownership: a thread owns a band of the image's rows and looks for the pixels that give to it.
#include "warp.h"

#include <algorithm>
#include <limits>

#include "vector.h"
#include "warp_footprint.h"

namespace tfflow {
namespace {

constexpr int64_t kBand = 16;   // rows
constexpr int64_t kAhead = 32;  // pixels

template <class Scalar>
struct Weights {
  Scalar corner[4];
  explicit Weights(const Footprint<Scalar>& f)
      : corner{(1 - f.y.toward) * (1 - f.x.toward), (1 - f.y.toward) * f.x.toward,
               f.y.toward * (1 - f.x.toward), f.y.toward * f.x.toward} {}
};

template <class Lanes, class Scalar>
TFFLOW_INLINE void blend(const Scalar* const (&corner)[4], const Weights<Scalar>& weights,
                         int64_t c, Scalar* to) {
  typename Lanes::Type sum = weights.corner[0] * Lanes::load(corner[0] + c);
  for (int i = 1; i < 4; ++i) sum += weights.corner[i] * Lanes::load(corner[i] + c);
  Lanes::store(to + c, sum);
}

template <class Scalar>
void warp_pixel(const Warp& shape, const Footprint<Scalar>& f, const Scalar* image,
                const Scalar* zeros, Scalar* to) {
  using V = Vector<Scalar>;
  const int64_t channels = shape.channels;
  if (!f.carries(shape)) {
    const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
    std::fill_n(to, channels, f.valid || shape.masked ? Scalar(0) : nan);
    return;
  }
  const Scalar* corner[4];
  corners(shape, f, image, 0, shape.height, zeros, corner);
  const Weights<Scalar> weights(f);
  int64_t c = 0;
  for (; c + V::lanes <= channels; c += V::lanes) blend<V>(corner, weights, c, to);
  for (; c < channels; ++c) blend<Single<Scalar>>(corner, weights, c, to);
}

// Asks for what pixel (x, y) will need, some pixels ahead: the processor can't foresee where a flow
// leads, and would wait for memory half of the time.
template <class Scalar>
TFFLOW_INLINE void fetch(const Warp& shape, int64_t x, int64_t y, const Scalar* flow,
                         const Scalar* image) {
  if (x >= shape.width) return;
  constexpr int64_t line = 64 / sizeof(Scalar);
  const int64_t row = sample<Scalar>(y + flow[1], shape.height, Border::kRepeat).before;
  const int64_t column = sample<Scalar>(x + flow[0], shape.width, Border::kRepeat).before;
  const Scalar* top = image + (row * shape.width + column) * shape.channels;
  const Scalar* bottom = row + 1 < shape.height ? top + shape.width * shape.channels : top;
  for (int64_t c = 0; c < shape.channels; c += line) {
    __builtin_prefetch(top + c);
    __builtin_prefetch(bottom + c);
  }
}

// What a pixel's upstream gradient gives to the image (where `to` is not null) and to the flow.
template <class Scalar>
struct Share {
  const Scalar* from[4];
  Scalar* to[4];
  const Scalar* upstream;
  Scalar x, y;  // toward
};

template <class Lanes, class Scalar>
TFFLOW_INLINE void give_to_image(const Share<Scalar>& share, const Weights<Scalar>& weights,
                                 int64_t c) {
  const auto upstream = Lanes::load(share.upstream + c);
  for (int i = 0; i < 4; ++i) {
    Scalar* to = share.to[i];
    // One after the other: at a border, two of them may be one pixel.
    if (to) Lanes::store(to + c, Lanes::load(to + c) + weights.corner[i] * upstream);
  }
}

template <class Lanes, class Scalar>
TFFLOW_INLINE void give_to_flow(const Share<Scalar>& share, int64_t c,
                                typename Lanes::Type (&sums)[2]) {
  const auto upstream = Lanes::load(share.upstream + c);
  const auto top_left = Lanes::load(share.from[0] + c), top_right = Lanes::load(share.from[1] + c);
  const auto left = Lanes::load(share.from[2] + c), right = Lanes::load(share.from[3] + c);
  sums[0] += upstream * ((1 - share.y) * (top_right - top_left) + share.y * (right - left));
  sums[1] += upstream * ((1 - share.x) * (left - top_left) + share.x * (right - top_right));
}

template <class Scalar>
void give_to_image(const Share<Scalar>& share, const Weights<Scalar>& weights, int64_t channels) {
  using V = Vector<Scalar>;
  int64_t c = 0;
  for (; c + V::lanes <= channels; c += V::lanes) give_to_image<V>(share, weights, c);
  for (; c < channels; ++c) give_to_image<Single<Scalar>>(share, weights, c);
}

template <class Scalar>
void give_to_flow(const Share<Scalar>& share, const Footprint<Scalar>& f, int64_t channels,
                  Scalar* flow_gradient) {
  using V = Vector<Scalar>;
  typename V::Type sums[2] = {};
  Scalar rest[2] = {0, 0};
  int64_t c = 0;
  for (; c + V::lanes <= channels; c += V::lanes) give_to_flow<V>(share, c, sums);
  for (; c < channels; ++c) give_to_flow<Single<Scalar>>(share, c, rest);
  if (f.x.moves) flow_gradient[0] = V::sum(sums[0]) + rest[0];
  if (f.y.moves) flow_gradient[1] = V::sum(sums[1]) + rest[1];
}

}  // namespace

template <class Scalar>
std::vector<Pass> warp_forward(const Warp& shape, const Scalar* image, const Scalar* flow,
                               Scalar* warped, Scalar* mask, Scalar* zeros) {
  std::fill_n(zeros, shape.channels, Scalar(0));
  auto run = [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / shape.height, y = i % shape.height;
      const Scalar* source = image + b * shape.height * shape.width * shape.channels;
      for (int64_t x = 0; x < shape.width; ++x) {
        const int64_t pixel = i * shape.width + x;
        fetch(shape, x + kAhead, y, flow + 2 * (pixel + kAhead), source);
        const Footprint<Scalar> f = footprint(shape, x, y, flow + 2 * pixel);
        warp_pixel(shape, f, source, zeros, warped + pixel * shape.channels);
        if (mask) mask[pixel] = f.mask;
      }
    }
  };
  return {{shape.batch * shape.height, shape.width * (20 + shape.channels), run}};
}

int64_t warp_backward_workspace(const Warp& shape) { return 2 * shape.batch * shape.height; }

template <class Scalar>
std::vector<Pass> warp_backward(const Warp& shape, const Scalar* image, const Scalar* flow,
                                const Scalar* upstream, Scalar* image_gradient,
                                Scalar* flow_gradient, Scalar* zeros, int64_t* workspace) {
  std::fill_n(zeros, shape.channels, Scalar(0));

  // The image's rows that each row of the output has anything to do with: first, end.
  auto find_rows = [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t low = shape.height, high = 0;
      for (int64_t x = 0; x < shape.width; ++x) {
        const Scalar* at = flow + 2 * (i * shape.width + x);
        const Footprint<Scalar> f = footprint(shape, x, i % shape.height, at);
        if (!f.carries(shape)) continue;
        low = std::min(low, f.home(shape));
        high = std::max(high, std::min(f.y.after + 1, shape.height));
      }
      workspace[2 * i] = low;
      workspace[2 * i + 1] = high;
      if (flow_gradient) {
        std::fill_n(flow_gradient + 2 * i * shape.width, 2 * shape.width, Scalar(0));
      }
    }
  };

  const int64_t bands = (shape.height + kBand - 1) / kBand;
  auto give = [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / bands, first = i % bands * kBand;
      const int64_t last = std::min(first + kBand, shape.height);
      const int64_t line = shape.width * shape.channels, offset = b * shape.height * line;
      if (image_gradient) {
        std::fill_n(image_gradient + offset + first * line, (last - first) * line, Scalar(0));
      }
      // What lies outside of the image may be held at its border, and belongs to the last band.
      const auto is_elsewhere = [=](Scalar coordinate) {
        return (first > 0 && coordinate < static_cast<Scalar>(first - 1)) ||
               (last < shape.height && coordinate >= static_cast<Scalar>(last));
      };
      for (int64_t y = 0; y < shape.height; ++y) {
        const int64_t* rows = workspace + 2 * (b * shape.height + y);
        if (rows[0] >= last || rows[1] <= first) continue;
        for (int64_t x = 0; x < shape.width; ++x) {
          const int64_t pixel = (b * shape.height + y) * shape.width + x;
          if (is_elsewhere(static_cast<Scalar>(y) + flow[2 * pixel + 1])) continue;
          const Scalar* later = flow + 2 * (pixel + kAhead);
          if (flow_gradient) fetch(shape, x + kAhead, y, later, image + offset);
          const Footprint<Scalar> f = footprint(shape, x, y, flow + 2 * pixel);
          if (f.y.before >= last || f.y.after < first || !f.carries(shape)) continue;
          Share<Scalar> share{{}, {}, upstream + pixel * shape.channels, f.x.toward, f.y.toward};
          const int64_t home = f.home(shape);
          if (flow_gradient && home >= first && home < last) {
            corners(shape, f, image + offset, 0, shape.height, static_cast<const Scalar*>(zeros),
                    share.from);
            give_to_flow(share, f, shape.channels, flow_gradient + 2 * pixel);
          }
          if (image_gradient) {
            corners(shape, f, image_gradient + offset, first, last, static_cast<Scalar*>(nullptr),
                    share.to);
            give_to_image(share, Weights<Scalar>(f), shape.channels);
          }
        }
      }
    }
  };
  return {{shape.batch * shape.height, 10 * shape.width, find_rows},
          {shape.batch * bands, kBand * shape.width * (20 + 3 * shape.channels), give}};
}

#define TFFLOW_INSTANTIATE(Scalar)                                                             \
  template std::vector<Pass> warp_forward(const Warp&, const Scalar*, const Scalar*, Scalar*,  \
                                          Scalar*, Scalar*);                                   \
  template std::vector<Pass> warp_backward(const Warp&, const Scalar*, const Scalar*,          \
                                           const Scalar*, Scalar*, Scalar*, Scalar*, int64_t*);
TFFLOW_INSTANTIATE(float)
TFFLOW_INSTANTIATE(double)

}  // namespace tfflow
