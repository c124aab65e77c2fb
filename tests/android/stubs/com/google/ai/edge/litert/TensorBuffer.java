package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public final class TensorBuffer extends JniHandle {
    public TensorBuffer(long a0) { super(0); }
    protected void destroy() {}
    @NotNull public boolean[] readBoolean() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public float[] readFloat() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public int[] readInt() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public byte[] readInt8() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public long[] readLong() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    public void writeBoolean(@NotNull boolean[] a0) throws LiteRtException {}
    public void writeFloat(@NotNull float[] a0) throws LiteRtException {}
    public void writeInt(@NotNull int[] a0) throws LiteRtException {}
    public void writeInt8(@NotNull byte[] a0) throws LiteRtException {}
    public void writeLong(@NotNull long[] a0) throws LiteRtException {}
}
