// Runs the CPU's kernels without TensorFlow over many shapes and compares them with shapes.h, word
// by word: for sanitizers, which find what a right result hides. Prints the number of mistakes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "correlation.h"
#include "warp.h"

using namespace tfflow;

std::mt19937 generator(0);

int64_t number(int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(generator);
}

template <class Scalar>
std::vector<Scalar> numbers(int64_t size, double largest = 1) {
  std::uniform_real_distribution<double> uniform(-largest, largest);
  std::vector<Scalar> all(size);
  for (auto& x : all) x = static_cast<Scalar>(uniform(generator));
  return all;
}

// Three threads, so that what they share shows.
void run(const std::vector<Pass>& passes) {
  for (const Pass& pass : passes) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&pass, i] { pass.run(pass.units * i / 3, pass.units * (i + 1) / 3); });
    }
    for (auto& thread : threads) thread.join();
  }
}

template <class Scalar>
int differ(const std::vector<Scalar>& found, const std::vector<double>& expected) {
  double largest = 1;
  for (double x : expected) largest = std::max(largest, std::fabs(x));
  const double tolerance = largest * (sizeof(Scalar) == 4 ? 2e-5 : 1e-12);
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!(std::fabs(found[i] - expected[i]) <= tolerance)) return 1;
  }
  return 0;
}

template <class Scalar>
int check_correlation(const Correlation& s) {
  const int64_t n = s.input_elements(), height = s.output_height(), width = s.output_width();
  const auto first = numbers<Scalar>(n), second = numbers<Scalar>(n);
  const auto upstream = numbers<Scalar>(s.output_elements());
  std::vector<Scalar> output(s.output_elements()), of_first(n), of_second(n);
  std::vector<Scalar> forward(correlation_forward_workspace<Scalar>(s));
  std::vector<Scalar> backward(correlation_backward_workspace<Scalar>(s));
  run(correlation_forward(s, first.data(), second.data(), output.data(), forward.data()));
  run(correlation_backward(s, first.data(), second.data(), upstream.data(), of_first.data(),
                           of_second.data(), backward.data()));

  std::vector<double> cost(output.size()), expected_first(n), expected_second(n);
  const int64_t reach = s.patch_radius();
  for (int64_t o = 0; o < s.batch * height * width; ++o) {
    const int64_t b = o / (height * width), y = o / width % height, x = o % width;
    for (int64_t k = 0; k < s.displacements(); ++k) {
      for (int64_t m = -reach; m <= reach; ++m) {
        for (int64_t l = -reach; l <= reach; ++l) {
          const int64_t y1 = s.position(y) + m, x1 = s.position(x) + l;
          const int64_t y2 = y1 + s.displacement(k / s.span());
          const int64_t x2 = x1 + s.displacement(k % s.span());
          if (!in_range(y1, s.height) || !in_range(x1, s.width) || !in_range(y2, s.height) ||
              !in_range(x2, s.width)) {
            continue;
          }
          const int64_t p = ((b * s.height + y1) * s.width + x1) * s.channels;
          const int64_t q = ((b * s.height + y2) * s.width + x2) * s.channels;
          const int64_t at = o * s.displacements() + k;
          for (int64_t c = 0; c < s.channels; ++c) {
            cost[at] += s.scale() * first[p + c] * second[q + c];
            expected_first[p + c] += s.scale() * upstream[at] * second[q + c];
            expected_second[q + c] += s.scale() * upstream[at] * first[p + c];
          }
        }
      }
    }
  }
  return differ(output, cost) + differ(of_first, expected_first) +
         differ(of_second, expected_second);
}

template <class Scalar>
int check_warp(const Warp& s) {
  const int64_t n = s.image_elements(), pixels = s.pixels();
  const auto image = numbers<Scalar>(n), upstream = numbers<Scalar>(n);
  auto flow = numbers<Scalar>(2 * pixels, number(0, 3) * 4.0);
  const double odd[] = {1e6, -1e6, 1e30, INFINITY, -INFINITY, NAN};
  for (int64_t i = 0; i < pixels / 5; ++i) flow[number(0, 2 * pixels - 1)] = odd[number(0, 5)];
  std::vector<Scalar> warped(n), mask(pixels), of_image(n), of_flow(2 * pixels), zeros(s.channels);
  std::vector<int64_t> workspace(warp_backward_workspace(s));
  run(warp_forward(s, image.data(), flow.data(), warped.data(), mask.data(), zeros.data()));
  run(warp_backward(s, image.data(), flow.data(), upstream.data(), of_image.data(),
                    of_flow.data(), zeros.data(), workspace.data()));

  std::vector<double> expected(n), expected_image(n), expected_flow(2 * pixels);
  for (int64_t i = 0; i < pixels; ++i) {
    const int64_t b = i / (s.height * s.width), y = i / s.width % s.height, x = i % s.width;
    const auto sx = sample<Scalar>(static_cast<Scalar>(x) + flow[2 * i], s.width, s.border);
    const auto sy = sample<Scalar>(static_cast<Scalar>(y) + flow[2 * i + 1], s.height, s.border);
    if (!sx.valid || !sy.valid) {
      for (int64_t c = 0; c < s.channels; ++c) {
        if (!std::isnan(warped[i * s.channels + c])) return 1;
        warped[i * s.channels + c] = 0;
      }
      continue;
    }
    if (s.masked && mask[i] == 0) continue;
    for (int64_t c = 0; c < s.channels; ++c) {
      auto at = [&](int64_t row, int64_t column) -> int64_t {
        if (!in_range(row, s.height) || !in_range(column, s.width)) return -1;
        return ((b * s.height + row) * s.width + column) * s.channels + c;
      };
      const double g = upstream[i * s.channels + c];
      for (int64_t corner = 0; corner < 4; ++corner) {
        const bool down = corner / 2, right = corner % 2;
        const double wy = down ? sy.toward : 1 - sy.toward, wx = right ? sx.toward : 1 - sx.toward;
        const int64_t from = at(down ? sy.after : sy.before, right ? sx.after : sx.before);
        if (from < 0) continue;
        expected[i * s.channels + c] += wy * wx * image[from];
        expected_image[from] += wy * wx * g;
        if (sx.moves) expected_flow[2 * i] += g * wy * image[from] * (right ? 1 : -1);
        if (sy.moves) expected_flow[2 * i + 1] += g * wx * image[from] * (down ? 1 : -1);
      }
    }
  }
  return differ(warped, expected) + differ(of_image, expected_image) +
         differ(of_flow, expected_flow);
}

int main() {
  int mistakes = 0;
  for (int i = 0; i < 300; ++i) {
    Correlation c{};
    c.batch = number(0, 2), c.height = number(0, 11), c.width = number(0, 30);
    c.channels = i % 4 ? number(0, 20) : number(0, 90);
    c.kernel_size = i % 3 ? 1 : 1 + 2 * number(0, 2);
    c.max_displacement = number(0, 6), c.stride = number(1, 3);
    c.displacement_stride = number(1, 4), c.padding = number(0, 8), c.origin = number(-5, 5);
    c.normalise = i % 2;
    mistakes += check_correlation<float>(c) + check_correlation<double>(c);
    Warp w{number(0, 2), number(0, 40), number(0, 30), number(0, 40), Border::kZeros, false, 0.5f};
    w.border = i % 2 ? Border::kZeros : Border::kRepeat;
    w.masked = i % 3 == 0;
    mistakes += check_warp<float>(w) + check_warp<double>(w);
  }
  std::printf("%d\n", mistakes);
  return mistakes != 0;
}
