package org.tfflow.core.detection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.LatencyStatistics;
import org.tfflow.core.network.Network;
import org.tfflow.core.network.TensorSpec;
import org.tfflow.core.pipeline.DetectionPipeline;
import org.tfflow.core.pipeline.FlowPipelineTest;
import org.tfflow.core.pipeline.Overlay;

class VideoDetectorTest {
    /** Images of 4 x 8; writes down what goes in; gives three boxes of two classes. */
    private static class FakeNetwork implements Network {
        final boolean isKey;
        final List<String> log;
        boolean loaded;

        FakeNetwork(boolean isKey, List<String> log) {
            this.isKey = isKey;
            this.log = log;
        }

        @Override
        public void load() {
            loaded = true;
        }

        @Override
        public TensorSpec input(String signature, String name) {
            return name.equals("features")
                    ? TensorSpec.floats(name, 1, 1, 2, 3)
                    : TensorSpec.floats(name, 1, 4, 8, 3);
        }

        @Override
        public TensorSpec output(String signature, String name) {
            switch (name) {
                case "features":
                    return input(signature, name);
                case "flow":
                    return TensorSpec.floats(name, 1, 2, 4, 2);
                case "boxes":
                    return TensorSpec.floats(name, 1, 3, 4);
                default:
                    return TensorSpec.floats(name, 1, 3, 2);
            }
        }

        @Override
        public boolean hasOutput(String signature, String name) {
            throw new AssertionError("a detector's outputs are all there");
        }

        @Override
        public void run(
                String signature,
                Map<String, ByteBuffer> inputs,
                Map<String, ByteBuffer> outputs) {
            assertEquals(3, inputs.size());
            assertEquals(3, outputs.size());
            assertTrue(outputs.containsKey(isKey ? "features" : "flow"));
            // The first red of each image, in levels, and the first feature.
            log.add(
                    (isKey ? "key " : "between ")
                            + Math.round(255 * inputs.get("image").getFloat(0)) + " "
                            + Math.round(255 * inputs.get("key_image").getFloat(0)) + " "
                            + inputs.get("features").getFloat(0));
            if (isKey) {
                ByteBuffer features = outputs.get("features");
                for (int at = 0; at < features.capacity(); at += 4) {
                    features.putFloat(at, inputs.get("features").getFloat(at) + 1);
                }
            }
            outputs.get("boxes").asFloatBuffer().put(boxes());
            float[] scores = {0.2f, 0.9f, 0.5f, 0.1f, 0.2f, 0.6f};
            outputs.get("scores").asFloatBuffer().put(scores);
        }

        float[] boxes() {
            return new float[] {1, 1, 3, 3, 4, 0, 99, 2, 1, 1, 3, 3.5f};
        }

        @Override
        public void close() {
            loaded = false;
        }
    }

    private final List<String> log = new ArrayList<>();
    private final LatencyStatistics statistics = new LatencyStatistics(9);

    private VideoDetector detector(Network key, Network between) {
        return new VideoDetector(
                key,
                between,
                3,
                new NonMaximumSuppression(0.3, 0.5),
                statistics);
    }

    private VideoDetector detector() {
        return detector(new FakeNetwork(true, log), new FakeNetwork(false, log));
    }

    private static RgbImage red(int level) {
        return FlowPipelineTest.plain(16, 12, level, 0);
    }

    @Test
    void keyFramesGiveFeaturesAndTheOthersCarryThem() {
        try (VideoDetector video = detector()) {
            video.load();
            assertEquals(2, video.classes());
            for (int level : new int[] {10, 20, 30, 40, 50}) {
                video.next(red(level));
                assertEquals(level % 30 == 10, video.isKey());
            }
            video.reset();
            video.next(red(60));
            assertEquals(
                    Arrays.asList(
                            "key 10 10 0.0", // a first frame: its own key image, features of 0
                            "between 20 10 1.0",
                            "between 30 10 1.0",
                            "key 40 10 1.0",
                            "between 50 40 2.0",
                            "key 60 60 0.0"),
                    log);
            assertEquals(
                    Arrays.asList("pack", "key", "boxes", "between"), statistics.stages());
        }
    }

