// Correlation on the CPU, forward and backward. shapes.h says what is computed.
#ifndef TFFLOW_NATIVE_CORRELATION_H_
#define TFFLOW_NATIVE_CORRELATION_H_

#include <vector>

#include "pass.h"
#include "shapes.h"

namespace tfflow {

// Scalars of scratch memory that the passes need; they share it, so it lives until the last.
template <class Scalar>
int64_t correlation_forward_workspace(const Correlation& shape);
template <class Scalar>
int64_t correlation_backward_workspace(const Correlation& shape);

// Fills `output`. Scalar is float or double.
template <class Scalar>
std::vector<Pass> correlation_forward(const Correlation& shape, const Scalar* first,
                                      const Scalar* second, Scalar* output, Scalar* workspace);

// Fills `first_gradient` and `second_gradient`; either may be null if nobody wants it.
template <class Scalar>
std::vector<Pass> correlation_backward(const Correlation& shape, const Scalar* first,
                                       const Scalar* second, const Scalar* upstream,
                                       Scalar* first_gradient, Scalar* second_gradient,
                                       Scalar* workspace);

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_CORRELATION_H_
