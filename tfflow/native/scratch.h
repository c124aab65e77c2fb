// Scratch memory that is kept from one call to the next. Fresh memory costs a page fault for every
// four kilobytes, which takes longer than a small correlation; TensorFlow's CPU allocator gives
// memory back to the system after each call.
#ifndef TFFLOW_NATIVE_SCRATCH_H_
#define TFFLOW_NATIVE_SCRATCH_H_

#include <cstdlib>
#include <mutex>
#include <vector>

namespace tfflow {

class Scratch {
 public:
  explicit Scratch(size_t bytes) : block_(take(bytes)) {}
  ~Scratch() { give_back(block_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* data() const { return block_.data; }  // null if there is not so much memory

 private:
  struct Block {
    void* data;
    size_t bytes;
  };
  struct Kept {
    std::mutex mutex;
    std::vector<Block> blocks;
    size_t bytes = 0;
  };
  static constexpr size_t kMostKept = size_t{64} << 20;

  static Kept& kept() {
    static Kept* all = new Kept;  // never destroyed: threads may outlive main()
    return *all;
  }

  // The smallest block that is large enough, but none far larger than asked for.
  static Block take(size_t bytes) {
    {
      std::lock_guard<std::mutex> lock(kept().mutex);
      auto& blocks = kept().blocks;
      size_t best = blocks.size();
      for (size_t i = 0; i < blocks.size(); ++i) {
        if (blocks[i].bytes < bytes || blocks[i].bytes / 4 > bytes + 4096) continue;
        if (best == blocks.size() || blocks[i].bytes < blocks[best].bytes) best = i;
      }
      if (best < blocks.size()) {
        const Block block = blocks[best];
        blocks.erase(blocks.begin() + best);
        kept().bytes -= block.bytes;
        return block;
      }
    }
    return {std::malloc(bytes ? bytes : 1), bytes};
  }

  // The oldest blocks make room.
  static void give_back(Block block) {
    std::lock_guard<std::mutex> lock(kept().mutex);
    auto& blocks = kept().blocks;
    if (!block.data || block.bytes > kMostKept) return std::free(block.data);
    blocks.push_back(block);
    kept().bytes += block.bytes;
    while (kept().bytes > kMostKept) {
      kept().bytes -= blocks.front().bytes;
      std::free(blocks.front().data);
      blocks.erase(blocks.begin());
    }
  }

  Block block_;
};

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_SCRATCH_H_
