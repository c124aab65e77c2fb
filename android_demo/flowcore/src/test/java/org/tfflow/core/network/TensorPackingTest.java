package org.tfflow.core.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.tfflow.core.Golden;

class TensorPackingTest {
    private static final int[] SHAPE = {1, 32, 40, 3};
    private final float[] values = Golden.read("image_up").floats();

    private void checkQuantized(String golden, TensorSpec spec) {
        ByteBuffer tensor = TensorPacking.allocate(spec);
        tensor.position(5); // must not matter
        TensorPacking.pack(values, spec, tensor);
        byte[] got = new byte[spec.byteSize()];
        tensor.duplicate().clear();
        for (int i = 0; i < got.length; i++) {
            got[i] = tensor.get(i);
        }
        assertArrayEquals(Golden.read(golden).bytes(), got);
        assertEquals(5, tensor.position());
        float[] back = new float[values.length];
        TensorPacking.unpack(tensor, spec, back);
        for (int i = 0; i < back.length; i++) {
            if (got[i] != -128 && got[i] != 127) { // not clipped
                assertEquals(values[i], back[i], spec.scale() / 2 + 1e-6f);
            }
        }
    }

    @Test
    void quantisesAsTfflow() {
        checkQuantized(
                "image_uint8",
                TensorSpec.quantized("image1", TensorSpec.Type.UINT8, 1 / 255f, 0, SHAPE));
        checkQuantized(
                "image_int8",
                TensorSpec.quantized("image1", TensorSpec.Type.INT8, 1 / 255f, -128, SHAPE));
        checkQuantized(
                "image_int8_odd",
                TensorSpec.quantized("image1", TensorSpec.Type.INT8, 0.0117f, -3, SHAPE));
    }

    @Test
    void roundsHalvesToEvenAndClips() {
        TensorSpec spec = TensorSpec.quantized("x", TensorSpec.Type.INT8, 1, 0, 1, 1, 1, 6);
        ByteBuffer tensor = TensorPacking.allocate(spec);
        TensorPacking.pack(new float[] {0.5f, 1.5f, -0.5f, -2.5f, 300, -300}, spec, tensor);
        float[] back = new float[6];
        TensorPacking.unpack(tensor, spec, back);
        assertArrayEquals(new float[] {0, 2, 0, -2, 127, -128}, back);
    }

    @Test
    void unsignedBytesAreNotNegative() {
        TensorSpec spec = TensorSpec.quantized("x", TensorSpec.Type.UINT8, 0.5f, 10, 1, 1, 1, 2);
        ByteBuffer tensor = TensorPacking.allocate(spec);
        tensor.put(0, (byte) 250).put(1, (byte) 0);
        float[] back = new float[2];
        TensorPacking.unpack(tensor, spec, back);
        assertArrayEquals(new float[] {120, -5}, back);
    }

    @Test
    void floatsStayAsTheyAre() {
        TensorSpec spec = TensorSpec.floats("image1", SHAPE);
        ByteBuffer tensor = TensorPacking.allocate(spec);
        TensorPacking.pack(values, spec, tensor);
        assertEquals(values[7], tensor.getFloat(28));
        float[] back = new float[values.length];
        TensorPacking.unpack(tensor, spec, back);
        assertArrayEquals(values, back);
    }

    @Test
    void wrongSizesAndSpecsAreRefused() {
        TensorSpec spec = TensorSpec.floats("image1", SHAPE);
        ByteBuffer small = ByteBuffer.allocate(spec.byteSize() - 1);
        assertThrows(
                IllegalArgumentException.class, () -> TensorPacking.pack(values, spec, small));
        assertThrows(
                IllegalArgumentException.class, () -> TensorSpec.floats("image1", 2, 8, 8, 3));
        assertThrows(
                IllegalArgumentException.class,
                () -> TensorSpec.quantized("x", TensorSpec.Type.INT8, 0, 0, SHAPE));
    }
}
