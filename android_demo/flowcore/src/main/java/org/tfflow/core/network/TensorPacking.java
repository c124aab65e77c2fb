package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.tfflow.core.image.Sizes;

/** Real numbers to a tensor's bytes and back, as {@code tfflow.tflite.FlowInterpreter} does it. */
public final class TensorPacking {
    private TensorPacking() {}

    /** Room for a tensor outside the Java heap, in the machine's byte order, as engines want it. */
    public static ByteBuffer allocate(TensorSpec spec) {
        return ByteBuffer.allocateDirect(spec.byteSize()).order(ByteOrder.nativeOrder());
    }

    /**
     * Writes numbers as the tensor takes them. Integers are rounded to the nearest, halves to the
     * even one, and clipped to their type's range.
     *
     * @param values as many as the tensor has
     * @param tensor from {@link #allocate}; its position does not move
     */
    public static void pack(float[] values, TensorSpec spec, ByteBuffer tensor) {
        check(values, spec, tensor);
        if (spec.type() == TensorSpec.Type.FLOAT32) {
            at0(tensor).asFloatBuffer().put(values);
            return;
        }
        boolean signed = spec.type() == TensorSpec.Type.INT8;
        int lowest = signed ? -128 : 0;
        int highest = signed ? 127 : 255;
        float scale = spec.scale();
        int zeroPoint = spec.zeroPoint();
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            int whole = (int) Math.rint(values[i] / scale) + zeroPoint;
            bytes[i] = (byte) Math.max(lowest, Math.min(whole, highest));
        }
        at0(tensor).put(bytes);
    }

    /**
     * Reads a tensor's numbers.
     *
     * @param values room for as many as the tensor has
     */
    public static void unpack(ByteBuffer tensor, TensorSpec spec, float[] values) {
        check(values, spec, tensor);
        if (spec.type() == TensorSpec.Type.FLOAT32) {
            at0(tensor).asFloatBuffer().get(values);
            return;
        }
        boolean signed = spec.type() == TensorSpec.Type.INT8;
        byte[] bytes = new byte[values.length];
        at0(tensor).get(bytes);
        for (int i = 0; i < values.length; i++) {
            int whole = signed ? bytes[i] : bytes[i] & 0xff;
            values[i] = (whole - spec.zeroPoint()) * spec.scale();
        }
    }

    private static ByteBuffer at0(ByteBuffer tensor) {
        ByteBuffer start = tensor.duplicate().order(tensor.order());
        start.clear();
        return start;
    }

    private static void check(float[] values, TensorSpec spec, ByteBuffer tensor) {
        Sizes.checkLength("values of " + spec.name(), spec.count(), values.length);
        Sizes.checkLength("bytes of " + spec.name(), spec.byteSize(), tensor.capacity());
    }
}
