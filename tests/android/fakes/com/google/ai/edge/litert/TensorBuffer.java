package com.google.ai.edge.litert;

import java.nio.ByteBuffer;
import org.tfflow.core.TensorPacking;
import org.tfflow.core.TensorSpec;

public final class TensorBuffer implements AutoCloseable {
    final ByteBuffer bytes;

    TensorBuffer(TensorSpec spec) {
        bytes = TensorPacking.allocate(spec);
    }

    public void writeFloat(float[] data) throws LiteRtException {
        bytes.asFloatBuffer().put(data);
    }

    public float[] readFloat() throws LiteRtException {
        float[] data = new float[bytes.capacity() / 4];
        bytes.asFloatBuffer().get(data);
        return data;
    }

    @Override
    public void close() {}
}
