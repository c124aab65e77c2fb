package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public final class TensorBufferRequirements {
    public TensorBufferRequirements(@NotNull java.util.List<? extends TensorBufferType> a0, int a1, @NotNull java.util.List<Integer> a2) {}
    public TensorBufferRequirements(@NotNull int[] a0, int a1, @NotNull int[] a2) {}
    @NotNull public java.util.List<TensorBufferType> component1() { throw new UnsupportedOperationException("stub"); }
    public int component2() { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<Integer> component3() { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorBufferRequirements copy(@NotNull java.util.List<? extends TensorBufferType> a0, int a1, @NotNull java.util.List<Integer> a2) { throw new UnsupportedOperationException("stub"); }
    public boolean equals(@Nullable Object a0) { throw new UnsupportedOperationException("stub"); }
    public int getBufferSize() { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<Integer> getStrides() { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBufferType> getSupportedTypes() { throw new UnsupportedOperationException("stub"); }
    public int hashCode() { throw new UnsupportedOperationException("stub"); }
    @NotNull public String toString() { throw new UnsupportedOperationException("stub"); }
}
