// The TensorFlow ops: their definitions, and their kernels for the CPU.
//
// Half precision is computed in float here, through copies. It is for ops that were meant for a GPU
// (cuda/register_gpu.cc) and that TensorFlow places on the CPU all the same, because a scope around
// a function or a caller of the graph says so: such an op must not lack a kernel.
#include <type_traits>

#include "correlation.h"
#include "op_shapes.h"
#include "scratch.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/threadpool.h"
#include "warp.h"

namespace tfflow {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

absl::Status infer_correlation(InferenceContext* context) {
  ShapeHandle map;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &map));
  TF_RETURN_IF_ERROR(context->Merge(map, context->input(1), &map));
  Correlation shape{};
  TF_RETURN_IF_ERROR(context->GetAttr("kernel_size", &shape.kernel_size));
  TF_RETURN_IF_ERROR(context->GetAttr("max_displacement", &shape.max_displacement));
  TF_RETURN_IF_ERROR(context->GetAttr("stride", &shape.stride));
  TF_RETURN_IF_ERROR(context->GetAttr("displacement_stride", &shape.displacement_stride));
  TF_RETURN_IF_ERROR(context->GetAttr("padding", &shape.padding));
  // The kernel says what is wrong with them; here nothing may be divided by 0.
  if (shape.stride < 1 || shape.displacement_stride < 1 || shape.max_displacement < 0 ||
      shape.max_displacement > kLargestAttribute || shape.padding > kLargestAttribute) {
    context->set_output(0, context->UnknownShapeOfRank(4));
    return absl::OkStatus();
  }
  auto size = [&](int axis) -> DimensionHandle {
    const DimensionHandle known = context->Dim(map, axis);
    if (!context->ValueKnown(known)) return context->UnknownDim();
    return context->MakeDim(shape.output_size(context->Value(known)));
  };
  context->set_output(0, context->MakeShape({context->Dim(map, 0), size(1), size(2),
                                             context->MakeDim(shape.displacements())}));
  return absl::OkStatus();
}

absl::Status infer_warp(InferenceContext* context) {
  ShapeHandle image, flow;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 4, &image));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 4, &flow));
  DimensionHandle sizes[3], two;
  TF_RETURN_IF_ERROR(context->WithValue(context->Dim(flow, 3), 2, &two));
  for (int axis = 0; axis < 3; ++axis) {
    TF_RETURN_IF_ERROR(
        context->Merge(context->Dim(image, axis), context->Dim(flow, axis), &sizes[axis]));
  }
  context->set_output(
      0, context->MakeShape({sizes[0], sizes[1], sizes[2], context->Dim(image, 3)}));
  context->set_output(1, context->MakeShape({sizes[0], sizes[1], sizes[2], context->MakeDim(1)}));
  return absl::OkStatus();
}

// Gradients are shaped like inputs 1 and 2.
absl::Status infer_gradients(InferenceContext* context) {
  context->set_output(0, context->input(1));
  context->set_output(1, context->input(2));
  return absl::OkStatus();
}

#define TFFLOW_CORRELATION_ATTRIBUTES          \
  Attr("T: {half, bfloat16, float, double}")   \
      .Attr("kernel_size: int")                \
      .Attr("max_displacement: int")           \
      .Attr("stride: int")                     \
      .Attr("displacement_stride: int")        \
      .Attr("padding: int")                    \
      .Attr("origin: int")                     \
      .Attr("normalise: bool")

#define TFFLOW_WARP_ATTRIBUTES                 \
  Attr("T: {half, bfloat16, float, double}")   \
      .Attr("F: {float, double}")              \
      .Attr("border: {'zeros', 'border'}")     \
      .Attr("masked: bool")                    \
      .Attr("mask_threshold: float")

REGISTER_OP("TfflowCorrelation")
    .Input("first: T")
    .Input("second: T")
    .Output("output: T")
    .TFFLOW_CORRELATION_ATTRIBUTES.SetShapeFn(infer_correlation);

REGISTER_OP("TfflowCorrelationGradient")
    .Input("upstream: T")
    .Input("first: T")
    .Input("second: T")
    .Output("first_gradient: T")
    .Output("second_gradient: T")
    .TFFLOW_CORRELATION_ATTRIBUTES.SetShapeFn(infer_gradients);

REGISTER_OP("TfflowWarp")
    .Input("image: T")
    .Input("flow: F")
    .Output("warped: T")
    .Output("mask: T")
    .TFFLOW_WARP_ATTRIBUTES.SetShapeFn(infer_warp);

