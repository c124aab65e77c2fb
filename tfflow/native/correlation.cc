// Correlation for patches of any size. With patches of one pixel it is the products of pixels; with
// larger ones, products are made for every pixel first, and an output is the sum of those in its
// patch: kernel_size² times less work than multiplying patch by patch.
#include "correlation.h"

#include <algorithm>
#include <numeric>

#include "correlation_inner.h"

namespace tfflow {
namespace {

// Every pixel of `first` with every displacement: output pixels are the image's.
Correlation of_all_pixels(Correlation shape) {
  shape.kernel_size = 1;
  shape.stride = 1;
  shape.padding = shape.max_displacement;
  shape.origin = 0;
  shape.normalise = false;
  return shape;
}

// The outputs or pixels begin … end - 1 along an axis.
struct Range {
  int64_t begin, end;
};

Range pixels_of(const Correlation& shape, int64_t output, int64_t size) {
  const int64_t middle = shape.position(output), reach = shape.patch_radius();
  return {std::max<int64_t>(middle - reach, 0), std::min(middle + reach + 1, size)};
}

Range outputs_of(const Correlation& shape, int64_t pixel, int64_t size) {
  const int64_t begin = pixel - shape.patch_radius() - shape.origin;
  const int64_t end = pixel + shape.patch_radius() - shape.origin;
  if (end < 0) return {0, 0};
  const int64_t first = begin <= 0 ? 0 : (begin + shape.stride - 1) / shape.stride;
  return {first, std::min(end / shape.stride + 1, shape.output_size(size))};
}

// sums[y, x] = scale · the sum of terms[r, s] over the r in range(y, …) and s in range(x, …).
struct Sizes {
  int64_t batch, height, width, terms_height, terms_width, range_height, range_width;
};

template <class Scalar, class RangeOf>
Pass add_up(const Correlation& shape, const Sizes& sizes, RangeOf range, const Scalar* terms,
            Scalar* sums) {
  const int64_t n = shape.displacements();
  const Scalar scale = static_cast<Scalar>(shape.scale());
  auto run = [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Range rows = range(shape, i % sizes.height, sizes.range_height);
      const Scalar* image = terms + i / sizes.height * sizes.terms_height * sizes.terms_width * n;
      for (int64_t x = 0; x < sizes.width; ++x) {
        const Range columns = range(shape, x, sizes.range_width);
        Scalar* sum = sums + (i * sizes.width + x) * n;
        std::fill_n(sum, n, Scalar(0));
        for (int64_t r = rows.begin; r < rows.end; ++r) {
          for (int64_t s = columns.begin; s < columns.end; ++s) {
            const Scalar* term = image + (r * sizes.terms_width + s) * n;
            for (int64_t k = 0; k < n; ++k) sum[k] += term[k];
          }
        }
        for (int64_t k = 0; k < n; ++k) sum[k] *= scale;
      }
    }
  };
  const int64_t patch = shape.kernel_size * shape.kernel_size;
  return {sizes.batch * sizes.height, sizes.width * n * patch / 4 + 1, run};
}

template <class Scalar>
Pass sums_over_patches(const Correlation& shape, const Scalar* products, Scalar* output) {
  const Sizes sizes{shape.batch,  shape.output_height(), shape.output_width(), shape.height,
                    shape.width,  shape.height,          shape.width};
  return add_up(shape, sizes, pixels_of, products, output);
}

template <class Scalar>
Pass spread_over_patches(const Correlation& shape, const Scalar* upstream, Scalar* spread) {
  const Sizes sizes{shape.batch,           shape.height, shape.width, shape.output_height(),
                    shape.output_width(),  shape.height, shape.width};
  return add_up(shape, sizes, outputs_of, upstream, spread);
}

// A displacement stride that is larger than the largest displacement is never taken: it need not
// be larger than by one.
Correlation simplified(Correlation shape) {
  if (shape.radius() == 0) shape.displacement_stride = shape.max_displacement + 1;
  return shape;
}

}  // namespace

template <class Scalar>
int64_t correlation_forward_workspace(const Correlation& given) {
  const Correlation shape = simplified(given);
  if (shape.kernel_size == 1) return products_workspace<Scalar>(shape);
  const Correlation all = of_all_pixels(shape);
  return products_workspace<Scalar>(all) + all.output_elements();
}

template <class Scalar>
int64_t correlation_backward_workspace(const Correlation& given) {
  const Correlation shape = simplified(given);
  return shape.kernel_size == 1 ? 0 : of_all_pixels(shape).output_elements();
}

template <class Scalar>
std::vector<Pass> correlation_forward(const Correlation& given, const Scalar* first,
                                      const Scalar* second, Scalar* output, Scalar* workspace) {
  const Correlation shape = simplified(given);
  if (shape.kernel_size == 1) return products(shape, first, second, output, workspace);
  const Correlation all = of_all_pixels(shape);
  Scalar* values = workspace;
  auto passes = products(all, first, second, values, workspace + all.output_elements());
  passes.push_back(sums_over_patches<Scalar>(shape, values, output));
  return passes;
}

template <class Scalar>
std::vector<Pass> correlation_backward(const Correlation& given, const Scalar* first,
                                       const Scalar* second, const Scalar* upstream,
                                       Scalar* first_gradient, Scalar* second_gradient,
                                       Scalar* workspace) {
  Correlation shape = simplified(given);
  std::vector<Pass> passes;
  if (shape.kernel_size > 1) {
    passes.push_back(spread_over_patches<Scalar>(shape, upstream, workspace));
    upstream = workspace;
    shape = of_all_pixels(shape);
  }
  if (first_gradient) {
    passes.push_back(products_first_gradient(shape, second, upstream, first_gradient));
  }
  if (second_gradient) {
    passes.push_back(products_second_gradient(shape, first, upstream, second_gradient));
  }
  return passes;
}

#define TFFLOW_INSTANTIATE(Scalar)                                                               \
  template int64_t correlation_forward_workspace<Scalar>(const Correlation&);                    \
  template int64_t correlation_backward_workspace<Scalar>(const Correlation&);                   \
  template std::vector<Pass> correlation_forward(const Correlation&, const Scalar*,              \
                                                 const Scalar*, Scalar*, Scalar*);               \
  template std::vector<Pass> correlation_backward(const Correlation&, const Scalar*,             \
                                                  const Scalar*, const Scalar*, Scalar*, Scalar*, \
                                                  Scalar*);
TFFLOW_INSTANTIATE(float)
TFFLOW_INSTANTIATE(double)

}  // namespace tfflow
