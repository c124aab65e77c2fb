package org.tfflow.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tfflow.core.Golden;

class FlowColorsTest {
    private final FlowField flow = Golden.read("wheel_flow").flow();

    private static byte[] rgb(FlowField flow, int[] argb) {
        return RgbImage.fromArgb(flow.width(), flow.height(), argb).bytes();
    }

    @Test
    void sameColoursAsTfflow() {
        assertArrayEquals(
                Golden.read("wheel_fixed").bytes(), rgb(flow, FlowColors.toArgb(flow, 8, 255)));
        assertArrayEquals(
                Golden.read("wheel_own").bytes(), rgb(flow, FlowColors.toArgb(flow)));
    }

    @Test
    void knownDirections() {
        FlowField four = new FlowField(4, 1, new float[] {1, 0, -1, 0, 0, 0, Float.NaN, 0});
        int[] argb = FlowColors.toArgb(four, 1, 200);
        assertEquals(0xc8ff0000, argb[0]); // to the right: red
        assertEquals(0xff, argb[1] & 0xff); // to the left: blue is full
        assertEquals(0xc8ffffff, argb[2]); // no motion: white
        assertEquals(0, argb[3]); // unknown: transparent
    }

    @Test
    void theTableIsTwoLevelsApartAtMost() {
        int side = 801; // from -10 to 10 px, in steps of their own
        float[] uv = new float[2 * side * side];
        for (int i = 0; i < side * side; i++) {
            uv[2 * i] = (i % side - 400) / 40f;
            uv[2 * i + 1] = (i / side - 400) / 40f;
        }
        uv[0] = Float.NaN;
        uv[2] = 2e9f;
        FlowField all = new FlowField(side, side, uv);
        int[] exact = FlowColors.toArgb(all, 7, 200);
        int[] table = FlowColorTable.toArgb(all, 7, 200);
        assertEquals(0, table[0]);
        assertEquals(0, table[1]);
        for (int i = 2; i < exact.length; i++) {
            double radius = Math.hypot(uv[2 * i], uv[2 * i + 1]) / 7;
            if (Math.abs(radius - 1) < 0.004) {
                continue; // the step to the darker colours lies within one entry
            }
            assertEquals(exact[i] >>> 24, table[i] >>> 24);
            for (int shift = 0; shift < 24; shift += 8) {
                assertEquals(exact[i] >> shift & 0xff, table[i] >> shift & 0xff, 2, "at " + i);
            }
        }
    }

    @Test
    void noMotionAtAllIsWhite() {
        FlowField still = new FlowField(2, 2, new float[8]);
        for (int pixel : FlowColors.toArgb(still)) {
            assertEquals(0xffffffff, pixel);
        }
    }

    @Test
    void impossibleScalesAreRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> FlowColors.toArgb(flow, 0, 255));
        assertThrows(
                IllegalArgumentException.class, () -> FlowColors.toArgb(flow, Double.NaN, 255));
        assertThrows(IllegalArgumentException.class, () -> FlowColors.toArgb(flow, 1, 256));
    }
}
