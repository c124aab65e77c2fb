// The gradient of either map of a correlation: a gather, without atomics, always the same sum.
//
// Each pixel's gradient is a sum over the window of pixels of the other map that it met, weighted
// by the upstream gradients ("spread" in shapes.h). As in the forward pass, a lattice of pixels
// that are `step` apart is a correlation of displacement stride 1. A thread keeps 4 x 2 pixels of
// a lattice and VECTOR channels in registers, and goes over the rows and columns of their common
// window: each vector that it reads is used 8 times. The threads beside it have other channels of
// the same pixels, and so the same weights, which the block collects in shared memory row by row.
#pragma once

#include "block.h"
#include "correlation_plan.h"

namespace tfflow {
namespace cuda {

template <typename T, int VECTOR, bool OF_FIRST>
struct CorrelationBackward {
  static constexpr int kWide = 4, kHigh = 2;  // pixels of a thread
  static constexpr int kPixels = kWide * kHigh;
  static constexpr int kMostColumns = 32;  // of a window, at a time
  // Floats from column to column: the weights of 8 pixels, and a gap against bank conflicts.
  static constexpr int kPitch = kPixels + 4;

  CorrelationPlan plan;
  const T* upstream;
  const T* other;  // the map that the gradient is not of
  T* gradient;
  // Powers of two, so that a thread finds its place by shifts.
  int lane_bits = 0;         // threads that share pixels, each with channels of its own
  int group_bits = 0;        // groups of such threads in a block
  int groups_wide_bits = 0;  // of them beside each other
  int column_bits = 0;       // threads that fetch weights of a pixel, one for each column
  int columns = 0;           // of the window at a time
  int window_parts = 0;      // in which its columns are taken
  int tiles_high = 0, tiles_wide = 0, channel_blocks = 0;  // blocks over a lattice

  struct State {
    float sums[kPixels][VECTOR];
  };

  void divide_work() {
    const int vectors = ceil_div(plan.channels, VECTOR);
    const int high = ceil_div(plan.height, plan.step), wide = ceil_div(plan.width, plan.step);
    lane_bits = bits_for(vectors, 5);
    channel_blocks = ceil_div(vectors, 1 << lane_bits);
    group_bits = lane_bits < 2 ? 5 : 7 - lane_bits;
    groups_wide_bits = bits_for(ceil_div(wide, kWide), group_bits);
    tiles_wide = ceil_div(wide, kWide << groups_wide_bits);
    tiles_high = ceil_div(high, kHigh << groups_high_bits());
    column_bits = bits_for(window_columns(), 5);
    window_parts = ceil_div(window_columns(), kMostColumns);
    columns = ceil_div(window_columns(), window_parts);
  }

  Launch launch() const {
    const int64_t lattices = int64_t{1} * plan.batch * phases_high() * phases_wide();
    return {lattices * tiles_high * tiles_wide * channel_blocks, 1 << (lane_bits + group_bits),
            (static_cast<int>(sizeof(float)) * columns * kPitch) << group_bits};
  }

  // The rows of the window, in parts; nothing where no output looks.
  TFFLOW_BOTH int steps(Block block) const {
    const Tile tile = tile_of(block.index);
    if (!plan.is_seen(tile.phase_y) || !plan.is_seen(tile.phase_x)) return 0;
    return window_rows() * window_parts;
  }

  TFFLOW_BOTH void load(Block block, int step, float* shared) const {
    const Tile tile = tile_of(block.index);
    const int column = block.thread & ((1 << column_bits) - 1);
    if (column >= columns) return;
    const int row = step / window_parts, of_window = step % window_parts * columns + column;
    for (int k = block.thread >> column_bits; k < kPixels << group_bits;
         k += block.threads >> column_bits) {
      const int pixel = k % kPixels, group = k / kPixels;
      shared[(group * columns + column) * kPitch + pixel] =
          weight(tile, group, pixel, row, of_window);
    }
  }

  TFFLOW_BOTH void multiply(Block block, int step, const float* shared, State& state) const {
    const Tile tile = tile_of(block.index);
    const int channel = channel_of(tile, block.thread), group = block.thread >> lane_bits;
    if (channel >= plan.channels) return;
    const int radius = plan.span / 2;
    const int row = step / window_parts, first_column = step % window_parts * columns;
    const int y = tile.phase_y + (tile.y + y_of(group) + row - radius) * plan.step;
    if (y < 0 || y >= plan.height) return;
    const int first_x = tile.phase_x + (tile.x + x_of(group) + first_column - radius) * plan.step;
    const int left = window_columns() - first_column;
    const T* from = other + plan.pixel_index(tile.batch, y, 0) + channel;
    const float* weights = shared + group * columns * kPitch;
#pragma unroll 4
    for (int t = 0; t < least(left, columns); ++t) {
      const int x = first_x + t * plan.step;
      if (x < 0 || x >= plan.width) continue;
      float values[VECTOR], of_pixels[kPixels];
      load_vector(from + int64_t{1} * x * plan.channels, values);
      read_shared(weights + t * kPitch, of_pixels);
#pragma unroll
      for (int p = 0; p < kPixels; ++p) {
#pragma unroll
        for (int k = 0; k < VECTOR; ++k) state.sums[p][k] += of_pixels[p] * values[k];
      }
    }
  }

