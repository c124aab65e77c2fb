package com.google.ai.edge.litert;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.jetbrains.annotations.NotNull;
import org.tfflow.core.network.TensorPacking;
import org.tfflow.core.network.TensorSpec;

public final class TensorBuffer extends JniHandle {
    final ByteBuffer bytes;

    TensorBuffer(TensorSpec spec) {
        super(1);
        bytes = TensorPacking.allocate(spec);
    }

    public void writeFloat(@NotNull float[] data) throws LiteRtException {
        assertNotDestroyed();
        bytes.asFloatBuffer().put(Objects.requireNonNull(data, "data"));
    }

    @NotNull
    public float[] readFloat() throws LiteRtException {
        assertNotDestroyed();
        float[] data = new float[bytes.capacity() / 4];
        bytes.asFloatBuffer().get(data);
        return data;
    }

    @Override
    protected void destroy() {}
}