REGISTER_OP("TfflowWarpGradient")
    .Input("upstream: T")
    .Input("image: T")
    .Input("flow: F")
    .Output("image_gradient: T")
    .Output("flow_gradient: F")
    .TFFLOW_WARP_ATTRIBUTES.SetShapeFn(infer_gradients);

void run(OpKernelContext* context, const std::vector<Pass>& passes) {
  auto* workers = context->device()->tensorflow_cpu_worker_threads()->workers;
  for (const Pass& pass : passes) {
    if (pass.units > 0) workers->ParallelFor(pass.units, pass.cost, pass.run);
  }
}

template <class Stored>
using Computed = std::conditional_t<std::is_same<Stored, double>::value, double, float>;

template <class Stored>
constexpr bool kIsCopied = !std::is_same<Stored, Computed<Stored>>::value;

// An input's elements as they are computed with.
template <class Stored>
class Input {
 public:
  absl::Status read(OpKernelContext* context, int index) {
    tensor_ = context->input(index);
    if constexpr (kIsCopied<Stored>) {
      const Tensor given = tensor_;
      TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_FLOAT, given.shape(), &tensor_));
      tensor_.flat<float>() = given.flat<Stored>().template cast<float>();
    }
    return absl::OkStatus();
  }

  const Computed<Stored>* data() const { return tensor_.flat<Computed<Stored>>().data(); }

 private:
  Tensor tensor_;
};

// An output's elements as they are computed; the op's output has them after finish().
template <class Stored>
class Output {
 public:
  absl::Status allocate(OpKernelContext* context, int index, const TensorShape& shape) {
    TF_RETURN_IF_ERROR(context->allocate_output(index, shape, &output_));
    if (!kIsCopied<Stored>) {
      tensor_ = *output_;
      return absl::OkStatus();
    }
    return context->allocate_temp(tensorflow::DT_FLOAT, shape, &tensor_);
  }

  Computed<Stored>* data() { return tensor_.flat<Computed<Stored>>().data(); }

  void finish() {
    if constexpr (kIsCopied<Stored>) {
      output_->flat<Stored>() = tensor_.flat<float>().template cast<Stored>();
    }
  }

 private:
  Tensor tensor_;
  Tensor* output_ = nullptr;
};

absl::Status enough(const Scratch& scratch) {
  if (scratch.data()) return absl::OkStatus();
  return absl::ResourceExhaustedError("no memory left for tfflow's scratch memory");
}

template <class Stored>
class CorrelationOp : public OpKernel {
  using Scalar = Computed<Stored>;

 public:
  explicit CorrelationOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, correlation_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Correlation shape = attributes_;
    TensorShape output_shape;
    OP_REQUIRES_OK(context, correlation_inputs(context->input(0), context->input(1), &shape,
                                               &output_shape));
    Output<Stored> cost;
    OP_REQUIRES_OK(context, cost.allocate(context, 0, output_shape));
    if (output_shape.num_elements() == 0) return;
    Input<Stored> first, second;
    OP_REQUIRES_OK(context, first.read(context, 0));
    OP_REQUIRES_OK(context, second.read(context, 1));
    const Scratch workspace(correlation_forward_workspace<Scalar>(shape) * sizeof(Scalar));
    OP_REQUIRES_OK(context, enough(workspace));
    run(context, correlation_forward(shape, first.data(), second.data(), cost.data(),
                                     static_cast<Scalar*>(workspace.data())));
    cost.finish();
  }

 private:
  Correlation attributes_{};
};

template <class Stored>
class CorrelationGradientOp : public OpKernel {
  using Scalar = Computed<Stored>;

 public:
  explicit CorrelationGradientOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, correlation_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Correlation shape = attributes_;
    TensorShape output_shape;
    const Tensor& map = context->input(1);
    OP_REQUIRES_OK(context, correlation_inputs(map, context->input(2), &shape, &output_shape));
    OP_REQUIRES_OK(context, same_shape(context->input(0), output_shape));
    Output<Stored> of_first, of_second;
    OP_REQUIRES_OK(context, of_first.allocate(context, 0, map.shape()));
    OP_REQUIRES_OK(context, of_second.allocate(context, 1, map.shape()));
    if (map.NumElements() == 0) return;
    Input<Stored> upstream, first, second;
    OP_REQUIRES_OK(context, upstream.read(context, 0));
    OP_REQUIRES_OK(context, first.read(context, 1));
    OP_REQUIRES_OK(context, second.read(context, 2));
    const Scratch workspace(correlation_backward_workspace<Scalar>(shape) * sizeof(Scalar));
    OP_REQUIRES_OK(context, enough(workspace));
    run(context, correlation_backward(shape, first.data(), second.data(), upstream.data(),
                                      of_first.data(), of_second.data(),
                                      static_cast<Scalar*>(workspace.data())));
    of_first.finish();
    of_second.finish();
  }

 private:
  Correlation attributes_{};
};

