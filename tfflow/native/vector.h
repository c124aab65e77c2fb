// Vectors of a register's width, in the form that GCC and Clang share. Only for the .cc files, each
// of which is compiled for the machine that it runs on.
#ifndef TFFLOW_NATIVE_VECTOR_H_
#define TFFLOW_NATIVE_VECTOR_H_

#include <cstdint>
#include <utility>

#define TFFLOW_INLINE inline __attribute__((always_inline))

namespace tfflow {

// How many accumulators of `kForward` outputs times `kForwardVectors`, and of `kBackward` pixels
// times `kBackwardVectors`, the registers hold: enough to keep two multiply-adds in flight a cycle.
// Where one vector is as wide as the displacements of `kForward` outputs, `kForwardVectors` rows are
// computed together instead.
#if defined(__AVX512F__)
constexpr int kVectorBytes = 64, kForward = 8, kForwardVectors = 2, kBackward = 4;
constexpr int kBackwardVectors = 4;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32, kForward = 6, kForwardVectors = 2, kBackward = 4;
constexpr int kBackwardVectors = 2;
#elif defined(__aarch64__)
constexpr int kVectorBytes = 16, kForward = 6, kForwardVectors = 4, kBackward = 4;
constexpr int kBackwardVectors = 4;
#else
constexpr int kVectorBytes = 16, kForward = 4, kForwardVectors = 2, kBackward = 4;
constexpr int kBackwardVectors = 2;
#endif

template <class Scalar>
struct Vector {
  typedef Scalar Type __attribute__((vector_size(kVectorBytes)));
  typedef Scalar Unaligned __attribute__((vector_size(kVectorBytes), aligned(alignof(Scalar)),
                                          may_alias));
  static constexpr int lanes = kVectorBytes / sizeof(Scalar);

  static TFFLOW_INLINE Type load(const Scalar* from) {
    return *reinterpret_cast<const Unaligned*>(from);
  }
  static TFFLOW_INLINE void store(Scalar* to, Type value) {
    *reinterpret_cast<Unaligned*>(to) = value;
  }
  // In an order that depends on nothing but the number of lanes.
  static TFFLOW_INLINE Scalar sum(Type value) {
    Scalar total = 0;
    for (int i = 0; i < lanes; ++i) total += value[i];
    return total;
  }
};

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define TFFLOW_TURNS_IN_REGISTERS 1

// One half of a and b, their lanes in turn: a b a b …
template <class V, int half, int... i>
TFFLOW_INLINE typename V::Type in_turn(typename V::Type a, typename V::Type b,
                                       std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(a, b, (half * V::lanes / 2 + i / 2 + i % 2 * V::lanes)...);
}

// Turns over a square of numbers, one vector each row. Laying the rows of the upper half between
// those of the lower moves one bit of a number's place from its row to its lane; after as many
// times as there are bits, rows and lanes have changed places.
template <class V>
TFFLOW_INLINE void turn_square(typename V::Type (&rows)[V::lanes]) {
  constexpr auto lanes = std::make_integer_sequence<int, V::lanes>();
  for (int bit = 1; bit < V::lanes; bit *= 2) {
    typename V::Type laid[V::lanes];
    for (int i = 0; i < V::lanes / 2; ++i) {
      laid[2 * i] = in_turn<V, 0>(rows[i], rows[i + V::lanes / 2], lanes);
      laid[2 * i + 1] = in_turn<V, 1>(rows[i], rows[i + V::lanes / 2], lanes);
    }
    for (int i = 0; i < V::lanes; ++i) rows[i] = laid[i];
  }
}
#endif
#endif

// A single number in a vector's clothes, for what is narrower than a vector.
template <class Scalar>
struct Single {
  using Type = Scalar;
  static constexpr int lanes = 1;
  static TFFLOW_INLINE Type load(const Scalar* from) { return *from; }
  static TFFLOW_INLINE void store(Scalar* to, Type value) { *to = value; }
  static TFFLOW_INLINE Scalar sum(Type value) { return value; }
};

}  // namespace tfflow

#endif  // TFFLOW_NATIVE_VECTOR_H_
