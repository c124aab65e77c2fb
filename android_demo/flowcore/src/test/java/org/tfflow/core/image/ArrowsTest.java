package org.tfflow.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.tfflow.core.pipeline.FlowPipelineOptions;

class ArrowsTest {
    private static FlowField uniform(int width, int height, float u, float v) {
        float[] uv = new float[2 * width * height];
        for (int i = 0; i < uv.length; i += 2) {
            uv[i] = u;
            uv[i + 1] = v;
        }
        return new FlowField(width, height, uv);
    }

    @Test
    void anArrowLeadsWhereThePixelGoes() {
        Arrows arrows = Arrows.of(uniform(8, 8, 10, 0), 8, 1);
        assertEquals(1, arrows.count());
        // From the middle of pixel (4, 4); the head is 3.5 long and 3.5 wide.
        float[] wanted = {
            4.5f, 4.5f, 14.5f, 4.5f, 11, 6.25f, 14.5f, 4.5f, 11, 2.75f, 14.5f, 4.5f
        };
        assertArrayEquals(wanted, arrows.lines(), 1e-5f);
        assertEquals(0xffff0000, arrows.colors()[0]); // to the right is red
    }

    @Test
    void longArrowsHaveHeadsOfSevenPixels() {
        float[] lines = Arrows.of(uniform(8, 8, 0, -100), 8, 1).lines();
        assertEquals(-95.5, lines[3], 1e-4);
        assertEquals(7, lines[5] - lines[3], 1e-4);
        assertEquals(7, Math.abs(lines[4] - lines[8]), 1e-4);
    }

    @Test
    void theGridIsThatOfPython() {
        // range(step // 2, side, step)
        assertEquals(4 * 3, Arrows.of(uniform(29, 24, 9, 9), 8, 1).count());
        assertEquals(2 * 1, Arrows.of(uniform(13, 12, 9, 9), 8, 1).count());
        assertEquals(0, Arrows.of(uniform(4, 4, 9, 9), 8, 1).count());
        assertEquals(5 * 2, Arrows.of(uniform(5, 2, 9, 9), 1, 1).count());
    }

    @Test
    void whatStandsStillOrIsNotKnownHasNone() {
        FlowField flow = uniform(24, 8, 3, 0);
        flow.uv()[2 * (24 * 4 + 12)] = 1.9f;
        flow.uv()[2 * (24 * 4 + 20)] = Float.NaN;
        Arrows arrows = Arrows.of(flow, 8, 1);
        assertEquals(1, arrows.count());
        assertEquals(4.5f, arrows.lines()[0]);
        assertEquals(2, Arrows.of(flow, 8, 2).count()); // drawn twice as long, it is seen
        assertEquals(10.5f, Arrows.of(flow, 8, 2).lines()[2]);
    }

    @Test
    void nonsenseIsRefused() {
        FlowField flow = uniform(8, 8, 3, 0);
        assertThrows(IllegalArgumentException.class, () -> Arrows.of(flow, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> Arrows.of(flow, 8, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> FlowPipelineOptions.standard().withArrows(0));
        assertEquals("[]", Arrays.toString(Arrows.NONE.lines()));
    }
}
