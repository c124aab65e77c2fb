package org.tfflow.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
    void confidenceIsResizedAsTfflow() {
        Golden given = Golden.read("confidence");
        Golden wanted = Golden.read("confidence_up");
        float[] still = new float[2 * given.width() * given.height()];
        FlowField field = new FlowField(given.width(), given.height(), still, given.floats());
        FlowField resized = field.resize(wanted.width(), wanted.height());
        for (int y = 0; y < wanted.height(); y++) {
            for (int x = 0; x < wanted.width(); x++) {
                float expected = wanted.floats()[y * wanted.width() + x];
                assertEquals(expected, resized.confidence(x, y), 1e-6f);
            }
        }
        FlowField same = field.resize(given.width(), given.height());
        assertEquals(given.floats()[9], same.confidence(9 % given.width(), 9 / given.width()));
    }

    @Test
    void doubtfulFlowIsNotKnown() {
        float[] trust = {0.3f, 0.5f, Float.NaN, 0.35f, 1, 0};
        float[] uv = {9, 1, 2, 3, 4, 5, 0, 7, 8, 0, 9, 9};
        FlowField flow = new FlowField(3, 2, uv, trust);
        FlowField sure = flow.withoutDoubtful(FlowField.DOUBTFUL);
        boolean[] known = {false, true, false, true, true, false};
        for (int i = 0; i < known.length; i++) {
            assertEquals(known[i], sure.isKnown(i % 3, i / 3), "pixel " + i);
        }
        assertEquals(8, sure.largestMotion());
        assertEquals(0.5f, sure.confidence(1, 0));
        assertTrue(flow.isKnown(0, 0)); // the other field is as it was
        FlowField part = flow.crop(1, 1, 2, 1);
        assertEquals(1, part.confidence(0, 0));
        assertEquals(0, part.confidence(1, 0));
    }

    @Test
    void flowWithoutConfidenceSaysSo() {
        FlowField flow = Golden.read("motion").flow();
        assertFalse(flow.hasConfidence());
        assertThrows(IllegalStateException.class, () -> flow.confidence(0, 0));
        assertThrows(IllegalStateException.class, () -> flow.withoutDoubtful(0.5f));
        assertFalse(flow.crop(0, 0, 2, 2).resize(5, 5).hasConfidence());
    }

    @Test
    void wrongLengthIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new FlowField(2, 2, new float[7]));
        assertThrows(
                IllegalArgumentException.class,
                () -> new FlowField(2, 2, new float[8], new float[8]));
    }
}
