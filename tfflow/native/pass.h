// How a kernel hands its work to whatever runs threads.
#ifndef TFFLOW_NATIVE_PASS_H_
#define TFFLOW_NATIVE_PASS_H_

#include <cstdint>
#include <functional>

namespace tfflow {

// A kernel is a list of passes, to be run one after the other. `run(begin, end)` does the units
// begin … end - 1 of a pass. Units may be shared among threads in any way: no two of them write to
// the same place and each sums in its own fixed order, so the result is the same to the last bit.
struct Pass {
  int64_t units;
  int64_t cost;  // of a unit, in processor cycles, roughly
  std::function<void(int64_t begin, int64_t end)> run;
};

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_PASS_H_
