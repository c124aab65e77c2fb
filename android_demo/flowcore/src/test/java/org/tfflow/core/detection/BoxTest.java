package org.tfflow.core.detection;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tfflow.core.Golden;

class BoxTest {
    static Box box(float left, float top, float right, float bottom, float score, int label) {
        return new Box(left, top, right, bottom, score, label);
    }

    @Test
    void overlapIsSharedOverCovered() {
        Box box = box(0, 0, 10, 10, 1, 0);
        assertEquals(1, box.overlap(box));
        assertEquals(1 / 3f, box.overlap(box(5, 0, 15, 10, 1, 0)), 1e-6);
        assertEquals(25 / 175f, box.overlap(box(5, 5, 15, 15, 1, 0)), 1e-6);
        assertEquals(0, box.overlap(box(10, 0, 20, 10, 1, 0)));
        assertEquals(0, box(3, 3, 3, 3, 1, 0).overlap(box));
        assertThrows(IllegalArgumentException.class, () -> box(5, 0, 4, 1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> box(0, 0, Float.NaN, 1, 1, 0));
    }

    @Test
    void theSurestOfEachLabelStays() {
        Box weak = box(1, 0, 11, 10, 0.6f, 1);
        Box sure = box(0, 0, 10, 10, 0.9f, 1);
        Box other = box(0, 0, 10, 10, 0.5f, 2);
        Box far = box(30, 0, 40, 10, 0.4f, 1);
        Box doubtful = box(60, 0, 70, 10, 0.2f, 1);
        List<Box> kept =
                new NonMaximumSuppression(0.3f, 0.5f)
                        .apply(Arrays.asList(weak, doubtful, other, sure, far));
        assertEquals(Arrays.asList(sure, other, far), kept);
        assertEquals(
                Arrays.asList(sure, weak, other, far, doubtful),
                new NonMaximumSuppression(0, 1)
                        .apply(Arrays.asList(weak, doubtful, other, sure, far)));
    }

    @Test
    void aDroppedBoxDropsNoOther() {
        // The second overlaps the first and goes; the third overlaps only the second and stays.
        Box first = box(0, 0, 10, 10, 0.9f, 0);
        Box second = box(4, 0, 14, 10, 0.8f, 0);
        Box third = box(8, 0, 18, 10, 0.7f, 0);
        assertEquals(
                Arrays.asList(first, third),
                new NonMaximumSuppression(0, 0.4f).apply(Arrays.asList(third, second, first)));
    }

    @Test
    void suppressionIsThatOfPython() {
        // decode() of tfflow.detection.boxes on many boxes that overlap, some with equal scores.
        Golden boxes = Golden.read("nms_boxes");
        Golden scores = Golden.read("nms_scores");
        int classes = scores.width();
        List<Box> all = new ArrayList<>();
        for (int i = 0; i < scores.floats().length; i++) {
            float[] side = Arrays.copyOfRange(boxes.floats(), i / classes * 4, i / classes * 4 + 4);
            all.add(box(side[0], side[1], side[2], side[3], scores.floats()[i], i % classes));
        }
        List<Box> kept = new NonMaximumSuppression(0.3, 0.5, 30).apply(all);
        float[] wanted = Golden.read("nms_kept").floats();
        assertEquals(30, kept.size());
        for (int i = 0; i < kept.size(); i++) {
            Box box = kept.get(i);
            float[] got = {
                box.left(), box.top(), box.right(), box.bottom(), box.score(), box.label()
            };
            assertArrayEquals(Arrays.copyOfRange(wanted, 6 * i, 6 * i + 6), got, "box " + i);
        }
    }

    @Test
    void onlyMoreThanTheLimitIsTooMuch() {
        List<Box> two = Arrays.asList(box(0, 0, 10, 10, 1, 0), box(0, 0, 10, 5, 0.9f, 0));
        assertEquals(2, new NonMaximumSuppression(0, 0.5).apply(two).size());
        assertEquals(1, new NonMaximumSuppression(0, 0.499).apply(two).size());
        assertEquals(1, new NonMaximumSuppression(0.95, 0.5).apply(two).size());
    }

    @Test
    void impossibleLimitsAreRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> new NonMaximumSuppression(1.1, 0.5));
        assertThrows(
                IllegalArgumentException.class, () -> new NonMaximumSuppression(0.3, 0.5, 0));
    }
}