template <class Stored>
class WarpOp : public OpKernel {
  using Scalar = Computed<Stored>;

 public:
  explicit WarpOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, warp_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Warp shape = attributes_;
    const TensorShape image_shape = context->input(0).shape();
    OP_REQUIRES_OK(context, warp_inputs(context->input(0), context->input(1), &shape));
    TensorShape mask_shape = image_shape;
    mask_shape.set_dim(3, 1);
    Output<Stored> warped, mask;
    OP_REQUIRES_OK(context, warped.allocate(context, 0, image_shape));
    OP_REQUIRES_OK(context, mask.allocate(context, 1, mask_shape));
    if (shape.pixels() == 0) return;
    Input<Stored> image;
    Input<Scalar> flow;
    OP_REQUIRES_OK(context, image.read(context, 0));
    OP_REQUIRES_OK(context, flow.read(context, 1));
    const Scratch zeros(shape.channels * sizeof(Scalar));
    OP_REQUIRES_OK(context, enough(zeros));
    run(context, warp_forward(shape, image.data(), flow.data(), warped.data(), mask.data(),
                              static_cast<Scalar*>(zeros.data())));
    warped.finish();
    mask.finish();
  }

 private:
  Warp attributes_{};
};

template <class Stored>
class WarpGradientOp : public OpKernel {
  using Scalar = Computed<Stored>;

 public:
  explicit WarpGradientOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, warp_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Warp shape = attributes_;
    const TensorShape image_shape = context->input(1).shape();
    OP_REQUIRES_OK(context, warp_inputs(context->input(1), context->input(2), &shape));
    OP_REQUIRES_OK(context, same_shape(context->input(0), image_shape));
    Output<Stored> of_image;
    Output<Scalar> of_flow;
    OP_REQUIRES_OK(context, of_image.allocate(context, 0, image_shape));
    OP_REQUIRES_OK(context, of_flow.allocate(context, 1, context->input(2).shape()));
    if (shape.pixels() == 0) return;
    Input<Stored> upstream, image;
    Input<Scalar> flow;
    OP_REQUIRES_OK(context, upstream.read(context, 0));
    OP_REQUIRES_OK(context, image.read(context, 1));
    OP_REQUIRES_OK(context, flow.read(context, 2));
    const Scratch zeros(shape.channels * sizeof(Scalar));
    const Scratch workspace(warp_backward_workspace(shape) * sizeof(int64_t));
    OP_REQUIRES_OK(context, enough(zeros));
    OP_REQUIRES_OK(context, enough(workspace));
    run(context, warp_backward(shape, image.data(), flow.data(), upstream.data(), of_image.data(),
                               of_flow.data(), static_cast<Scalar*>(zeros.data()),
                               static_cast<int64_t*>(workspace.data())));
    of_image.finish();
  }

 private:
  Warp attributes_{};
};

#define TFFLOW_REGISTER_CPU(Stored)                                                           \
  REGISTER_KERNEL_BUILDER(                                                                    \
      Name("TfflowCorrelation").Device(tensorflow::DEVICE_CPU).TypeConstraint<Stored>("T"),   \
      CorrelationOp<Stored>);                                                                 \
  REGISTER_KERNEL_BUILDER(Name("TfflowCorrelationGradient")                                   \
                              .Device(tensorflow::DEVICE_CPU)                                 \
                              .TypeConstraint<Stored>("T"),                                   \
                          CorrelationGradientOp<Stored>);                                     \
  REGISTER_KERNEL_BUILDER(Name("TfflowWarp")                                                  \
                              .Device(tensorflow::DEVICE_CPU)                                 \
                              .TypeConstraint<Stored>("T")                                    \
                              .TypeConstraint<Computed<Stored>>("F"),                         \
                          WarpOp<Stored>);                                                    \
  REGISTER_KERNEL_BUILDER(Name("TfflowWarpGradient")                                          \
                              .Device(tensorflow::DEVICE_CPU)                                 \
                              .TypeConstraint<Stored>("T")                                    \
                              .TypeConstraint<Computed<Stored>>("F"),                         \
                          WarpGradientOp<Stored>);

TFFLOW_REGISTER_CPU(float)
TFFLOW_REGISTER_CPU(double)
TFFLOW_REGISTER_CPU(Eigen::half)
TFFLOW_REGISTER_CPU(Eigen::bfloat16)

}  // namespace
}  // namespace tfflow
