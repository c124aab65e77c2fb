// The products of pixels, as small products of matrices.
//
// For a row of `first`, a displacement dy and a block of neighbouring outputs, the wanted numbers
// are the band of diagonals of (pixels of first) x (pixels of second that any of them may have come
// from). The second row is turned over beforehand, to (channels, pixels), so that a vector holds
// neighbouring displacements of one output: no sums across a vector, and what comes out lies as it
// is stored.
#include <algorithm>
#include <cstring>
#include <memory>

#include "correlation_inner.h"
#include "lattice.h"
#include "vector.h"

namespace tfflow {
namespace {

int64_t rounded_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// The columns of one lattice in a row that has been turned over: column w of `width` is lattice
// pixel looks_at(0) - radius + w, so that output j meets columns stride · j + (0 … span - 1).
template <class Scalar>
struct Turned {
  Lattice lattice;
  int64_t width;
  int64_t offset;  // of its (channels, width) in the row's memory
};

template <class Scalar>
struct Layout {
  std::vector<Lattice> rows;
  std::vector<Turned<Scalar>> columns;
  int64_t row_size = 0;   // scalars of a row of `second`, turned over
  int64_t outputs = 0;    // of a row
  int64_t window = 0;     // columns that a block's band is computed from, whole vectors
};

template <class Scalar>
Layout<Scalar> layout_of(const Correlation& shape) {
  constexpr int lanes = Vector<Scalar>::lanes;
  Layout<Scalar> layout;
  layout.rows = lattices(shape, shape.height);
  layout.outputs = shape.output_width();
  for (const Lattice& lattice : lattices(shape, shape.width)) {
    if (lattice.outputs == 0) continue;
    layout.window = rounded_up(shape.span() + lattice.stride * (kForward - 1), lanes);
    const int64_t last_block = lattice.stride * (lattice.outputs - 1);
    const int64_t width = rounded_up(last_block + layout.window, lanes);
    layout.columns.push_back({lattice, width, layout.row_size});
    layout.row_size += width * shape.channels;
  }
  return layout;
}

// (pixels, channels) to (channels, pixels), zeros outside of the image.
template <class Scalar>
void turn_over(const Correlation& shape, const Turned<Scalar>& columns, const Scalar* row,
               Scalar* turned) {
  using V = Vector<Scalar>;
  const Lattice& lattice = columns.lattice;
  const int64_t channels = shape.channels, width = columns.width;
  const int64_t u0 = lattice.start - shape.radius();
  const int64_t begin = std::clamp<int64_t>(-u0, 0, width);
  const int64_t end = std::clamp<int64_t>(lattice.pixels - u0, begin, width);
  const auto pixel = [&](int64_t w) { return row + lattice.pixel(u0 + w) * channels; };
  for (int64_t c0 = 0; c0 < channels; c0 += V::lanes) {
    const int64_t c1 = std::min<int64_t>(c0 + V::lanes, channels);
    for (int64_t c = c0; c < c1; ++c) {
      std::fill(turned + c * width, turned + c * width + begin, Scalar(0));
      std::fill(turned + c * width + end, turned + (c + 1) * width, Scalar(0));
    }
    int64_t w = begin;
#ifdef TFFLOW_TURNS_IN_REGISTERS
    for (; c0 + V::lanes <= channels && w + V::lanes <= end; w += V::lanes) {
      typename V::Type square[V::lanes];
      for (int i = 0; i < V::lanes; ++i) square[i] = V::load(pixel(w + i) + c0);
      turn_square<V>(square);
      for (int i = 0; i < V::lanes; ++i) V::store(turned + (c0 + i) * width + w, square[i]);
    }
#endif
    for (; w < end; ++w) {
      for (int64_t c = c0; c < c1; ++c) turned[c * width + w] = pixel(w)[c];
    }
  }
}

// result[r][t][w] = scale · Σ_c pixels[t][c] · columns[r][c][w], for `rows` r that lie `next`
// apart, `outputs` t and `vectors` of w.
template <class Scalar, int rows, int outputs, int vectors>
TFFLOW_INLINE void multiply(const Scalar* const* pixels, const Scalar* columns, int64_t next,
                            int64_t width, int64_t channels, Scalar scale, Scalar* result,
                            int64_t window) {
  using V = Vector<Scalar>;
  constexpr int all = rows * vectors;
  typename V::Type sums[outputs][all] = {};
  const Scalar* starts[all];
  for (int v = 0; v < all; ++v) starts[v] = columns + v / vectors * next + v % vectors * V::lanes;
  for (int64_t c = 0, at = 0; c < channels; ++c, at += width) {
    for (int v = 0; v < all; ++v) {
      const typename V::Type column = V::load(starts[v] + at);
      for (int t = 0; t < outputs; ++t) sums[t][v] += pixels[t][c] * column;
    }
  }
  for (int t = 0; t < outputs; ++t) {
    for (int v = 0; v < all; ++v) {
      V::store(result + (v / vectors * outputs + t) * window + v % vectors * V::lanes,
               scale * sums[t][v]);
    }
  }
}

// The same for a whole window.
template <class Scalar, int rows, int outputs>
void multiply_window(const Scalar* const* pixels, const Scalar* columns, int64_t next,
                     int64_t width, int64_t channels, Scalar scale, Scalar* result,
                     int64_t window) {
  constexpr int lanes = Vector<Scalar>::lanes;
  constexpr int vectors = rows == 1 ? kForwardVectors : 1;
  int64_t w = 0;
  for (; w + vectors * lanes <= window; w += vectors * lanes) {
    multiply<Scalar, rows, outputs, vectors>(pixels, columns + w, next, width, channels, scale,
                                             result + w, window);
  }
  for (; w < window; w += lanes) {
    multiply<Scalar, rows, outputs, 1>(pixels, columns + w, next, width, channels, scale,
                                       result + w, window);
  }
}

// Copies a band to its place. In whole vectors: what is written too much comes to lie where the
// displacements after it are written later, but for the pixel's last ones, `left` of them.
template <class Scalar>
TFFLOW_INLINE void put(Scalar* to, const Scalar* band, int64_t span, int64_t left) {
  using V = Vector<Scalar>;
  if (rounded_up(span, V::lanes) > left) {
    for (int64_t i = 0; i < span; ++i) to[i] = band[i];
  } else {
    for (int64_t i = 0; i < span; i += V::lanes) V::store(to + i, V::load(band + i));
  }
}

// A row of outputs, and what it is made from.
template <class Scalar>
struct Row {
  const Correlation& shape;
  const Layout<Scalar>& layout;
  const Lattice& lattice;  // of the row's position
  int64_t jy;              // the row within it
  const Scalar* first;     // the row of `first` that it looks at; null outside of the image
  const Scalar* turned;    // all rows of `second`, turned over
  const Scalar* zeros;
  Scalar* band;
  Scalar* output;
};

// The outputs from `j` on, `outputs` of them, of one lattice of columns.
template <class Scalar, int outputs>
void block(const Row<Scalar>& row, const Turned<Scalar>& columns, int64_t j) {
  const Correlation& shape = row.shape;
  const Lattice &lattice = columns.lattice, &rows = row.lattice;
  const int64_t span = shape.span(), displacements = shape.displacements();
  const int64_t window = row.layout.window, row_size = row.layout.row_size;
  const Scalar scale = static_cast<Scalar>(shape.scale());
  const Scalar* pixels[outputs];
  for (int t = 0; t < outputs; ++t) {
    const int64_t u = lattice.looks_at(j + t);
    const bool inside = row.first && in_range(u, lattice.pixels);
    pixels[t] = inside ? row.first + lattice.pixel(u) * shape.channels : row.zeros;
  }
  const auto put_row = [&](int64_t iy, const Scalar* values, int64_t next) {
    for (int t = 0; t < outputs; ++t) {
      Scalar* pixel = row.output + lattice.output(j + t) * displacements;
      put(pixel + iy * span, values + t * next, span, displacements - iy * span);
    }
  };
  const int64_t uy0 = rows.looks_at(row.jy) - shape.radius();
  const int64_t begin = row.first ? std::clamp<int64_t>(-uy0, 0, span) : span;
  const int64_t end = row.first ? std::clamp<int64_t>(rows.pixels - uy0, begin, span) : span;
  for (int64_t iy = 0; iy < begin; ++iy) put_row(iy, row.zeros, 0);
  for (int64_t iy = begin; iy < end;) {
    const Scalar* second =
        row.turned + rows.pixel(uy0 + iy) * row_size + columns.offset + lattice.stride * j;
    const int64_t next = rows.step * row_size;
    // A window of one vector leaves registers for several rows.
    const bool is_narrow = window == Vector<Scalar>::lanes;
    const int together = is_narrow && iy + kForwardVectors <= end ? kForwardVectors : 1;
    const auto multiply_rows = together == 1 ? multiply_window<Scalar, 1, outputs>
                                             : multiply_window<Scalar, kForwardVectors, outputs>;
    multiply_rows(pixels, second, next, columns.width, shape.channels, scale, row.band, window);
    for (int r = 0; r < together; ++r, ++iy) {
      put_row(iy, row.band + r * outputs * window, lattice.stride + window);
    }
  }
  for (int64_t iy = end; iy < span; ++iy) put_row(iy, row.zeros, 0);
}

// All outputs of a lattice of columns.
template <class Scalar>
void blocks(const Row<Scalar>& row, const Turned<Scalar>& columns) {
  const int64_t outputs = columns.lattice.outputs;
  // The last block reaches back over outputs that are there already: they come out alike.
  for (int64_t j = 0; outputs >= kForward && j < outputs; j += kForward) {
    block<Scalar, kForward>(row, columns, std::min(j, outputs - kForward));
  }
  for (int64_t j = 0; outputs < kForward && j < outputs; ++j) block<Scalar, 1>(row, columns, j);
}

// Zeros as long as a pixel and as a band, and more than the latter by a vector.
template <class Scalar>
int64_t zeros_needed(const Correlation& shape) {
  return std::max(shape.channels, shape.span() + Vector<Scalar>::lanes);
}

}  // namespace

template <class Scalar>
int64_t products_workspace(const Correlation& shape) {
  return shape.batch * shape.height * layout_of<Scalar>(shape).row_size +
         zeros_needed<Scalar>(shape);
}

template <class Scalar>
std::vector<Pass> products(const Correlation& shape, const Scalar* first, const Scalar* second,
                           Scalar* output, Scalar* workspace) {
  const auto layout = std::make_shared<const Layout<Scalar>>(layout_of<Scalar>(shape));
  const int64_t height = shape.height, row = shape.width * shape.channels;
  Scalar* turned = workspace;
  Scalar* zeros = workspace + shape.batch * height * layout->row_size;
  std::fill_n(zeros, zeros_needed<Scalar>(shape), Scalar(0));

  Pass turning{shape.batch * height, layout->row_size, [=](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   for (const auto& columns : layout->columns) {
                     turn_over(shape, columns, second + i * row,
                               turned + i * layout->row_size + columns.offset);
                   }
                 }
               }};

