package com.google.ai.edge.litert;

/** Compile-only: what the app uses of the real one. */
public final class Model implements AutoCloseable {
    public static Model load(android.content.res.AssetManager assets, String name)
            throws LiteRtException {
        throw new UnsupportedOperationException("stub");
    }

    public TensorType getInputTensorType(String name, String signature) {
        throw new UnsupportedOperationException("stub");
    }

    public TensorType getOutputTensorType(String name, String signature) {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public void close() {}
}
