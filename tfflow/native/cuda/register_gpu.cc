// The TensorFlow ops' kernels for NVIDIA GPUs: shapes checked as on the CPU, memory and
// stream from TensorFlow. nvcc.py compiles it, with EIGEN_USE_GPU, and links it with
// register.cc, where the ops are defined.
//
// float64 has no kernel here: such an op is placed on the CPU.
#include <type_traits>

#include "../op_shapes.h"
#include "launch.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/util/determinism.h"

namespace tfflow {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

template <class Scalar>
constexpr cuda::Type kType = std::is_same<Scalar, float>::value         ? cuda::Type::kFloat32
                             : std::is_same<Scalar, Eigen::half>::value ? cuda::Type::kFloat16
                                                                        : cuda::Type::kBFloat16;

cudaStream_t stream_of(OpKernelContext* context) {
  return context->eigen_device<Eigen::GpuDevice>().stream();
}

absl::Status as_status(cudaError_t error) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::InternalError(std::string("tfflow's CUDA kernel: ") + cudaGetErrorString(error));
}

const void* input(OpKernelContext* context, int index) {
  return context->input(index).data();
}

absl::Status output(OpKernelContext* context, int index, const TensorShape& shape, void** data) {
  Tensor* tensor = nullptr;
  TF_RETURN_IF_ERROR(context->allocate_output(index, shape, &tensor));
  *data = tensor->data();
  return absl::OkStatus();
}

template <class Scalar>
class CorrelationGpuOp : public OpKernel {
 public:
  explicit CorrelationGpuOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, correlation_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Correlation shape = attributes_;
    TensorShape output_shape;
    OP_REQUIRES_OK(context, correlation_inputs(context->input(0), context->input(1), &shape,
                                               &output_shape));
    void* cost = nullptr;
    OP_REQUIRES_OK(context, output(context, 0, output_shape, &cost));
    OP_REQUIRES_OK(context, as_status(cuda::correlation_forward(
                                shape, kType<Scalar>, input(context, 0), input(context, 1), cost,
                                stream_of(context))));
  }

 private:
  Correlation attributes_{};
};

template <class Scalar>
class CorrelationGradientGpuOp : public OpKernel {
 public:
  explicit CorrelationGradientGpuOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, correlation_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Correlation shape = attributes_;
    TensorShape output_shape;
    const Tensor& first = context->input(1);
    OP_REQUIRES_OK(context, correlation_inputs(first, context->input(2), &shape, &output_shape));
    OP_REQUIRES_OK(context, same_shape(context->input(0), output_shape));
    void *of_first = nullptr, *of_second = nullptr;
    OP_REQUIRES_OK(context, output(context, 0, first.shape(), &of_first));
    OP_REQUIRES_OK(context, output(context, 1, first.shape(), &of_second));
    OP_REQUIRES_OK(context, as_status(cuda::correlation_backward(
                                shape, kType<Scalar>, input(context, 0), input(context, 1),
                                input(context, 2), of_first, of_second, stream_of(context))));
  }

 private:
  Correlation attributes_{};
};

template <class Scalar>
class WarpGpuOp : public OpKernel {
 public:
  explicit WarpGpuOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, warp_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Warp shape = attributes_;
    const Tensor& image = context->input(0);
    OP_REQUIRES_OK(context, warp_inputs(image, context->input(1), &shape));
    TensorShape mask_shape = image.shape();
    mask_shape.set_dim(3, 1);
    void *warped = nullptr, *mask = nullptr;
    OP_REQUIRES_OK(context, output(context, 0, image.shape(), &warped));
    OP_REQUIRES_OK(context, output(context, 1, mask_shape, &mask));
    OP_REQUIRES_OK(context,
                   as_status(cuda::warp_forward(shape, kType<Scalar>, input(context, 0),
                                                static_cast<const float*>(input(context, 1)),
                                                warped, mask, stream_of(context))));
  }

 private:
  Warp attributes_{};
};

template <class Scalar>
class WarpGradientGpuOp : public OpKernel {
 public:
  explicit WarpGradientGpuOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, warp_attributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    Warp shape = attributes_;
    const Tensor &image = context->input(1), &flow = context->input(2);
    OP_REQUIRES_OK(context, warp_inputs(image, flow, &shape));
    OP_REQUIRES_OK(context, same_shape(context->input(0), image.shape()));
    void *of_image = nullptr, *of_flow = nullptr;
    OP_REQUIRES_OK(context, output(context, 0, image.shape(), &of_image));
    OP_REQUIRES_OK(context, output(context, 1, flow.shape(), &of_flow));
    // tf.config.experimental.enable_op_determinism()
    const auto scatter = tensorflow::OpDeterminismRequired() ? cuda::Scatter::kFixedPoint
                                                             : cuda::Scatter::kAtomic;
    Tensor workspace;
    const auto bytes = static_cast<int64_t>(
        cuda::warp_workspace_bytes(shape, kType<Scalar>, scatter));
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_INT8, TensorShape({bytes}),
                                                   &workspace));
    OP_REQUIRES_OK(context, as_status(cuda::warp_backward(
                                shape, kType<Scalar>, scatter, input(context, 0),
                                input(context, 1), static_cast<const float*>(input(context, 2)),
                                of_image, static_cast<float*>(of_flow), workspace.data(),
                                stream_of(context))));
  }

 private:
  Warp attributes_{};
};

#define TFFLOW_REGISTER_GPU(Scalar)                                                          \
  REGISTER_KERNEL_BUILDER(                                                                   \
      Name("TfflowCorrelation").Device(tensorflow::DEVICE_GPU).TypeConstraint<Scalar>("T"),  \
      CorrelationGpuOp<Scalar>);                                                             \
  REGISTER_KERNEL_BUILDER(Name("TfflowCorrelationGradient")                                  \
                              .Device(tensorflow::DEVICE_GPU)                                \
                              .TypeConstraint<Scalar>("T"),                                  \
                          CorrelationGradientGpuOp<Scalar>);                                 \
  REGISTER_KERNEL_BUILDER(Name("TfflowWarp")                                                 \
                              .Device(tensorflow::DEVICE_GPU)                                \
                              .TypeConstraint<Scalar>("T")                                   \
                              .TypeConstraint<float>("F"),                                   \
                          WarpGpuOp<Scalar>);                                                \
  REGISTER_KERNEL_BUILDER(Name("TfflowWarpGradient")                                         \
                              .Device(tensorflow::DEVICE_GPU)                                \
                              .TypeConstraint<Scalar>("T")                                   \
                              .TypeConstraint<float>("F"),                                   \
                          WarpGradientGpuOp<Scalar>);

TFFLOW_REGISTER_GPU(float)
TFFLOW_REGISTER_GPU(Eigen::half)
TFFLOW_REGISTER_GPU(Eigen::bfloat16)

}  // namespace
}  // namespace tfflow
