// Runs the bodies of the CUDA kernels on the host: loops over the threads stand in for them.
//
// A block's shared memory is filled with NaN before each step, and the threads of each phase go
// forwards or backwards: a kernel that reads what it didn't write, or that leaves to chance which
// thread writes first, gives something else.
#include <cstdint>
#include <cstring>
#include <vector>

#include "../tfflow/native/cuda/correlation_dispatch.h"
#include "../tfflow/native/cuda/warp_dispatch.h"

namespace {

using tfflow::cuda::Block;
using tfflow::cuda::kDone;
using tfflow::cuda::kTooLarge;

constexpr int kMostSharedBytes = 48 * 1024;  // that every GPU gives without being asked

class HostRunner {
 public:
  explicit HostRunner(bool backwards) : backwards_(backwards) {}

  template <typename Body>
  int run(Body body) {
    body.divide_work();
    const tfflow::cuda::Launch launch = body.launch();
    if (launch.blocks > tfflow::cuda::kMostBlocks || launch.threads > 1024 ||
        launch.threads % 32 != 0 || launch.shared_bytes > kMostSharedBytes) {
      return kTooLarge;
    }
    std::vector<float> shared(launch.shared_bytes / sizeof(float));
    for (int64_t index = 0; index < launch.blocks; ++index) {
      std::vector<typename Body::State> states(launch.threads);
      const auto block = [&](int thread) {
        return Block{static_cast<int>(index), thread, launch.threads};
      };
      const int steps = body.steps(block(0));
      for (int step = 0; step < steps; ++step) {
        poison(shared);
        each(launch.threads, [&](int t) { body.load(block(t), step, shared.data()); });
        each(launch.threads,
             [&](int t) { body.multiply(block(t), step, shared.data(), states[t]); });
      }
      poison(shared);
      each(launch.threads, [&](int t) { body.put(block(t), shared.data(), states[t]); });
      each(launch.threads, [&](int t) { body.write(block(t), shared.data(), states[t]); });
    }
    return kDone;
  }

  template <typename Body>
  int run_lanes(const Body& body) {
    const int lanes = 1 << body.lane_bits;
    each(body.items(), [&](int64_t item) {
      std::vector<typename Body::State> states(lanes);
      each(lanes, [&](int lane) { body.visit(item, lane, states[lane]); });
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        for (int lane = 0; lane < distance; ++lane) {
          body.merge(states[lane], states[lane + distance]);
        }
      }
      body.finish(item, states[0]);
    });
    return kDone;
  }

  int clear(void* memory, size_t bytes) {
    if (bytes > 0) std::memset(memory, 0, bytes);
    return kDone;
  }

 private:
  template <typename Function>
  void each(int64_t count, Function function) const {
    for (int64_t i = 0; i < count; ++i) function(backwards_ ? count - 1 - i : i);
  }

  static void poison(std::vector<float>& shared) {
    for (float& value : shared) value = tfflow::cuda::not_a_number();
  }

  bool backwards_;
};

}  // namespace

extern "C" {

int emulate_correlation(const tfflow::Correlation* shape, int type, const void* first,
                        const void* second, void* output, int backwards) {
  HostRunner runner(backwards != 0);
  return correlate(*shape, static_cast<tfflow::cuda::Type>(type), first, second, output, runner);
}

int emulate_correlation_gradients(const tfflow::Correlation* shape, int type, const void* upstream,
                                  const void* first, const void* second, void* gradient_first,
                                  void* gradient_second, int backwards) {
  HostRunner runner(backwards != 0);
  return correlate_gradients(*shape, static_cast<tfflow::cuda::Type>(type), upstream, first, second,
                             gradient_first, gradient_second, runner);
}

int emulate_warp(const tfflow::Warp* shape, int type, const void* image, const float* flow,
                 void* warped, void* mask, int backwards) {
  HostRunner runner(backwards != 0);
  return warp_image(*shape, static_cast<tfflow::cuda::Type>(type), image, flow, warped, mask,
                    runner);
}

int emulate_warp_gradients(const tfflow::Warp* shape, int type, int scatter, const void* upstream,
                           const void* image, const float* flow, void* gradient_image,
                           float* gradient_flow, int backwards) {
  const auto of_type = static_cast<tfflow::cuda::Type>(type);
  const auto how = static_cast<tfflow::cuda::Scatter>(scatter);
  const size_t bytes = tfflow::cuda::workspace_bytes(*shape, of_type, how);
  std::vector<unsigned long long> workspace(bytes / sizeof(unsigned long long) + 2);
  HostRunner runner(backwards != 0);
  return warp_gradients(*shape, of_type, how, upstream, image, flow, gradient_image, gradient_flow,
                        workspace.data(), runner);
}

}  // extern "C"

#if defined(TFFLOW_EMULATED)  // launch.h as well, for what calls it: jax_ffi.cc
#include "../tfflow/native/cuda/launch.h"

namespace tfflow {
namespace cuda {

cudaError_t correlation_forward(const Correlation& shape, Type type, const void* first,
                                const void* second, void* output, cudaStream_t) {
  HostRunner runner(false);
  return static_cast<cudaError_t>(correlate(shape, type, first, second, output, runner));
}

cudaError_t correlation_backward(const Correlation& shape, Type type, const void* upstream,
                                 const void* first, const void* second, void* gradient_first,
                                 void* gradient_second, cudaStream_t) {
  HostRunner runner(false);
  return static_cast<cudaError_t>(correlate_gradients(shape, type, upstream, first, second,
                                                      gradient_first, gradient_second, runner));
}

cudaError_t warp_forward(const Warp& shape, Type type, const void* image, const float* flow,
                         void* warped, void* mask, cudaStream_t) {
  HostRunner runner(false);
  return static_cast<cudaError_t>(warp_image(shape, type, image, flow, warped, mask, runner));
}

size_t warp_workspace_bytes(const Warp& shape, Type type, Scatter scatter) {
  return workspace_bytes(shape, type, scatter);
}

cudaError_t warp_backward(const Warp& shape, Type type, Scatter scatter, const void* upstream,
                          const void* image, const float* flow, void* gradient_image,
                          float* gradient_flow, void* workspace, cudaStream_t) {
  HostRunner runner(false);
  return static_cast<cudaError_t>(warp_gradients(shape, type, scatter, upstream, image, flow,
                                                 gradient_image, gradient_flow, workspace, runner));
}

}  // namespace cuda
}  // namespace tfflow

extern "C" const char* cudaGetErrorString(cudaError_t) { return "the emulation refused"; }
#endif
