// From TensorFlow's attributes and tensors to shapes.h, with every check: whatever a caller passes,
// a kernel sees sizes that fit each other. Shared by the CPU's ops and the GPU's.
#ifndef TFFLOW_NATIVE_OP_SHAPES_H_
#define TFFLOW_NATIVE_OP_SHAPES_H_

#include <algorithm>
#include <string>

#include "shapes.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace tfflow {

// Sums of products of a few of them stay within 64 bits.
constexpr int64_t kLargestAttribute = int64_t{1} << 20;
constexpr double kMostElements = 1e12;

inline absl::Status checked(bool good, const std::string& expected) {
  return good ? absl::OkStatus() : absl::InvalidArgumentError(expected);
}

inline absl::Status number(tensorflow::OpKernelConstruction* context, const char* name,
                           int64_t least, int64_t* value) {
  TF_RETURN_IF_ERROR(context->GetAttr(name, value));
  return checked(*value >= least && *value <= kLargestAttribute,
                 std::string(name) + " must be from " + std::to_string(least) + " to " +
                     std::to_string(kLargestAttribute) + "; got " + std::to_string(*value) + ".");
}

inline absl::Status correlation_attributes(tensorflow::OpKernelConstruction* context,
                                           Correlation* shape) {
  TF_RETURN_IF_ERROR(number(context, "kernel_size", 1, &shape->kernel_size));
  TF_RETURN_IF_ERROR(number(context, "max_displacement", 0, &shape->max_displacement));
  TF_RETURN_IF_ERROR(number(context, "stride", 1, &shape->stride));
  TF_RETURN_IF_ERROR(number(context, "displacement_stride", 1, &shape->displacement_stride));
  TF_RETURN_IF_ERROR(number(context, "padding", 0, &shape->padding));
  TF_RETURN_IF_ERROR(number(context, "origin", -kLargestAttribute, &shape->origin));
  TF_RETURN_IF_ERROR(context->GetAttr("normalise", &shape->normalise));
  return checked(shape->kernel_size % 2 == 1, "kernel_size must be odd; got " +
                                                  std::to_string(shape->kernel_size) + ".");
}

// The shape of a TensorFlow shape that may turn out too large.
inline absl::Status shape_of(const int64_t (&sizes)[4], tensorflow::TensorShape* shape) {
  return tensorflow::TensorShape::BuildTensorShape(absl::Span<const int64_t>(sizes, 4), shape);
}

inline absl::Status correlation_inputs(const tensorflow::Tensor& first,
                                       const tensorflow::Tensor& second, Correlation* shape,
                                       tensorflow::TensorShape* output) {
  TF_RETURN_IF_ERROR(
      checked(first.dims() == 4 && first.shape() == second.shape(),
              "correlation expects two feature maps of one shape (B, H, W, C); got " +
                  first.shape().DebugString() + " and " + second.shape().DebugString() + "."));
  shape->batch = first.dim_size(0);
  shape->height = first.dim_size(1);
  shape->width = first.dim_size(2);
  shape->channels = first.dim_size(3);
  const double span = static_cast<double>(shape->span());
  const double pixels = static_cast<double>(shape->batch) * static_cast<double>(shape->height);
  const double line = static_cast<double>(shape->width + shape->output_width()) +
                      shape->displacement_stride * (span + 1024 * shape->stride);
  const double largest =
      std::max(pixels * line * (shape->channels + 1), pixels * shape->width * span * span);
  TF_RETURN_IF_ERROR(checked(largest < kMostElements,
                             "correlation of " + first.shape().DebugString() +
                                 " with a max_displacement of " +
                                 std::to_string(shape->max_displacement) +
                                 " has too many elements for any memory."));
  return shape_of({shape->batch, shape->output_height(), shape->output_width(),
                   shape->displacements()},
                  output);
}

inline absl::Status warp_attributes(tensorflow::OpKernelConstruction* context, Warp* shape) {
  std::string border;
  TF_RETURN_IF_ERROR(context->GetAttr("border", &border));
  shape->border = border == "border" ? Border::kRepeat : Border::kZeros;
  TF_RETURN_IF_ERROR(context->GetAttr("masked", &shape->masked));
  return context->GetAttr("mask_threshold", &shape->mask_threshold);
}

inline absl::Status warp_inputs(const tensorflow::Tensor& image, const tensorflow::Tensor& flow,
                                Warp* shape) {
  bool fit = image.dims() == 4 && flow.dims() == 4 && flow.dim_size(3) == 2;
  for (int axis = 0; fit && axis < 3; ++axis) fit = image.dim_size(axis) == flow.dim_size(axis);
  TF_RETURN_IF_ERROR(
      checked(fit, "warp expects an image (B, H, W, C) and a flow (B, H, W, 2); got " +
                       image.shape().DebugString() + " and " + flow.shape().DebugString() + "."));
  shape->batch = image.dim_size(0);
  shape->height = image.dim_size(1);
  shape->width = image.dim_size(2);
  shape->channels = image.dim_size(3);
  return absl::OkStatus();
}

inline absl::Status same_shape(const tensorflow::Tensor& upstream,
                               const tensorflow::TensorShape& output) {
  return checked(upstream.shape() == output,
                 "the upstream gradient must have the output's shape, " + output.DebugString() +
                     "; got " + upstream.shape().DebugString() + ".");
}

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_OP_SHAPES_H_