  const int64_t output_height = shape.output_height(), displacements = shape.displacements();
  const int64_t cost = layout->outputs * displacements * (shape.channels / 16 + 1);
  Pass multiplying{
      shape.batch * output_height, cost, [=](int64_t begin, int64_t end) {
        // A vector more: the last band is read in whole vectors.
        const int64_t rows_at_once = kForwardVectors;
        std::vector<Scalar> band(rows_at_once * kForward * layout->window +
                                 Vector<Scalar>::lanes);
        for (int64_t i = begin; i < end; ++i) {
          const int64_t b = i / output_height, y = i % output_height;
          const int64_t y1 = shape.position(y), step = shape.displacement_stride;
          const Lattice& lattice = layout->rows[(y1 % step + step) % step];
          const Row<Scalar> outputs{
              shape,
              *layout,
              lattice,
              (y - lattice.first_output) / lattice.output_step,
              in_range(y1, height) ? first + (b * height + y1) * row : nullptr,
              turned + b * height * layout->row_size,
              zeros,
              band.data(),
              output + i * layout->outputs * displacements};
          for (const auto& columns : layout->columns) {
            blocks(outputs, columns);
          }
        }
      }};
  return {turning, multiplying};
}

#define TFFLOW_INSTANTIATE(Scalar)                                                           \
  template int64_t products_workspace<Scalar>(const Correlation&);                           \
  template std::vector<Pass> products(const Correlation&, const Scalar*, const Scalar*, Scalar*, \
                                      Scalar*);
TFFLOW_INSTANTIATE(float)
TFFLOW_INSTANTIATE(double)

}  // namespace tfflow
