// The gradients of products of pixels. Each is a sum of pixels (vectors of channels) with
// coefficients from the upstream gradient, so the channels lie in vectors as they come.
#include <algorithm>
#include <memory>

#include "correlation_inner.h"
#include "lattice.h"
#include "vector.h"

namespace tfflow {
namespace {

// What a row gives to a block of neighbouring pixels, the targets: `count` pixels of it, the
// sources. Source s gives target t its pixel times the coefficient of displacement
// first_displacement + s · per_source + t · per_target, if that is one at all.
template <class Scalar>
struct Strip {
  const Scalar* source;
  int64_t source_step;
  const Scalar* coefficient;  // of displacement 0 for source 0 and target 0
  int64_t coefficient_per_source, coefficient_per_target;
  int64_t first_displacement, per_source, per_target;
  int64_t count;
};

// Adds a strip's share to `targets` sums of `vectors` vectors, from channel `channel` on.
template <class Lanes, class Scalar, int targets, int vectors>
TFFLOW_INLINE void add_strip(const Strip<Scalar>& strip, int64_t channel, int64_t span,
                             typename Lanes::Type (&sums)[targets][vectors]) {
  const Scalar* source = strip.source + channel;
  const Scalar* coefficients = strip.coefficient;
  int64_t i = strip.first_displacement;
  for (int64_t s = 0; s < strip.count; ++s) {
    typename Lanes::Type pixel[vectors];
    for (int v = 0; v < vectors; ++v) pixel[v] = Lanes::load(source + v * Lanes::lanes);
    const int64_t last = i + (targets - 1) * strip.per_target;
    if (in_range(i, span) && in_range(last, span)) {
      for (int t = 0; t < targets; ++t) {
        const Scalar coefficient =
            coefficients[i + t * (strip.coefficient_per_target + strip.per_target)];
        for (int v = 0; v < vectors; ++v) sums[t][v] += coefficient * pixel[v];
      }
    } else {
      for (int t = 0; t < targets; ++t) {
        const int64_t displacement = i + t * strip.per_target;
        if (!in_range(displacement, span)) continue;
        const Scalar coefficient = coefficients[displacement + t * strip.coefficient_per_target];
        for (int v = 0; v < vectors; ++v) sums[t][v] += coefficient * pixel[v];
      }
    }
    source += strip.source_step;
    coefficients += strip.coefficient_per_source;
    i += strip.per_source;
  }
}

// Where a block's sums go: target t at `target` + t · target_step.
template <class Scalar>
struct Block {
  const std::vector<Strip<Scalar>>& strips;
  Scalar* target;
  int64_t target_step;
  int64_t span;
  Scalar scale;
};

template <class Lanes, class Scalar, int targets, int vectors>
void sum_channels(const Block<Scalar>& block, int64_t channel) {
  typename Lanes::Type sums[targets][vectors] = {};
  for (const auto& strip : block.strips) {
    add_strip<Lanes, Scalar, targets, vectors>(strip, channel, block.span, sums);
  }
  for (int t = 0; t < targets; ++t) {
    Scalar* to = block.target + t * block.target_step + channel;
    for (int v = 0; v < vectors; ++v) {
      Lanes::store(to + v * Lanes::lanes, block.scale * sums[t][v]);
    }
  }
}

template <class Scalar, int targets>
void sum_block(const Block<Scalar>& block, int64_t channels) {
  using V = Vector<Scalar>;
  constexpr int64_t lanes = V::lanes, wide = lanes * kBackwardVectors;
  int64_t c = 0;
  for (; c + wide <= channels; c += wide) {
    sum_channels<V, Scalar, targets, kBackwardVectors>(block, c);
  }
  for (; c + 2 * lanes <= channels; c += 2 * lanes) sum_channels<V, Scalar, targets, 2>(block, c);
  // The last vector reaches back over channels that are there already: they come out alike.
  for (; channels >= lanes && c < channels; c += lanes) {
    sum_channels<V, Scalar, targets, 1>(block, std::min(c, channels - lanes));
  }
  for (; c < channels; ++c) sum_channels<Single<Scalar>, Scalar, targets, 1>(block, c);
}

// Calls work(begin, number) for blocks of kBackward, or of 1 where there are fewer. The last block
// reaches back over what is there already.
template <class Work>
void in_blocks(int64_t begin, int64_t end, const Work& work) {
  if (end - begin < kBackward) {
    for (int64_t i = begin; i < end; ++i) work(i, 1);
    return;
  }
  for (int64_t i = begin; i < end; i += kBackward) {
    work(std::min(i, end - kBackward), kBackward);
  }
}

template <class Scalar>
void sum_block(const Block<Scalar>& block, int64_t channels, int targets) {
  if (targets == kBackward) {
    sum_block<Scalar, kBackward>(block, channels);
  } else {
    sum_block<Scalar, 1>(block, channels);
  }
}

struct Lattices {
  std::vector<Lattice> rows, columns;
};

std::shared_ptr<const Lattices> lattices_of(const Correlation& shape) {
  auto all = std::make_shared<Lattices>();
  *all = {lattices(shape, shape.height), lattices(shape, shape.width)};
  return all;
}

int64_t cost_of_row(const Correlation& shape) {
  return shape.width * (shape.displacements() + 1) * (shape.channels / 8 + 1);
}

}  // namespace

template <class Scalar>
Pass products_first_gradient(const Correlation& shape, const Scalar* second,
                             const Scalar* upstream, Scalar* gradient) {
  const auto all = lattices_of(shape);
  auto run = [=](int64_t begin, int64_t end) {
    const int64_t span = shape.span(), radius = shape.radius(), channels = shape.channels;
    const int64_t row = shape.width * channels, displacements = shape.displacements();
    std::vector<Strip<Scalar>> strips;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / shape.height, y = i % shape.height;
      std::fill_n(gradient + i * row, row, Scalar(0));  // no output looks at some pixels
      const Lattice& rows = all->rows[y % shape.displacement_stride];
      const int64_t uy = (y - rows.first) / rows.step, jy = rows.output_at(uy);
      if (jy < 0) continue;
      const Scalar* outputs = upstream + (b * shape.output_height() + rows.output(jy)) *
                                             shape.output_width() * displacements;
      for (const Lattice& columns : all->columns) {
        const int64_t between = columns.output_step * displacements;  // outputs of this lattice
        const int64_t first_j = columns.first_looking_from(0);
        const int64_t last_j = columns.first_looking_from(columns.pixels);
        in_blocks(first_j, last_j, [&](int64_t j, int targets) {
          // Source s is the pixel at which target 0 has displacement begin_s + s.
          const int64_t u = columns.looks_at(j) - radius;
          const int64_t window = span + columns.stride * (targets - 1);
          const int64_t begin_s = std::clamp<int64_t>(-u, 0, window);
          const int64_t end_s = std::clamp<int64_t>(columns.pixels - u, begin_s, window);
          strips.clear();
          for (int64_t iy = 0; iy < span; ++iy) {
            const int64_t source_y = uy + iy - radius;
            if (!in_range(source_y, rows.pixels)) continue;
            const Scalar* source_row = second + (b * shape.height + rows.pixel(source_y)) * row;
            strips.push_back({source_row + columns.pixel(u + begin_s) * channels,
                              columns.step * channels,
                              outputs + columns.output(j) * displacements + iy * span, 0, between,
                              begin_s, 1, -columns.stride, end_s - begin_s});
          }
          Scalar* target = gradient + i * row + columns.pixel(columns.looks_at(j)) * channels;
          const int64_t target_step = columns.step * columns.stride * channels;
          sum_block(Block<Scalar>{strips, target, target_step, span, Scalar(shape.scale())},
                    channels, targets);
        });
      }
    }
  };
  return {shape.batch * shape.height, cost_of_row(shape), run};
}

