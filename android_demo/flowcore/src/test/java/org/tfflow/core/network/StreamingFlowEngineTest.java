package org.tfflow.core.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.pipeline.FlowPipelineTest;

class StreamingFlowEngineTest {
    /**
     * The feature is the first red of the image; u is the newer one minus the older, and the
     * confidence is the newer one.
     */
    private static final class Differences implements Network {
        final List<String> calls = new ArrayList<>();
        boolean trusts;

        @Override
        public void load() {}

        @Override
        public TensorSpec input(String signature, String name) {
            return signature.equals("encode")
                    ? TensorSpec.floats(name, 1, 4, 8, 3)
                    : TensorSpec.floats(name, 1, 1, 1, 1);
        }

        @Override
        public TensorSpec output(String signature, String name) {
            return signature.equals("encode")
                    ? TensorSpec.floats(name, 1, 1, 1, name.equals("odd") ? 2 : 1)
                    : TensorSpec.floats(name, 1, 4, 8, name.equals("flow") ? 2 : 1);
        }

        @Override
        public boolean hasOutput(String signature, String name) {
            return signature.equals("match") && (name.equals("flow") || trusts);
        }

        @Override
        public void run(
                String signature,
                Map<String, ByteBuffer> inputs,
                Map<String, ByteBuffer> outputs) {
            if (signature.equals("encode")) {
                float red = inputs.get("image").getFloat(0);
                calls.add("encode " + Math.round(255 * red));
                outputs.get("level3").putFloat(0, red);
            } else {
                calls.add("match " + inputs.size());
                float older = inputs.get("features1_level3").getFloat(0);
                float newer = inputs.get("features2_level3").getFloat(0);
                outputs.get("flow").putFloat(0, 255 * (newer - older));
                assertEquals(trusts, outputs.containsKey("confidence"));
                if (trusts) {
                    outputs.get("confidence").putFloat(0, newer);
                }
            }
        }

        @Override
        public void close() {}
    }

    private final Differences network = new Differences();
    private final FlowEngine engine =
            new StreamingFlowEngine(
                    network,
                    Arrays.asList("level3", "level4"),
                    Arrays.asList("features1_level3", "features2_level3"));

    private static RgbImage red(int level) {
        return FlowPipelineTest.plain(8, 4, level, 0);
    }

    @Test
    void eachFrameIsEncodedOnce() {
        engine.load();
        FlowPredictor predictor =
                new FlowPredictor(engine, Fit.STRETCH, new LatencyStatistics(1));
        predictor.next(red(10), 8, 4);
        assertEquals(20, predictor.next(red(30), 8, 4).get().u(0, 0), 1e-3);
        assertEquals(-5, predictor.next(red(25), 8, 4).get().u(0, 0), 1e-3);
        predictor.forget();
        assertTrue(!predictor.next(red(90), 8, 4).isPresent());
        assertEquals(10, predictor.next(red(100), 8, 4).get().u(0, 0), 1e-3);
        assertEquals(40, predictor.predict(red(1), red(41)).u(0, 0), 1e-3);
        assertEquals(
                Arrays.asList(
                        "encode 10", "encode 30", "match 2", "encode 25", "match 2",
                        "encode 90", "encode 100", "match 2", "encode 1", "encode 41", "match 2"),
                network.calls);
    }

    @Test
    void confidenceComesWithTheFlow() {
        network.trusts = true;
        engine.load();
        FlowPredictor predictor =
                new FlowPredictor(engine, Fit.STRETCH, new LatencyStatistics(1));
        predictor.next(red(51), 8, 4);
        assertEquals(0.4f, predictor.next(red(102), 8, 4).get().confidence(0, 0), 1e-6f);
        FlowField flow = predictor.next(red(51), 8, 4).get();
        assertEquals(-51, flow.u(0, 0), 1e-3);
        assertEquals(0.2f, flow.confidence(0, 0), 1e-6f);
    }

    @Test
    void filesAndNamesThatDoNotFitAreRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        new StreamingFlowEngine(
                                network, Arrays.asList("a"), Arrays.asList("features1_b")));
        FlowEngine odd =
                new StreamingFlowEngine(
                        network, Arrays.asList("odd"), Arrays.asList("features1_odd"));
        assertThrows(FlowEngineException.class, odd::load);
        ByteBuffer any = ByteBuffer.allocate(4);
        assertThrows(
                IllegalStateException.class,
                () -> engine.run(any, any, Collections.singletonMap("flow", any)));
    }
}
