// The two halves of correlation.cc for patches of one pixel: everything else is put together from
// them there.
#ifndef TFFLOW_NATIVE_CORRELATION_INNER_H_
#define TFFLOW_NATIVE_CORRELATION_INNER_H_

#include <vector>

#include "pass.h"
#include "shapes.h"

namespace tfflow {

template <class Scalar>
int64_t products_workspace(const Correlation& shape);

// Every product of two pixels: `output` of a shape whose kernel_size is 1.
template <class Scalar>
std::vector<Pass> products(const Correlation& shape, const Scalar* first, const Scalar* second,
                           Scalar* output, Scalar* workspace);

// Their gradients, each one pass.
template <class Scalar>
Pass products_first_gradient(const Correlation& shape, const Scalar* second,
                             const Scalar* upstream, Scalar* gradient);
template <class Scalar>
Pass products_second_gradient(const Correlation& shape, const Scalar* first,
                              const Scalar* upstream, Scalar* gradient);

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_CORRELATION_INNER_H_