template <class Scalar>
Pass products_second_gradient(const Correlation& shape, const Scalar* first,
                              const Scalar* upstream, Scalar* gradient) {
  const auto all = lattices_of(shape);
  auto run = [=](int64_t begin, int64_t end) {
    const int64_t span = shape.span(), radius = shape.radius(), channels = shape.channels;
    const int64_t row = shape.width * channels, displacements = shape.displacements();
    std::vector<Strip<Scalar>> strips;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / shape.height, y = i % shape.height;
      const Lattice& rows = all->rows[y % shape.displacement_stride];
      const int64_t uy = (y - rows.first) / rows.step;
      for (const Lattice& columns : all->columns) {
        const int64_t between = columns.output_step * displacements;
        in_blocks(0, columns.pixels, [&](int64_t u, int targets) {
          // Sources are the outputs that look from u - radius to the last target + radius, and
          // within the image.
          const int64_t reach = u + targets - 1 + radius + 1;
          const int64_t j = columns.first_looking_from(std::max<int64_t>(u - radius, 0));
          const int64_t end_j = columns.first_looking_from(std::min(reach, columns.pixels));
          strips.clear();
          for (int64_t iy = 0; iy < span && j < end_j; ++iy) {
            const int64_t source_y = uy - (iy - radius), jy = rows.output_at(source_y);
            if (jy < 0 || !in_range(source_y, rows.pixels)) continue;
            const Scalar* source_row = first + (b * shape.height + rows.pixel(source_y)) * row;
            const Scalar* outputs = upstream + (b * shape.output_height() + rows.output(jy)) *
                                                   shape.output_width() * displacements;
            const int64_t looks_at = columns.looks_at(j);
            strips.push_back({source_row + columns.pixel(looks_at) * channels,
                              columns.step * columns.stride * channels,
                              outputs + columns.output(j) * displacements + iy * span, between, 0,
                              u - looks_at + radius, -columns.stride, 1, end_j - j});
          }
          Scalar* target = gradient + i * row + columns.pixel(u) * channels;
          sum_block(Block<Scalar>{strips, target, columns.step * channels, span,
                                  Scalar(shape.scale())},
                    channels, targets);
        });
      }
    }
  };
  return {shape.batch * shape.height, cost_of_row(shape), run};
}

#define TFFLOW_INSTANTIATE(Scalar)                                                        \
  template Pass products_first_gradient(const Correlation&, const Scalar*, const Scalar*, \
                                        Scalar*);                                         \
  template Pass products_second_gradient(const Correlation&, const Scalar*, const Scalar*, \
                                         Scalar*);
TFFLOW_INSTANTIATE(float)
TFFLOW_INSTANTIATE(double)

}  // namespace tfflow