  TFFLOW_BOTH void put(Block, float*, const State&) const {}  // the channels lie together already

  TFFLOW_BOTH void write(Block block, const float*, const State& state) const {
    const Tile tile = tile_of(block.index);
    const int channel = channel_of(tile, block.thread), group = block.thread >> lane_bits;
    if (channel >= plan.channels) return;
#pragma unroll
    for (int p = 0; p < kPixels; ++p) {
      const int y = tile.phase_y + (tile.y + y_of(group) + p / kWide) * plan.step;
      const int x = tile.phase_x + (tile.x + x_of(group) + p % kWide) * plan.step;
      if (!plan.in_image(y, x)) continue;
      store_vector(gradient + plan.pixel_index(tile.batch, y, x) + channel, state.sums[p]);
    }
  }

 private:
  // What the block's index stands for: a lattice by its first pixel, in it the first pixel of the
  // tile in steps of the lattice, and the channels.
  struct Tile {
    int batch, phase_y, phase_x, y, x, channels;
  };

  TFFLOW_BOTH Tile tile_of(int index) const {
    const auto next = [&index](int count) {
      const int digit = index % count;
      index /= count;
      return digit;
    };
    Tile tile;
    tile.x = next(tiles_wide) * (kWide << groups_wide_bits);
    tile.y = next(tiles_high) * (kHigh << groups_high_bits());
    tile.channels = next(channel_blocks) * (VECTOR << lane_bits);
    tile.phase_x = next(phases_wide());
    tile.phase_y = next(phases_high());
    tile.batch = index;
    return tile;
  }

  TFFLOW_BOTH int groups_high_bits() const { return group_bits - groups_wide_bits; }
  TFFLOW_BOTH int channel_of(const Tile& tile, int thread) const {
    return tile.channels + (thread & ((1 << lane_bits) - 1)) * VECTOR;
  }
  TFFLOW_BOTH int y_of(int group) const { return (group >> groups_wide_bits) * kHigh; }
  TFFLOW_BOTH int x_of(int group) const { return (group & ((1 << groups_wide_bits) - 1)) * kWide; }

  TFFLOW_BOTH int phases_high() const { return least(plan.step, plan.height); }
  TFFLOW_BOTH int phases_wide() const { return least(plan.step, plan.width); }

  // The window that a thread's pixels have in common begins `radius` before the first of them.
  TFFLOW_BOTH int window_rows() const { return plan.span + kHigh - 1; }
  TFFLOW_BOTH int window_columns() const { return plan.span + kWide - 1; }

  // What a pixel of a window counts for one of the pixels of the thread.
  TFFLOW_BOTH float weight(const Tile& tile, int group, int pixel, int row, int column) const {
    const int across = pixel % kWide, down = pixel / kWide, last = plan.span - 1;
    const int iy = OF_FIRST ? row - down : last - (row - down);
    const int ix = OF_FIRST ? column - across : last - (column - across);
    if (iy < 0 || iy > last || ix < 0 || ix > last) return 0.0f;
    // The displacement belongs to the pixel of the first map.
    const int y = tile.y + y_of(group) + (OF_FIRST ? down : row - plan.span / 2);
    const int x = tile.x + x_of(group) + (OF_FIRST ? across : column - plan.span / 2);
    return spread(tile.batch, tile.phase_y + y * plan.step, tile.phase_x + x * plan.step,
                  iy * plan.span + ix);
  }

  // A displacement's upstream gradients, added over the outputs whose patch holds the pixel.
  TFFLOW_BOTH float spread(int batch, int y, int x, int displacement) const {
    float sum = 0.0f;
    const int radius = plan.kernel / 2;
    for (int tap_y = -radius; tap_y <= radius; ++tap_y) {
      const int out_y = plan.output_at(y - tap_y, plan.out_height);
      if (out_y < 0) continue;
      for (int tap_x = -radius; tap_x <= radius; ++tap_x) {
        const int out_x = plan.output_at(x - tap_x, plan.out_width);
        if (out_x < 0) continue;
        sum += to_float(upstream[plan.cost_index(batch, out_y, out_x) + displacement]);
      }
    }
    return sum * plan.scale;
  }
};

}  // namespace cuda
}  // namespace tfflow
