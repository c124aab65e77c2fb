// The kernels of the correlation's two passes.
#pragma once

#include "correlation_backward.h"
#include "correlation_forward.h"
#include "dispatch.h"

namespace tfflow {
namespace cuda {

template <typename Runner>
int correlate(const Correlation& shape, Type type, const void* first, const void* second,
              void* output, Runner& runner) {
  CorrelationPlan plan;
  if (!make_plan(shape, &plan)) return kTooLarge;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    const auto a = static_cast<const T*>(first), b = static_cast<const T*>(second);
    const auto cost = static_cast<T*>(output);
    return with_vector<T>(plan.channels, {first, second}, [&](auto vector) {
      constexpr int kCount = decltype(vector)::count;
      // Displacements of a thread: 5, 7 or 9 beside each other, whichever leaves the fewest over.
      const int wanted = ceil_div(plan.span, ceil_div(plan.span, 9));
      if (wanted <= 5) return runner.run(CorrelationForward<T, kCount, 5>{plan, a, b, cost});
      if (wanted <= 7) return runner.run(CorrelationForward<T, kCount, 7>{plan, a, b, cost});
      return runner.run(CorrelationForward<T, kCount, 9>{plan, a, b, cost});
    });
  });
}

template <typename Runner>
int correlate_gradients(const Correlation& shape, Type type, const void* upstream,
                        const void* first, const void* second, void* gradient_first,
                        void* gradient_second, Runner& runner) {
  CorrelationPlan plan;
  if (!make_plan(shape, &plan)) return kTooLarge;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    const auto g = static_cast<const T*>(upstream);
    const auto a = static_cast<const T*>(first), b = static_cast<const T*>(second);
    const auto of_a = static_cast<T*>(gradient_first), of_b = static_cast<T*>(gradient_second);
    return with_vector<T>(
        plan.channels, {first, second, gradient_first, gradient_second}, [&](auto vector) {
          constexpr int kCount = decltype(vector)::count;
          int error = kDone;
          if (of_a != nullptr) {
            error = runner.run(CorrelationBackward<T, kCount, true>{plan, g, b, of_a});
          }
          if (of_b != nullptr && error == kDone) {
            error = runner.run(CorrelationBackward<T, kCount, false>{plan, g, a, of_b});
          }
          return error;
        });
  });
}

}  // namespace cuda
}  // namespace tfflow
