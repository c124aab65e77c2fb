// Choices of a caller, without CUDA's or any framework's headers.
#pragma once

namespace tfflow {
namespace cuda {

enum class Type { kFloat32, kFloat16, kBFloat16 };

// How the gradients of the pixels that sample the same one are added up.
//
// kAtomic adds them as they come: fast, and from run to run different in the last bits, as float32
// sums in another order are. kFixedPoint adds 64-bit integers, whose sum has no order: with one
// unit 2^-62 of the largest possible sum, it is exact to 2^-42 of the largest upstream gradient for
// an image of a million pixels. Where an upstream gradient isn't finite, all of the image's are
// NaN. It takes 8 bytes an element of workspace and two passes more.
enum class Scatter { kAtomic, kFixedPoint };

}  // namespace cuda
}  // namespace tfflow
