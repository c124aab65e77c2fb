// The cost volume, a block of output positions and displacements at a time.
//
// Positions that are `step` (the displacement stride) pixels apart meet the same pixels of the
// second map, and only those: within such a lattice every correlation is one of stride 1 and
// displacement stride 1. A block takes 16 x 4 positions of one lattice and some rows and columns
// of displacements, and keeps 16 channels of all pixels that they meet in shared memory. A thread
// takes 4 positions beside each other and COLUMNS displacements beside each other: their products
// need only COLUMNS + 3 pixels of the second map, for 4 COLUMNS sums.
#pragma once

#include "block.h"
#include "correlation_plan.h"

namespace tfflow {
namespace cuda {

template <typename T, int VECTOR, int COLUMNS>
struct CorrelationForward {
  static constexpr int kPositions = 4;         // of a thread, along x
  static constexpr int kWide = 16, kHigh = 4;  // positions of a block
  static constexpr int kChannels = 16;         // in shared memory at a time

  CorrelationPlan plan;
  const T* first;
  const T* second;
  T* cost;

  // Of displacements in a block: rows, and groups of COLUMNS. Blocks that share those of one tile.
  int rows = 0, groups = 0, row_blocks = 0, column_blocks = 0;
  int tiles_high = 0, tiles_wide = 0;     // of a lattice
  int first_pitch = 0, second_pitch = 0;  // floats of a row of pixels in shared memory

  struct State {
    float sums[kPositions][COLUMNS];
  };

  void divide_work() {
    const int all_groups = ceil_div(plan.span, COLUMNS);
    column_blocks = ceil_div(all_groups, 4);
    groups = ceil_div(all_groups, column_blocks);
    row_blocks = ceil_div(plan.span, 256 / (kThreads * groups));
    rows = ceil_div(plan.span, row_blocks);
    tiles_high = ceil_div(plan.positions(plan.out_height), kHigh);
    tiles_wide = ceil_div(plan.positions(plan.out_width), kWide);
    first_pitch = pitch(kWide);
    second_pitch = pitch(second_wide());
  }

  Launch launch() const {
    const int64_t lattices = int64_t{1} * plan.batch * plan.phases(plan.out_height) *
                             plan.phases(plan.out_width);
    const int inputs = kHigh * first_pitch + (kHigh + rows - 1) * second_pitch;
    const int outputs = kHigh * kWide * rows * columns();
    return {lattices * tiles_high * tiles_wide * row_blocks * column_blocks,
            ceil_div(kThreads * rows * groups, 32) * 32,
            static_cast<int>(sizeof(float)) * (inputs > outputs ? inputs : outputs)};
  }

  // All taps of the patch, and for each all channels, 16 at a time.
  TFFLOW_BOTH int steps(Block) const {
    return plan.kernel * plan.kernel * ceil_div(plan.channels, kChannels);
  }

  TFFLOW_BOTH void load(Block block, int step, float* shared) const {
    const Tile tile = tile_of(block.index);
    const int chunks = ceil_div(plan.channels, kChannels);
    const int tap = step / chunks, channel = (step - tap * chunks) * kChannels;
    const int y = plan.origin + tile.phase_y + tile.y * plan.step + tap / plan.kernel -
                  plan.kernel / 2;
    const int x = plan.origin + tile.phase_x + tile.x * plan.step + tap % plan.kernel -
                  plan.kernel / 2;
    fill(block, first + channel, tile.batch, y, x, plan.channels - channel, kHigh, kWide,
         first_pitch, shared);
    const int radius = plan.span / 2;
    fill(block, second + channel, tile.batch, y + (tile.row - radius) * plan.step,
         x + (tile.column - radius) * plan.step, plan.channels - channel, kHigh + rows - 1,
         second_wide(), second_pitch, shared + kHigh * first_pitch);
  }

  TFFLOW_BOTH void multiply(Block block, int, const float* shared, State& state) const {
    const Work work = work_of(block.thread);
    if (work.group >= groups) return;
    const float* left = shared + work.y * first_pitch + work.x * kPixelPitch;
    const float* right = shared + kHigh * first_pitch + (work.y + work.row) * second_pitch +
                         (work.x + work.group * COLUMNS) * kPixelPitch;
#pragma unroll 1
    for (int channel = 0; channel < kChannels; channel += 4) {
      float of_first[kPositions][4];
#pragma unroll
      for (int p = 0; p < kPositions; ++p) {
        read_shared(left + p * kPixelPitch + channel, of_first[p]);
      }
#pragma unroll
      for (int t = 0; t < kPositions + COLUMNS - 1; ++t) {
        float of_second[4];
        read_shared(right + t * kPixelPitch + channel, of_second);
#pragma unroll
        for (int p = 0; p < kPositions; ++p) {
          if (t < p || t - p >= COLUMNS) continue;
#pragma unroll
          for (int k = 0; k < 4; ++k) state.sums[p][t - p] += of_first[p][k] * of_second[k];
        }
      }
    }
  }

