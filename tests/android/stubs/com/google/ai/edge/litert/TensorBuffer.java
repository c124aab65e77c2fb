package com.google.ai.edge.litert;

/** Compile-only: what the app uses of the real one. */
public final class TensorBuffer implements AutoCloseable {
    public void writeFloat(float[] data) throws LiteRtException {}

    public float[] readFloat() throws LiteRtException {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public void close() {}
}
