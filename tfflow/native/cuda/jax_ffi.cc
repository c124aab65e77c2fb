// The launchers as JAX's foreign functions: checks of what came, and nothing else.
//
// jax_ops.py builds this, registers it and calls it. With TFFLOW_EMULATED the tests build it for
// JAX on the CPU, where there is no stream and launch.h is a set of loops.
#include <algorithm>
#include <string>

#include "launch.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace {

#if defined(TFFLOW_EMULATED)
struct Stream {};
#else
using Stream = ffi::PlatformStream<cudaStream_t>;
#endif

}  // namespace

#if defined(TFFLOW_EMULATED)
template <>
struct ffi::CtxDecoding<Stream> {
  using Type = cudaStream_t;
  static std::optional<Type> Decode(const XLA_FFI_Api*, XLA_FFI_ExecutionContext*,
                                    DiagnosticEngine&) {
    return nullptr;
  }
};
#endif

namespace {

using tfflow::Correlation;
using tfflow::Warp;
using tfflow::cuda::Type;
using Array = ffi::AnyBuffer;
using Result = ffi::Result<ffi::AnyBuffer>;

ffi::Error as_error(cudaError_t error) {
  if (error == cudaSuccess) return ffi::Error::Success();
  return ffi::Error::Internal(std::string("tfflow's CUDA kernel: ") + cudaGetErrorString(error));
}

ffi::Error mismatch() {
  return ffi::Error::InvalidArgument("tfflow: the arrays' shapes or types do not fit together.");
}

bool type_of(const Array& array, Type* type) {
  switch (array.element_type()) {
    case ffi::F32:
      *type = Type::kFloat32;
      return true;
    case ffi::F16:
      *type = Type::kFloat16;
      return true;
    case ffi::BF16:
      *type = Type::kBFloat16;
      return true;
    default:
      return false;
  }
}

bool has(const Array& array, ffi::DataType type, std::initializer_list<int64_t> shape) {
  const auto found = array.dimensions();
  return array.element_type() == type && found.size() == shape.size() &&
         std::equal(shape.begin(), shape.end(), found.begin());
}

// A correlation's shape from its first map and its settings; false where the other arrays differ.
bool describe(const Array& first, const Array& second, const Array& cost, Correlation* shape) {
  const auto sizes = first.dimensions();
  if (sizes.size() != 4 || shape->kernel_size < 1 || shape->kernel_size % 2 == 0 ||
      shape->max_displacement < 0 || shape->stride < 1 || shape->displacement_stride < 1) {
    return false;
  }
  shape->batch = sizes[0], shape->height = sizes[1];
  shape->width = sizes[2], shape->channels = sizes[3];
  return has(second, first.element_type(), {sizes[0], sizes[1], sizes[2], sizes[3]}) &&
         has(cost, first.element_type(),
             {sizes[0], shape->output_height(), shape->output_width(), shape->displacements()});
}

Correlation settings(int64_t kernel_size, int64_t max_displacement, int64_t stride,
                     int64_t displacement_stride, int64_t padding, int64_t origin, bool normalise) {
  Correlation shape{};
  shape.kernel_size = kernel_size, shape.max_displacement = max_displacement;
  shape.stride = stride, shape.displacement_stride = displacement_stride;
  shape.padding = padding, shape.origin = origin, shape.normalise = normalise;
  return shape;
}

ffi::Error correlation(cudaStream_t stream, Array first, Array second, Result cost,
                       int64_t kernel_size, int64_t max_displacement, int64_t stride,
                       int64_t displacement_stride, int64_t padding, int64_t origin,
                       bool normalise) {
  Correlation shape = settings(kernel_size, max_displacement, stride, displacement_stride, padding,
                               origin, normalise);
  Type type;
  if (!type_of(first, &type) || !describe(first, second, *cost, &shape)) return mismatch();
  return as_error(tfflow::cuda::correlation_forward(shape, type, first.untyped_data(),
                                                    second.untyped_data(), cost->untyped_data(),
                                                    stream));
}

ffi::Error correlation_gradients(cudaStream_t stream, Array upstream, Array first, Array second,
                                 Result of_first, Result of_second, int64_t kernel_size,
                                 int64_t max_displacement, int64_t stride,
                                 int64_t displacement_stride, int64_t padding, int64_t origin,
                                 bool normalise) {
  Correlation shape = settings(kernel_size, max_displacement, stride, displacement_stride, padding,
                               origin, normalise);
  Type type;
  if (!type_of(first, &type) || !describe(first, second, upstream, &shape) ||
      !describe(first, *of_first, upstream, &shape) ||
      !describe(first, *of_second, upstream, &shape)) {
    return mismatch();
  }
  return as_error(tfflow::cuda::correlation_backward(
      shape, type, upstream.untyped_data(), first.untyped_data(), second.untyped_data(),
      of_first->untyped_data(), of_second->untyped_data(), stream));
}

// A warp's shape from its image; false where the other arrays differ from what it makes of them.
bool describe(const Array& image, const Array& alike, const Array& flow, Warp* shape) {
  const auto sizes = image.dimensions();
  if (sizes.size() != 4) return false;
  shape->batch = sizes[0], shape->height = sizes[1];
  shape->width = sizes[2], shape->channels = sizes[3];
  return has(alike, image.element_type(), {sizes[0], sizes[1], sizes[2], sizes[3]}) &&
         has(flow, ffi::F32, {sizes[0], sizes[1], sizes[2], 2});
}

Warp settings(bool repeat_border, bool masked, float mask_threshold) {
  Warp shape{};
  shape.border = repeat_border ? tfflow::Border::kRepeat : tfflow::Border::kZeros;
  shape.masked = masked, shape.mask_threshold = mask_threshold;
  return shape;
}

ffi::Error warp(cudaStream_t stream, Array image, Array flow, Result warped, Result mask,
                bool repeat_border, bool masked, float mask_threshold) {
  Warp shape = settings(repeat_border, masked, mask_threshold);
  Type type;
  if (!type_of(image, &type) || !describe(image, *warped, flow, &shape) ||
      !has(*mask, image.element_type(), {shape.batch, shape.height, shape.width, 1})) {
    return mismatch();
  }
  return as_error(tfflow::cuda::warp_forward(shape, type, image.untyped_data(),
                                             flow.typed_data<float>(), warped->untyped_data(),
                                             mask->untyped_data(), stream));
}

ffi::Error warp_gradients(cudaStream_t stream, Array upstream, Array image, Array flow,
                          Result of_image, Result of_flow, Result workspace, bool repeat_border,
                          bool masked, float mask_threshold, bool deterministic) {
  Warp shape = settings(repeat_border, masked, mask_threshold);
  const auto scatter = deterministic ? tfflow::cuda::Scatter::kFixedPoint
                                     : tfflow::cuda::Scatter::kAtomic;
  Type type;
  if (!type_of(image, &type) || !describe(image, upstream, flow, &shape) ||
      !describe(image, *of_image, *of_flow, &shape) ||
      workspace->size_bytes() < tfflow::cuda::warp_workspace_bytes(shape, type, scatter)) {
    return mismatch();
  }
  return as_error(tfflow::cuda::warp_backward(
      shape, type, scatter, upstream.untyped_data(), image.untyped_data(),
      flow.typed_data<float>(), of_image->untyped_data(), of_flow->typed_data<float>(),
      workspace->untyped_data(), stream));
}

template <typename Binding>
auto with_correlation_settings(Binding binding) {
  return std::move(binding)
      .template Attr<int64_t>("kernel_size")
      .template Attr<int64_t>("max_displacement")
      .template Attr<int64_t>("stride")
      .template Attr<int64_t>("displacement_stride")
      .template Attr<int64_t>("padding")
      .template Attr<int64_t>("origin")
      .template Attr<bool>("normalise");
}

template <typename Binding>
auto with_warp_settings(Binding binding) {
  return std::move(binding)
      .template Attr<bool>("repeat_border")
      .template Attr<bool>("masked")
      .template Attr<float>("mask_threshold");
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    tfflow_correlation, correlation,
    with_correlation_settings(
        ffi::Ffi::Bind().Ctx<Stream>().Arg<Array>().Arg<Array>().Ret<Array>()));

XLA_FFI_DEFINE_HANDLER_SYMBOL(tfflow_correlation_gradients, correlation_gradients,
                              with_correlation_settings(ffi::Ffi::Bind()
                                                            .Ctx<Stream>()
                                                            .Arg<Array>()
                                                            .Arg<Array>()
                                                            .Arg<Array>()
                                                            .Ret<Array>()
                                                            .Ret<Array>()));

XLA_FFI_DEFINE_HANDLER_SYMBOL(tfflow_warp, warp,
                              with_warp_settings(ffi::Ffi::Bind()
                                                     .Ctx<Stream>()
                                                     .Arg<Array>()
                                                     .Arg<Array>()
                                                     .Ret<Array>()
                                                     .Ret<Array>()));

XLA_FFI_DEFINE_HANDLER_SYMBOL(tfflow_warp_gradients, warp_gradients,
                              with_warp_settings(ffi::Ffi::Bind()
                                                     .Ctx<Stream>()
                                                     .Arg<Array>()
                                                     .Arg<Array>()
                                                     .Arg<Array>()
                                                     .Ret<Array>()
                                                     .Ret<Array>()
                                                     .Ret<Array>())
                                  .Attr<bool>("deterministic"));