  // The sums go to memory by way of the shared memory: there a position's displacements lie one
  // after the other, and a warp writes them in whole lines.
  TFFLOW_BOTH void put(Block block, float* shared, const State& state) const {
    const Work work = work_of(block.thread);
    if (work.group >= groups) return;
#pragma unroll
    for (int p = 0; p < kPositions; ++p) {
      float* to = shared + ((work.y * kWide + work.x + p) * rows + work.row) * columns();
#pragma unroll
      for (int k = 0; k < COLUMNS; ++k) {
        const int column = work.group * COLUMNS + k;
        if (column < columns()) to[column] = state.sums[p][k] * plan.scale;
      }
    }
  }

  TFFLOW_BOTH void write(Block block, const float* shared, const State&) const {
    const Tile tile = tile_of(block.index);
    const int displacements = rows * columns();
    for (int position = block.thread / 32; position < kHigh * kWide;
         position += block.threads / 32) {
      const int y = plan.output(tile.phase_y, tile.y + position / kWide, plan.out_height);
      const int x = plan.output(tile.phase_x, tile.x + position % kWide, plan.out_width);
      if (y < 0 || x < 0) continue;
      T* to = cost + plan.cost_index(tile.batch, y, x);
      for (int k = block.thread % 32; k < displacements; k += 32) {
        const int row = tile.row + k / columns(), column = tile.column + k % columns();
        if (row >= plan.span || column >= plan.span) continue;
        from_float(shared[position * displacements + k], to + row * plan.span + column);
      }
    }
  }

 private:
  static constexpr int kThreads = kWide / kPositions * kHigh;  // for a row and group of columns

  // Floats between pixels and, by pitch(), between rows: with these the 8 threads of work_of that
  // read 16 bytes each at a time find them in 8 different banks.
  static constexpr int kPixelPitch = kChannels + 4;
  static int pitch(int wide) { return ceil_div(wide * kPixelPitch - 4, 32) * 32 + 4; }

  TFFLOW_BOTH int columns() const {  // of displacements, in a block
    return least(groups * COLUMNS, plan.span);
  }
  TFFLOW_BOTH int second_wide() const { return kWide + groups * COLUMNS - 1; }

  // What the block's index stands for.
  struct Tile {
    int batch, phase_y, phase_x;  // the lattice: its first pixel, counted from the origin
    int y, x;                     // the first position, in steps of the lattice
    int row, column;              // the first displacement
  };

  TFFLOW_BOTH Tile tile_of(int index) const {
    const auto next = [&index](int count) {
      const int digit = index % count;
      index /= count;
      return digit;
    };
    // Fastest the displacements: blocks that run at the same time then share their pixels.
    Tile tile;
    tile.column = next(column_blocks) * groups * COLUMNS;
    tile.row = next(row_blocks) * rows;
    tile.x = next(tiles_wide) * kWide;
    tile.y = next(tiles_high) * kHigh;
    tile.phase_x = next(plan.phases(plan.out_width)) * plan.unit;
    tile.phase_y = next(plan.phases(plan.out_height)) * plan.unit;
    tile.batch = index;
    return tile;
  }

  struct Work {
    int x, y;        // the thread's first position in the tile
    int row, group;  // its displacements in the block
  };

  TFFLOW_BOTH Work work_of(int thread) const {
    const int rest = thread / kThreads;
    return {((thread & 1) + (thread >> 3 & 1) * 2) * kPositions, thread >> 1 & 3, rest % rows,
            rest / rows};
  }

  // Pixels of a lattice into shared memory, zeros for those outside and for missing channels.
  TFFLOW_BOTH void fill(Block block, const T* map, int batch, int first_y, int first_x,
                        int channels, int high, int wide, int row_pitch, float* shared) const {
    constexpr int kVectors = kChannels / VECTOR;
    for (int row = block.thread / 32; row < high; row += block.threads / 32) {
      const int y = first_y + row * plan.step;
      for (int k = block.thread % 32; k < wide * kVectors; k += 32) {
        const int x = first_x + k / kVectors * plan.step, channel = k % kVectors * VECTOR;
        float values[VECTOR] = {};
        if (channel < channels && plan.in_image(y, x)) {
          load_vector(map + plan.pixel_index(batch, y, x) + channel, values);
        }
        float* to = shared + row * row_pitch + k / kVectors * kPixelPitch + channel;
        write_shared(to, values);
      }
    }
  }
};

}  // namespace cuda
}  // namespace tfflow
