// The TensorFlow ops: their definitions, and their kernels for the CPU.
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

template <class Scalar>
const Scalar* input(OpKernelContext* context, int index) {
  return context->input(index).flat<Scalar>().data();
}

template <class Scalar>
absl::Status output(OpKernelContext* context, int index, const TensorShape& shape, Scalar** data) {
  Tensor* tensor = nullptr;
  TF_RETURN_IF_ERROR(context->allocate_output(index, shape, &tensor));
  *data = tensor->flat<Scalar>().data();
  return absl::OkStatus();
}

absl::Status enough(const Scratch& scratch) {
  if (scratch.data()) return absl::OkStatus();
  return absl::ResourceExhaustedError("no memory left for tfflow's scratch memory");
}

template <class Scalar>
class CorrelationOp : public OpKernel {
 public:
  explicit CorrelationOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, correlation_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Correlation shape = attributes_;
    TensorShape output_shape;
    OP_REQUIRES_OK(context, correlation_inputs(context->input(0), context->input(1), &shape,
                                               &output_shape));
    Scalar* cost = nullptr;
    OP_REQUIRES_OK(context, output(context, 0, output_shape, &cost));
    if (output_shape.num_elements() == 0) return;
    const Scratch workspace(correlation_forward_workspace<Scalar>(shape) * sizeof(Scalar));
    OP_REQUIRES_OK(context, enough(workspace));
    run(context, correlation_forward(shape, input<Scalar>(context, 0), input<Scalar>(context, 1),
                                     cost, static_cast<Scalar*>(workspace.data())));
  }

 private:
  Correlation attributes_{};
};

template <class Scalar>
class CorrelationGradientOp : public OpKernel {
 public:
  explicit CorrelationGradientOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, correlation_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Correlation shape = attributes_;
    TensorShape output_shape;
    const Tensor& first = context->input(1);
    OP_REQUIRES_OK(context,
                   correlation_inputs(first, context->input(2), &shape, &output_shape));
    OP_REQUIRES_OK(context, same_shape(context->input(0), output_shape));
    Scalar *first_gradient = nullptr, *second_gradient = nullptr;
    OP_REQUIRES_OK(context, output(context, 0, first.shape(), &first_gradient));
    OP_REQUIRES_OK(context, output(context, 1, first.shape(), &second_gradient));
    if (first.NumElements() == 0) return;
    const Scratch workspace(correlation_backward_workspace<Scalar>(shape) * sizeof(Scalar));
    OP_REQUIRES_OK(context, enough(workspace));
    run(context, correlation_backward(shape, input<Scalar>(context, 1), input<Scalar>(context, 2),
                                      input<Scalar>(context, 0), first_gradient, second_gradient,
                                      static_cast<Scalar*>(workspace.data())));
  }

 private:
  Correlation attributes_{};
};

template <class Scalar>
class WarpOp : public OpKernel {
 public:
  explicit WarpOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, warp_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Warp shape = attributes_;
    const Tensor& image = context->input(0);
    OP_REQUIRES_OK(context, warp_inputs(image, context->input(1), &shape));
    Scalar *warped = nullptr, *mask = nullptr;
    TensorShape mask_shape = image.shape();
    mask_shape.set_dim(3, 1);
    OP_REQUIRES_OK(context, output(context, 0, image.shape(), &warped));
    OP_REQUIRES_OK(context, output(context, 1, mask_shape, &mask));
    if (shape.pixels() == 0) return;
    const Scratch zeros(shape.channels * sizeof(Scalar));
    OP_REQUIRES_OK(context, enough(zeros));
    run(context, warp_forward(shape, input<Scalar>(context, 0), input<Scalar>(context, 1), warped,
                              mask, static_cast<Scalar*>(zeros.data())));
  }

 private:
  Warp attributes_{};
};

template <class Scalar>
class WarpGradientOp : public OpKernel {
 public:
  explicit WarpGradientOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, warp_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Warp shape = attributes_;
    const Tensor &image = context->input(1), &flow = context->input(2);
    OP_REQUIRES_OK(context, warp_inputs(image, flow, &shape));
    OP_REQUIRES_OK(context, same_shape(context->input(0), image.shape()));
    Scalar *image_gradient = nullptr, *flow_gradient = nullptr;
    OP_REQUIRES_OK(context, output(context, 0, image.shape(), &image_gradient));
    OP_REQUIRES_OK(context, output(context, 1, flow.shape(), &flow_gradient));
    if (shape.pixels() == 0) return;
    const Scratch zeros(shape.channels * sizeof(Scalar));
    const Scratch workspace(warp_backward_workspace(shape) * sizeof(int64_t));
    OP_REQUIRES_OK(context, enough(zeros));
    OP_REQUIRES_OK(context, enough(workspace));
    run(context, warp_backward(shape, input<Scalar>(context, 1), input<Scalar>(context, 2),
                               input<Scalar>(context, 0), image_gradient, flow_gradient,
                               static_cast<Scalar*>(zeros.data()),
                               static_cast<int64_t*>(workspace.data())));
  }

 private:
  Warp attributes_{};
};

#define TFFLOW_REGISTER_CPU(Scalar)                                                           \
  REGISTER_KERNEL_BUILDER(                                                                    \
      Name("TfflowCorrelation").Device(tensorflow::DEVICE_CPU).TypeConstraint<Scalar>("T"),   \
      CorrelationOp<Scalar>);                                                                 \
  REGISTER_KERNEL_BUILDER(Name("TfflowCorrelationGradient")                                   \
                              .Device(tensorflow::DEVICE_CPU)                                 \
                              .TypeConstraint<Scalar>("T"),                                   \
                          CorrelationGradientOp<Scalar>);                                     \
  REGISTER_KERNEL_BUILDER(Name("TfflowWarp")                                                  \
                              .Device(tensorflow::DEVICE_CPU)                                 \
                              .TypeConstraint<Scalar>("T")                                    \
                              .TypeConstraint<Scalar>("F"),                                   \
                          WarpOp<Scalar>);                                                    \
  REGISTER_KERNEL_BUILDER(Name("TfflowWarpGradient")                                          \
                              .Device(tensorflow::DEVICE_CPU)                                 \
                              .TypeConstraint<Scalar>("T")                                    \
                              .TypeConstraint<Scalar>("F"),                                   \
                          WarpGradientOp<Scalar>);

TFFLOW_REGISTER_CPU(float)
TFFLOW_REGISTER_CPU(double)

}  // namespace
}  // namespace tfflow
