// Displacements of `displacement_stride` pixels never leave the lattice of every
// displacement_stride-th pixel, so a correlation is several that have nothing to do with each
// other, one for each lattice. Within one, displacements are whole: -radius … radius.
#ifndef TFFLOW_NATIVE_LATTICE_H_
#define TFFLOW_NATIVE_LATTICE_H_

#include <numeric>
#include <vector>

#include "shapes.h"

namespace tfflow {

// One lattice along one axis: the pixels on it, and the outputs that look at them.
struct Lattice {
  int64_t first = 0, step = 1, pixels = 0;              // pixel u is at first + step · u
  int64_t first_output = 0, output_step = 1, outputs = 0;  // output j is first_output + step · j
  int64_t start = 0, stride = 1;                        // output j looks at start + stride · j

  int64_t pixel(int64_t u) const { return first + step * u; }
  int64_t output(int64_t j) const { return first_output + output_step * j; }
  int64_t looks_at(int64_t j) const { return start + stride * j; }

  // The output that looks at lattice pixel u, or -1.
  int64_t output_at(int64_t u) const {
    const int64_t offset = u - start;
    if (offset < 0 || offset % stride || offset / stride >= outputs) return -1;
    return offset / stride;
  }

  // The first output that looks at a pixel >= u; `outputs` if there is none.
  int64_t first_looking_from(int64_t u) const {
    const int64_t offset = u - start;
    const int64_t j = offset <= 0 ? 0 : (offset + stride - 1) / stride;
    return j < outputs ? j : outputs;
  }
};

// The lattices along an axis of `size` pixels, by the residue of their pixels. No outputs look at
// some of them where stride and displacement_stride have a common factor.
inline std::vector<Lattice> lattices(const Correlation& shape, int64_t size) {
  const int64_t step = shape.displacement_stride;
  const int64_t period = step / std::gcd(step, shape.stride);
  std::vector<Lattice> all(step);
  for (int64_t residue = 0; residue < step; ++residue) {
    all[residue].first = residue;
    all[residue].step = step;
    all[residue].pixels = residue < size ? (size - residue + step - 1) / step : 0;
  }
  const int64_t outputs = shape.output_size(size);
  for (int64_t first = 0; first < period && first < outputs; ++first) {
    const int64_t position = shape.position(first);
    const int64_t residue = (position % step + step) % step;
    Lattice& lattice = all[residue];
    lattice.first_output = first;
    lattice.output_step = period;
    lattice.outputs = (outputs - first + period - 1) / period;
    lattice.start = (position - residue) / step;
    lattice.stride = shape.stride * period / step;
  }
  return all;
}

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_LATTICE_H_
