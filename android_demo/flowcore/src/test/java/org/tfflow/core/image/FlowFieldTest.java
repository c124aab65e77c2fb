package org.tfflow.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tfflow.core.Golden;

class FlowFieldTest {
    @Test
    void resizesAsTfflow() {
        Golden wanted = Golden.read("motion_up");
        FlowField resized =
                Golden.read("motion").flow().resize(wanted.width(), wanted.height());
        assertArrayEquals(wanted.floats(), resized.uv(), 1e-5f);
    }

    @Test
    void theSameSizeIsACopy() {
        FlowField flow = Golden.read("motion").flow();
        FlowField same = flow.resize(flow.width(), flow.height());
        assertArrayEquals(flow.uv(), same.uv());
        flow.uv()[0] += 1;
        assertEquals(flow.uv()[0] - 1, same.uv()[0], 1e-5f);
    }

    @Test
    void unknownFlowDoesNotCount() {
        FlowField flow =
                new FlowField(4, 1, new float[] {3, 4, Float.NaN, 0, 2e9f, 0, 0, 1});
        assertEquals(5, flow.largestMotion());
        FlowField unknown = new FlowField(1, 1, new float[] {Float.NaN, 0});
        assertEquals(0, unknown.largestMotion());
    }

    @Test
    void cropsAPart() {
        FlowField flow = new FlowField(3, 2, new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
        assertArrayEquals(new float[] {8, 9, 10, 11}, flow.crop(1, 1, 2, 1).uv());
        assertThrows(IllegalArgumentException.class, () -> flow.crop(2, 0, 2, 1));
    }

    @Test
    void wrongLengthIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new FlowField(2, 2, new float[7]));
    }
}