    @Test
    void anIntervalIsOneFrameOrMore() {
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        new VideoDetector(
                                new FakeNetwork(true, log),
                                new FakeNetwork(false, log),
                                0,
                                new NonMaximumSuppression(0, 1),
                                statistics));
    }

    @Test
    void aFrameThatFailsIsNoKeyFrame() {
        FakeNetwork key =
                new FakeNetwork(true, log) {
                    private int runs;

                    @Override
                    public void run(
                            String signature,
                            Map<String, ByteBuffer> inputs,
                            Map<String, ByteBuffer> outputs) {
                        if (runs++ == 0) {
                            throw new FlowEngineException("for once");
                        }
                        super.run(signature, inputs, outputs);
                    }
                };
        try (VideoDetector video = detector(key, new FakeNetwork(false, log))) {
            video.load();
            assertThrows(FlowEngineException.class, () -> video.next(red(10)));
            video.next(red(20));
            assertTrue(video.isKey());
            video.next(red(30));
            assertEquals(Arrays.asList("key 20 20 0.0", "between 30 20 1.0"), log);
        }
    }

    @Test
    void anotherSizeIsAnotherVideo() {
        VideoDetector video = detector();
        video.load();
        video.next(red(10));
        video.next(FlowPipelineTest.plain(9, 9, 20, 0));
        assertEquals("key 20 20 0.0", log.get(1));
    }

    @Test
    void boxesAreTheFramesAndSuppressed() {
        VideoDetector video = detector();
        assertThrows(IllegalStateException.class, () -> video.next(red(0)));
        video.load();
        List<Box> found = video.next(red(0));
        // 16 x 12 from 8 x 4. The last box is the first's double; the second reaches the edge.
        assertEquals(
                "[Box(2.0, 3.0, 6.0, 9.0; label 1, score 0.90),"
                        + " Box(8.0, 0.0, 16.0, 6.0; label 0, score 0.50)]",
                found.toString());
    }

    @Test
    void thePipelineMarksKeyFrames() {
        NonMaximumSuppression all = new NonMaximumSuppression(0, 1);
        FakeNetwork key = new FakeNetwork(true, log);
        FakeNetwork between = new FakeNetwork(false, log);
        DetectionPipeline pipeline = new DetectionPipeline(key, between, 2, all);
        pipeline.open();
        assertEquals(2, pipeline.classes());
        Orientation turn = Orientation.of(90, false);
        Overlay overlay = pipeline.process(Frame.of(red(0), turn, 5)).get();
        assertTrue(overlay.isKey());
        assertEquals(12, overlay.width());
        assertEquals(6, overlay.boxes().size());
        assertFalse(overlay.flow().isPresent());
        assertFalse(pipeline.process(Frame.of(red(0), turn, 6)).get().isKey());
        assertTrue(pipeline.process(Frame.of(red(0), turn, 7)).get().isKey());
        assertTrue(pipeline.process(Frame.of(red(0), turn, 1)).get().isKey()); // from its start
        assertEquals(4, pipeline.statistics().count("total"));
        pipeline.close();
        assertFalse(key.loaded || between.loaded);
    }

    @Test
    void filesThatAreNoPairAreRefused() {
        Network other =
                new FakeNetwork(false, log) {
                    @Override
                    public TensorSpec input(String signature, String name) {
                        return name.equals("features")
                                ? TensorSpec.floats(name, 1, 1, 2, 4)
                                : super.input(signature, name);
                    }
                };
        Exception error =
                assertThrows(
                        FlowEngineException.class,
                        () -> detector(new FakeNetwork(true, log), other).load());
        assertEquals(
                "the two files are not a pair of one export: features [1, 1, 2, 3] FLOAT32 and"
                        + " features [1, 1, 2, 4] FLOAT32",
                error.getMessage());
        Network noBoxes =
                new FakeNetwork(true, log) {
                    @Override
                    public TensorSpec output(String signature, String name) {
                        return name.equals("boxes")
                                ? TensorSpec.floats(name, 1, 3, 5)
                                : super.output(signature, name);
                    }
                };
        error =
                assertThrows(
                        FlowEngineException.class,
                        () -> detector(noBoxes, new FakeNetwork(false, log)).load());
        assertTrue(error.getMessage().contains("boxes [1, N, 4]"), error.getMessage());
    }

    @Test
    void aDetectorThatComputesNonsenseIsTold() {
        FakeNetwork key =
                new FakeNetwork(true, log) {
                    @Override
                    float[] boxes() {
                        return new float[] {3, 1, 1, 3, 4, 0, 9, 2, Float.NaN, 1, 3, 3};
                    }
                };
        VideoDetector video = detector(key, new FakeNetwork(false, log));
        video.load();
        Exception error = assertThrows(FlowEngineException.class, () -> video.next(red(0)));
        assertTrue(error.getMessage().contains("x1 <= x2"), error.getMessage());
    }
}
