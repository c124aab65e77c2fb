// Backward warping on the CPU, forward and backward. shapes.h says what is computed.
#ifndef TFFLOW_NATIVE_WARP_H_
#define TFFLOW_NATIVE_WARP_H_

#include <vector>

#include "pass.h"
#include "shapes.h"

namespace tfflow {

// Fills `warped`, and `mask` unless it is null. Scalar is float or double; `zeros` is scratch
// memory for shape.channels of them.
template <class Scalar>
std::vector<Pass> warp_forward(const Warp& shape, const Scalar* image, const Scalar* flow,
                               Scalar* warped, Scalar* mask, Scalar* zeros);

// Integers of scratch memory that warp_backward needs.
int64_t warp_backward_workspace(const Warp& shape);

// Fills `image_gradient` and `flow_gradient`; either may be null if nobody wants it.
template <class Scalar>
std::vector<Pass> warp_backward(const Warp& shape, const Scalar* image, const Scalar* flow,
                                const Scalar* upstream, Scalar* image_gradient,
                                Scalar* flow_gradient, Scalar* zeros, int64_t* workspace);

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_WARP_H_
