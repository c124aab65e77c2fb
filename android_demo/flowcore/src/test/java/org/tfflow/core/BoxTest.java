package org.tfflow.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class BoxTest {
    static Box box(float left, float top, float right, float bottom, float score, int label) {
        return new Box(left, top, right, bottom, score, label);
    }

    static FlowField uniform(int width, int height, float u, float v) {
        float[] uv = new float[2 * width * height];
        for (int i = 0; i < uv.length; i += 2) {
            uv[i] = u;
            uv[i + 1] = v;
        }
        return new FlowField(width, height, uv);
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
        // decode() of tfflow.video.boxes on many boxes that overlap, some with equal scores.
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

    @Test
    void boxesFollowTheFlow() {
        Box moved =
                BoxPropagation.move(box(10, 20, 30, 60, 0.7f, 4), uniform(100, 80, 3.5f, -2));
        assertEquals("Box(13.5, 18.0, 33.5, 58.0; label 4, score 0.70)", moved.toString());
    }

    @Test
    void outliersDoNotCount() {
        FlowField flow = uniform(40, 40, 2, 0);
        for (int y = 0; y < 40; y++) { // a third of the box is background that stands still
            for (int x = 0; x < 18; x++) {
                flow.uv()[2 * (40 * y + x)] = 0;
            }
        }
        Box moved = BoxPropagation.move(box(10, 10, 34, 30, 1, 0), flow);
        assertEquals(12, moved.left(), 0.01);
        assertEquals(36, moved.right(), 0.01);
    }

    @Test
    void boxesGrowWithTheirContents() {
        float[] uv = new float[2 * 60 * 60];
        for (int y = 0; y < 60; y++) { // everything moves away from (30, 30) by a tenth
            for (int x = 0; x < 60; x++) {
                uv[2 * (60 * y + x)] = 0.1f * (x + 0.5f - 30);
                uv[2 * (60 * y + x) + 1] = 0.1f * (y + 0.5f - 30);
            }
        }
        Box moved = BoxPropagation.move(box(14, 22, 46, 38, 1, 0), new FlowField(60, 60, uv));
        assertEquals(35.2, moved.width(), 0.2);
        assertEquals(17.6, moved.height(), 0.2);
        assertEquals(30, (moved.left() + moved.right()) / 2, 0.1);
    }

    @Test
    void withoutFlowABoxStays() {
        Box outside = box(50, 50, 60, 60, 1, 0);
        assertSame(outside, BoxPropagation.move(outside, uniform(20, 20, 5, 5)));
        Box inside = box(5, 5, 10, 10, 1, 0);
        assertSame(inside, BoxPropagation.move(inside, uniform(20, 20, Float.NaN, 0)));
    }

    @Test
    void tracksKeepTheirNumbers() {
        Tracker tracker = new Tracker(0.3f, 1);
        tracker.update(Arrays.asList(box(0, 0, 10, 10, 1, 0), box(50, 0, 60, 10, 1, 0)));
        tracker.move(uniform(100, 50, 20, 5));
        // Without the flow the first would be taken for nothing at all, or for the second.
        tracker.update(
                Arrays.asList(
                        box(70, 5, 80, 15, 1, 0),
                        box(20, 5, 30, 15, 1, 0),
                        box(20, 5, 30, 15, 1, 7)));
        List<Track> tracks = tracker.tracks();
        assertEquals(3, tracks.size());
        assertEquals(1, tracks.get(0).id());
        assertEquals(20, tracks.get(0).box().left());
        assertEquals(2, tracks.get(0).detections());
        assertEquals(2, tracks.get(1).id());
        assertEquals(70, tracks.get(1).box().left());
        assertEquals(3, tracks.get(2).id()); // another label is another thing
        assertEquals(7, tracks.get(2).box().label());
    }

    @Test
    void theBestMatchWins() {
        Tracker tracker = new Tracker(0.1f, 1);
        tracker.update(Arrays.asList(box(0, 0, 10, 10, 1, 0), box(6, 0, 16, 10, 1, 0)));
        tracker.update(Collections.singletonList(box(5, 0, 15, 10, 1, 0)));
        assertEquals(1, tracker.tracks().get(0).missed());
        assertEquals(0, tracker.tracks().get(1).missed());
        assertEquals(5, tracker.tracks().get(1).box().left());
    }

    @Test
    void theLostAreForgotten() {
        Tracker tracker = new Tracker(0.3f, 1);
        tracker.update(Collections.singletonList(box(0, 0, 10, 10, 1, 0)));
        tracker.update(Collections.emptyList());
        assertEquals(1, tracker.tracks().get(0).missed());
        tracker.update(Collections.emptyList());
        assertEquals(0, tracker.tracks().size());

        tracker.update(Collections.singletonList(box(0, 0, 10, 10, 1, 0)));
        assertEquals(2, tracker.tracks().get(0).id()); // never the same number again
        tracker.move(uniform(100, 50, -10, 0)); // out of the picture
        assertEquals(0, tracker.tracks().size());
    }

    @Test
    void detectionInVideoDetectsOnKeyFramesOnly() {
        int[] calls = {0};
        Detector detector =
                image -> {
                    calls[0]++;
                    return Arrays.asList(
                            box(10, 10, 20, 20, 0.9f, 0), box(11, 10, 21, 20, 0.8f, 0));
                };
        TrackedDetection video =
                new TrackedDetection(
                        detector,
                        new FixedInterval(3),
                        new NonMaximumSuppression(0.3f, 0.5f),
                        new Tracker(0.3f, 2));
        RgbImage image = new RgbImage(60, 40);
        assertEquals(1, video.first(image).size());
        List<Track> moved = video.next(image, uniform(60, 40, 2, 1));
        assertEquals(12, moved.get(0).box().left(), 1e-4);
        assertEquals(11, moved.get(0).box().top(), 1e-4);
        moved = video.next(image, uniform(60, 40, 2, 1));
        assertEquals(14, moved.get(0).box().left(), 1e-4);
        assertEquals(1, calls[0]);
        moved = video.next(image, uniform(60, 40, -3, -1));
        assertEquals(2, calls[0]);
        assertEquals(10, moved.get(0).box().left()); // the detector's again
        assertEquals(1, moved.get(0).id());
        assertThrows(
                IllegalArgumentException.class, () -> video.next(image, uniform(30, 40, 0, 0)));
    }
}
