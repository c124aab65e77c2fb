// What the machine can do at most, on the threads given: multiply-adds in registers, float32, and a
// copy of memory that no cache holds. Prints GFLOP/s and GB/s (read + written).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

double seconds(int threads, const std::function<void(int)>& work) {
  double best = 1e9;
  for (int round = 0; round < 7; ++round) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i) all.emplace_back(work, i);
    for (auto& thread : all) thread.join();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

int main(int, char** arguments) {
  const int threads = std::atoi(arguments[1]);
  constexpr int kSums = 12, kLanes = 16;
  constexpr long kRounds = 10000000;
  typedef float Vector __attribute__((vector_size(4 * kLanes)));
  static volatile float factor = 0.999f;
  std::vector<float> results(threads);
  const double computing = seconds(threads, [&](int i) {
    const float f = factor;
    Vector sums[kSums] = {};
    for (long round = 0; round < kRounds; ++round) {
      for (auto& sum : sums) sum = sum * f + f;
    }
    for (auto& sum : sums) results[i] += sum[0];
  });
  const size_t size = size_t{256} << 20;
  std::vector<char> from(size, 1), to(size, 2);
  const double copying = seconds(threads, [&](int i) {
    const size_t begin = size / threads * i;
    std::memcpy(to.data() + begin, from.data() + begin, size / threads);
  });
  const double operations = 2.0 * threads * kRounds * kSums * kLanes;
  std::printf("%.1f %.1f\n", operations / computing / 1e9, 2.0 * size / copying / 1e9);
}
