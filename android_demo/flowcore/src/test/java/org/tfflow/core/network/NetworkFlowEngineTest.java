package org.tfflow.core.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class NetworkFlowEngineTest {
    private static class FakeNetwork implements Network {
        final int secondWidth;
        boolean trusts;
        String called = "";

        FakeNetwork(int secondWidth) {
            this.secondWidth = secondWidth;
        }

        @Override
        public void load() {
            called += "load ";
        }

        @Override
        public TensorSpec input(String signature, String name) {
            int width = name.equals("image2") ? secondWidth : 8;
            return TensorSpec.floats(name, 1, 4, width, 3);
        }

        @Override
        public TensorSpec output(String signature, String name) {
            return TensorSpec.floats(name, 1, 4, 8, name.equals("flow") ? 2 : 1);
        }

        @Override
        public boolean hasOutput(String signature, String name) {
            return name.equals("flow") || (name.equals("confidence") && trusts);
        }

        @Override
        public void run(
                String signature,
                Map<String, ByteBuffer> inputs,
                Map<String, ByteBuffer> outputs) {
            called += signature + new TreeSet<>(inputs.keySet()) + " " + outputs.keySet() + " ";
        }

        @Override
        public void close() {
            called += "close";
        }
    }

    @Test
    void namesAreThoseOfTheExport() {
        FakeNetwork network = new FakeNetwork(8);
        FlowEngine engine = new NetworkFlowEngine(network);
        assertThrows(IllegalStateException.class, engine::inputSpec);
        engine.load();
        assertEquals("image1 [1, 4, 8, 3] FLOAT32", engine.inputSpec().toString());
        assertEquals("flow", engine.outputSpec().name());
        ByteBuffer any = ByteBuffer.allocate(1);
        Map<String, ByteBuffer> outputs = Collections.singletonMap("flow", any);
        engine.run(any, any, outputs);
        engine.close();
        assertEquals("load flow[image1, image2] [flow] close", network.called);
        assertThrows(IllegalStateException.class, () -> engine.run(any, any, outputs));
    }

    @Test
    void confidenceIsThereIfTheFileGivesIt() {
        FakeNetwork network = new FakeNetwork(8);
        FlowEngine engine = new NetworkFlowEngine(network);
        assertThrows(IllegalStateException.class, engine::confidenceSpec);
        engine.load();
        assertFalse(engine.confidenceSpec().isPresent());
        network.trusts = true;
        engine.load();
        TensorSpec confidence = engine.confidenceSpec().get();
        assertEquals("confidence [1, 4, 8, 1] FLOAT32", confidence.toString());
    }

    @Test
    void imagesMustBeAlike() {
        FlowEngine engine = new NetworkFlowEngine(new FakeNetwork(9));
        Exception error = assertThrows(FlowEngineException.class, engine::load);
        assertTrue(error.getMessage().startsWith("both images must be alike"));
    }

    @Test
    void tablesHaveRowsAndColumns() {
        TensorSpec boxes = TensorSpec.floats("boxes", 1, 96, 4);
        assertEquals(96 * 4, boxes.count());
        assertEquals("[1, 96, 4]", Arrays.toString(boxes.shape()));
        assertTrue(boxes.isLike(TensorSpec.floats("other", 1, 96, 4)));
        assertFalse(boxes.isLike(TensorSpec.floats("boxes", 1, 96, 4, 1)));
        TensorSpec quantized = TensorSpec.quantized("a", TensorSpec.Type.INT8, 0.5f, 3, 1, 9, 4);
        assertFalse(
                quantized.isLike(
                        TensorSpec.quantized("a", TensorSpec.Type.INT8, 0.5f, 2, 1, 9, 4)));
        for (int[] shape : new int[][] {{96, 4}, {2, 96, 4}, {1, 0, 4}, {1, -1, 4, 3}}) {
            assertThrows(
                    IllegalArgumentException.class, () -> TensorSpec.floats("boxes", shape));
        }
    }
}
