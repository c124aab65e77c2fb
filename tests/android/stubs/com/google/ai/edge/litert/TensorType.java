package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public final class TensorType {
    public TensorType(@NotNull TensorType.ElementType a0) {}
    public TensorType(@NotNull TensorType.ElementType a0, @Nullable TensorType.Layout a1) {}
    @NotNull public TensorType.ElementType component1() { throw new UnsupportedOperationException("stub"); }
    @Nullable public TensorType.Layout component2() { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorType copy(@NotNull TensorType.ElementType a0, @Nullable TensorType.Layout a1) { throw new UnsupportedOperationException("stub"); }
    public boolean equals(@Nullable Object a0) { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorType.ElementType getElementType() { throw new UnsupportedOperationException("stub"); }
    @Nullable public TensorType.Layout getLayout() { throw new UnsupportedOperationException("stub"); }
    public int hashCode() { throw new UnsupportedOperationException("stub"); }
    @NotNull public String toString() { throw new UnsupportedOperationException("stub"); }
    public enum ElementType {
        BOOLEAN, FLOAT, INT, INT64, INT8;
    }
    public static final class Layout {
        public Layout(@NotNull java.util.List<Integer> a0) {}
        public Layout(@NotNull java.util.List<Integer> a0, @NotNull java.util.List<Integer> a1) {}
        public Layout(@NotNull int[] a0) {}
        public Layout(@NotNull int[] a0, @NotNull int[] a1) {}
        @NotNull public java.util.List<Integer> component1() { throw new UnsupportedOperationException("stub"); }
        @NotNull public java.util.List<Integer> component2() { throw new UnsupportedOperationException("stub"); }
        @NotNull public TensorType.Layout copy(@NotNull java.util.List<Integer> a0, @NotNull java.util.List<Integer> a1) { throw new UnsupportedOperationException("stub"); }
        public boolean equals(@Nullable Object a0) { throw new UnsupportedOperationException("stub"); }
        @NotNull public java.util.List<Integer> getDimensions() { throw new UnsupportedOperationException("stub"); }
        public boolean getHasStrides() { throw new UnsupportedOperationException("stub"); }
        public int getRank() { throw new UnsupportedOperationException("stub"); }
        @NotNull public java.util.List<Integer> getStrides() { throw new UnsupportedOperationException("stub"); }
        public int hashCode() { throw new UnsupportedOperationException("stub"); }
        @NotNull public String toString() { throw new UnsupportedOperationException("stub"); }
    }
}
