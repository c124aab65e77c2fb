// The element types of the CUDA kernels and their vectors: 16 bits or 32 in memory, always float32
// in registers. Compiled by nvcc for the device, and by g++ for the tests on the host.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#include <cuda_fp16.h>
#define TFFLOW_BOTH __host__ __device__ __forceinline__
#else
#define TFFLOW_BOTH inline
#endif

namespace tfflow {
namespace cuda {

// Bits rather than CUDA's own types: the launchers' callers (TensorFlow, XLA) have others again.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

template <typename To, typename From>
TFFLOW_BOTH To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "a bit_cast keeps the size");
  To to;
  memcpy(&to, &from, sizeof(To));
  return to;
}

TFFLOW_BOTH float not_a_number() { return bit_cast<float>(0x7fc00000u); }

TFFLOW_BOTH float to_float(float value) { return value; }
TFFLOW_BOTH float to_float(BFloat16 value) {
  return bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}
TFFLOW_BOTH float to_float(Half value) {
#if defined(__CUDACC__)
  return __half2float(__half_raw{value.bits});
#else
  return static_cast<float>(bit_cast<_Float16>(value));
#endif
}

TFFLOW_BOTH void from_float(float value, float* result) { *result = value; }
TFFLOW_BOTH void from_float(float value, BFloat16* result) {
  const uint32_t bits = bit_cast<uint32_t>(value);
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;  // rounding would turn some into infinity
  const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);  // to nearest, ties to even
  result->bits = is_nan ? uint16_t{0x7fc0} : static_cast<uint16_t>(rounded >> 16);
}
TFFLOW_BOTH void from_float(float value, Half* result) {
#if defined(__CUDACC__)
  result->bits = static_cast<__half_raw>(__float2half_rn(value)).x;
#else
  *result = bit_cast<Half>(static_cast<_Float16>(value));
#endif
}

// Elements of 128 bits, the widest access that a thread has.
template <typename T>
constexpr int kVector = 16 / sizeof(T);

// COUNT elements, one or a 16-byte aligned vector of kVector<T>, as float32.
template <typename T, int COUNT>
TFFLOW_BOTH void load_vector(const T* from, float (&values)[COUNT]) {
  static_assert(COUNT == 1 || COUNT == kVector<T>, "one element or 128 bits");
  T elements[COUNT];
#if defined(__CUDA_ARCH__)
  if constexpr (COUNT > 1) {
    const uint4 bits = __ldg(reinterpret_cast<const uint4*>(from));
    memcpy(elements, &bits, sizeof(elements));
  } else {
    elements[0] = from[0];
  }
#else
  memcpy(elements, from, sizeof(elements));
#endif
#pragma unroll
  for (int k = 0; k < COUNT; ++k) values[k] = to_float(elements[k]);
}

template <typename T, int COUNT>
TFFLOW_BOTH void store_vector(T* to, const float (&values)[COUNT]) {
  static_assert(COUNT == 1 || COUNT == kVector<T>, "one element or 128 bits");
  T elements[COUNT];
#pragma unroll
  for (int k = 0; k < COUNT; ++k) from_float(values[k], &elements[k]);
#if defined(__CUDA_ARCH__)
  if constexpr (COUNT > 1) {
    uint4 bits;
    memcpy(&bits, elements, sizeof(elements));
    *reinterpret_cast<uint4*>(to) = bits;
  } else {
    to[0] = elements[0];
  }
#else
  memcpy(to, elements, sizeof(elements));
#endif
}

// A multiple of four float32 from the shared memory, 16-byte aligned.
template <int COUNT>
TFFLOW_BOTH void read_shared(const float* from, float (&values)[COUNT]) {
#if defined(__CUDA_ARCH__)
#pragma unroll
  for (int k = 0; k < COUNT; k += 4) {
    const float4 four = *reinterpret_cast<const float4*>(from + k);
    values[k] = four.x, values[k + 1] = four.y, values[k + 2] = four.z, values[k + 3] = four.w;
  }
#else
  memcpy(values, from, sizeof(values));
#endif
}

// One float32, or a multiple of four, to the shared memory.
template <int COUNT>
TFFLOW_BOTH void write_shared(float* to, const float (&values)[COUNT]) {
#if defined(__CUDA_ARCH__)
  if constexpr (COUNT % 4 == 0) {
#pragma unroll
    for (int k = 0; k < COUNT; k += 4) {
      *reinterpret_cast<float4*>(to + k) =
          make_float4(values[k], values[k + 1], values[k + 2], values[k + 3]);
    }
  } else {
    to[0] = values[0];
  }
#else
  memcpy(to, values, sizeof(values));
#endif
}

// The least bits, up to `most`, for as many numbers as `count`.
inline int bits_for(int64_t count, int most) {
  int bits = 0;
  while (bits < most && (int64_t{1} << bits) < count) ++bits;
  return bits;
}

TFFLOW_BOTH int least(int a, int b) { return a < b ? a : b; }
TFFLOW_BOTH int ceil_div(int size, int part) { return (size + part - 1) / part; }

}  // namespace cuda
}  // namespace tfflow
