package org.tfflow.core.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.tfflow.core.Golden;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.network.FlowEngine;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.FlowPredictor;
import org.tfflow.core.network.LatencyStatistics;
import org.tfflow.core.network.SelfCheck;
import org.tfflow.core.network.TensorSpec;

public class FlowPipelineTest {
    /** Its "flow": u is the second image's red minus the first's, v the greens' difference. */
    public static class DifferenceEngine implements FlowEngine {
        public final List<String> calls = new ArrayList<>();
        Thread thread;

        @Override
        public void load() {
            calls.add("load");
            thread = Thread.currentThread();
        }

        @Override
        public TensorSpec inputSpec() {
            return TensorSpec.floats("image1", 1, 4, 8, 3);
        }

        @Override
        public TensorSpec outputSpec() {
            return TensorSpec.floats("flow", 1, 4, 8, 2);
        }

        @Override
        public void run(ByteBuffer image1, ByteBuffer image2, Map<String, ByteBuffer> outputs) {
            ByteBuffer flow = outputs.get("flow");
            assertSame(thread, Thread.currentThread());
            calls.add("run");
            for (int i = 0; i < 32; i++) {
                for (int c = 0; c < 2; c++) {
                    int at = 4 * (3 * i + c);
                    flow.putFloat(4 * (2 * i + c), image2.getFloat(at) - image1.getFloat(at));
                }
            }
        }

        @Override
        public void close() {
            calls.add("close");
        }
    }

    public static RgbImage plain(int width, int height, int red, int green) {
        RgbImage image = new RgbImage(width, height);
        for (int i = 0; i < image.bytes().length; i += 3) {
            image.bytes()[i] = (byte) red;
            image.bytes()[i + 1] = (byte) green;
        }
        return image;
    }

    static Frame frame(RgbImage image, long time) {
        return Frame.of(image, Orientation.NONE, time);
    }

    @Test
    void eachFrameIsTheFirstOfThePairAfterIt() {
        DifferenceEngine engine = new DifferenceEngine();
        try (FlowPipeline pipeline =
                new FlowPipeline(engine, FlowPipelineOptions.standard().withOpacity(128))) {
            pipeline.open();
            assertFalse(pipeline.process(frame(plain(16, 12, 0, 255), 1)).isPresent());
            Overlay one = pipeline.process(frame(plain(16, 12, 255, 255), 2)).get();
            assertEquals(16, one.width());
            assertEquals(12, one.height());
            assertEquals(2, one.timestampNanos());
            assertEquals(2, one.flow().get().u(5, 5)); // twice as wide as the network
            assertEquals(0, one.flow().get().v(5, 5));
            assertEquals(0x80ff0000, one.argb()[7]);
            Overlay two = pipeline.process(frame(plain(16, 12, 255, 0), 3)).get();
            assertEquals(0, two.flow().get().u(5, 5));
            assertEquals(-3, two.flow().get().v(5, 5)); // three times as high
            assertEquals(
                    Arrays.asList("upright", "pack", "run", "unpack", "paint", "total"),
                    pipeline.statistics().stages());
            assertEquals(2, pipeline.statistics().count("total"));
        }
        assertEquals(Arrays.asList("load", "run", "run", "close"), engine.calls);
    }

    @Test
    void anotherSizeStartsAnew() {
        try (FlowPipeline pipeline =
                new FlowPipeline(new DifferenceEngine(), FlowPipelineOptions.standard())) {
            pipeline.open();
            pipeline.process(frame(plain(16, 12, 0, 0), 1));
            assertFalse(pipeline.process(frame(plain(12, 16, 9, 0), 2)).isPresent());
            assertTrue(pipeline.process(frame(plain(12, 16, 9, 0), 3)).isPresent());
        }
    }

    @Test
    void framesAreTurnedAndTheViewHasItsOwnSize() {
        FlowPipelineOptions options =
                FlowPipelineOptions.standard()
                        .withView(24, 40)
                        .withMaxFlow(6)
                        .withFastColors()
                        .withFit(Fit.LETTERBOX);
        try (FlowPipeline pipeline = new FlowPipeline(new DifferenceEngine(), options)) {
            pipeline.open();
            Orientation turn = Orientation.of(90, false);
            pipeline.process(Frame.of(plain(16, 12, 0, 0), turn, 1));
            Overlay overlay = pipeline.process(Frame.of(plain(16, 12, 255, 0), turn, 2)).get();
            assertEquals(12, overlay.image().width());
            assertEquals(24, overlay.width());
            assertEquals(40, overlay.height());
            // 12 x 16 in 8 x 4 is 3 x 4: a motion of 1 across is 8 in a view of 24.
            assertEquals(8, overlay.flow().get().u(0, 0), 1e-5);
            assertEquals(0xffbf0000, overlay.argb()[0]); // beyond 6 px: darker
        }
    }

    @Test
    void aPipelineMustBeOpen() {
        FlowPipeline pipeline =
                new FlowPipeline(new DifferenceEngine(), FlowPipelineOptions.standard());
        assertThrows(
                IllegalStateException.class,
                () -> pipeline.process(frame(plain(4, 4, 0, 0), 1)));
    }

    @Test
    void timeThatRunsBackwardsStartsAnew() {
        try (FlowPipeline pipeline =
                new FlowPipeline(new DifferenceEngine(), FlowPipelineOptions.standard())) {
            pipeline.open();
            pipeline.process(frame(plain(8, 4, 0, 0), 7));
            assertTrue(pipeline.process(frame(plain(8, 4, 9, 0), 7)).isPresent());
            assertFalse(pipeline.process(frame(plain(8, 4, 9, 0), 2)).isPresent());
            assertTrue(pipeline.process(frame(plain(8, 4, 9, 0), 3)).isPresent());
        }
    }

    @Test
    void paintingChangesWhileItRuns() {
        FlowPipelineOptions colors = FlowPipelineOptions.standard();
        try (FlowPipeline pipeline = new FlowPipeline(new DifferenceEngine(), colors)) {
            pipeline.open();
            pipeline.process(frame(plain(32, 16, 0, 0), 1));
            Overlay painted = pipeline.process(frame(plain(32, 16, 255, 0), 2)).get();
            assertEquals(32 * 16, painted.argb().length);
            assertEquals(0, painted.arrows().count());
            pipeline.paintAs(colors.withArrows(8));
            Overlay drawn = pipeline.process(frame(plain(32, 16, 0, 0), 3)).get();
            assertEquals(0, drawn.argb().length);
            assertEquals(8, drawn.arrows().count());
            assertEquals(-4, drawn.flow().get().u(0, 0), 1e-5);
        }
    }

    /** Trusts its flow in the right half only, and says so by a smaller map. */
    private static final class TrustingEngine extends DifferenceEngine {
        @Override
        public Optional<TensorSpec> confidenceSpec() {
            return Optional.of(TensorSpec.floats("confidence", 1, 2, 4, 1));
        }

        @Override
        public void run(ByteBuffer image1, ByteBuffer image2, Map<String, ByteBuffer> outputs) {
            super.run(image1, image2, outputs);
            for (int i = 0; i < 8; i++) {
                outputs.get("confidence").putFloat(4 * i, i % 4 < 2 ? 0.2f : 0.9f);
            }
        }
    }

    @Test
    void doubtfulFlowIsHiddenIfTheUserWantsIt() {
        FlowPipelineOptions colors = FlowPipelineOptions.standard();
        FlowPipelineOptions hiding = colors.withLeastConfidence(FlowField.DOUBTFUL);
        try (FlowPipeline pipeline = new FlowPipeline(new TrustingEngine(), colors)) {
            pipeline.open();
            pipeline.process(frame(plain(32, 16, 0, 0), 1));
            Overlay all = pipeline.process(frame(plain(32, 16, 255, 0), 2)).get();
            assertEquals(4, all.flow().get().u(0, 0), 1e-5);
            assertEquals(0.2f, all.flow().get().confidence(0, 0), 1e-6f);
            assertEquals(0.9f, all.flow().get().confidence(31, 15), 1e-6f);
            pipeline.paintAs(hiding);
            Overlay sure = pipeline.process(frame(plain(32, 16, 0, 0), 3)).get();
            assertFalse(sure.flow().get().isKnown(0, 0));
            assertEquals(-4, sure.flow().get().u(31, 0), 1e-5);
            assertEquals(0, sure.argb()[0]);
            assertEquals(0xff, sure.argb()[31] >>> 24);
            assertEquals(4, sure.flow().get().largestMotion(), 1e-5);
            pipeline.paintAs(hiding.withArrows(8));
            Overlay drawn = pipeline.process(frame(plain(32, 16, 255, 0), 4)).get();
            assertEquals(4, drawn.arrows().count());
            pipeline.paintAs(colors);
            Overlay again = pipeline.process(frame(plain(32, 16, 0, 0), 5)).get();
            assertTrue(again.flow().get().isKnown(0, 0));
            // The self-check compares all of the flow.
            pipeline.paintAs(hiding);
            assertTrue(passes(pipeline.predictor(), flow(1, 0), flow(1, 0)));
        }
    }

    @Test
    void withoutConfidenceNothingIsHidden() {
        FlowPipelineOptions hiding = FlowPipelineOptions.standard().withLeastConfidence(1);
        try (FlowPipeline pipeline = new FlowPipeline(new DifferenceEngine(), hiding)) {
            pipeline.open();
            pipeline.process(frame(plain(32, 16, 0, 0), 1));
            Overlay all = pipeline.process(frame(plain(32, 16, 255, 0), 2)).get();
            assertFalse(all.flow().get().hasConfidence());
            assertEquals(4, all.flow().get().u(0, 0), 1e-5);
        }
        for (float wrong : new float[] {-0.1f, 1.1f, Float.NaN}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> FlowPipelineOptions.standard().withLeastConfidence(wrong));
        }
    }

    @Test
    void confidenceHasOneChannel() {
        FlowEngine engine =
                new DifferenceEngine() {
                    @Override
                    public Optional<TensorSpec> confidenceSpec() {
                        return Optional.of(TensorSpec.floats("confidence", 1, 2, 4, 2));
                    }
                };
        Exception error =
                assertThrows(
                        FlowEngineException.class,
                        () -> new FlowPredictor(engine, Fit.STRETCH, new LatencyStatistics(1)));
        assertEquals(
                "expected confidence [1, height, width, 1]; got confidence [1, 2, 4, 2] FLOAT32",
                error.getMessage());
    }

    private static final class Recorder implements PipelineThread.Listener {
        final BlockingQueue<Overlay> overlays = new LinkedBlockingQueue<>();
        final BlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();
        volatile boolean ready;

        @Override
        public void onReady() {
            ready = overlays.isEmpty();
        }

        @Override
        public void onOverlay(Overlay overlay) {
            overlays.add(overlay);
        }

        @Override
        public void onError(Throwable error) {
            errors.add(error);
        }
    }

    @Test
    void itsThreadOpensRunsAndCloses() throws InterruptedException {
        DifferenceEngine engine = new DifferenceEngine();
        Recorder recorder = new Recorder();
        FlowPipeline pipeline = new FlowPipeline(engine, FlowPipelineOptions.standard());
        PipelineThread thread = new PipelineThread(pipeline, recorder);
        Overlay overlay = null;
        for (int time = 1; overlay == null && time < 1000; time++) {
            thread.submit(frame(plain(8, 4, 0, 0), time));
            overlay = recorder.overlays.poll(10, TimeUnit.MILLISECONDS);
        }
        assertTrue(overlay != null, "no overlay came");
        assertTrue(recorder.ready);
        thread.close();
        thread.close();
        assertEquals("load", engine.calls.get(0));
        assertEquals(engine.calls.size() - 1, engine.calls.indexOf("close"));
        thread.submit(frame(plain(8, 4, 0, 0), 1)); // too late, and no harm
        assertTrue(recorder.errors.isEmpty());
    }

    @Test
    void afterACutTheNewFramesFirstFollowsNone() throws InterruptedException {
        BlockingQueue<String> calls = new LinkedBlockingQueue<>();
        CountDownLatch working = new CountDownLatch(1);
        CountDownLatch slow = new CountDownLatch(1);
        FramePipeline pipeline =
                new FramePipeline() {
                    @Override
                    public void open() {}

                    @Override
                    public Optional<Overlay> process(Frame frame) {
                        calls.add("frame " + frame.timestampNanos());
                        working.countDown();
                        try {
                            slow.await();
                        } catch (InterruptedException error) {
                            throw new AssertionError(error);
                        }
                        return Optional.empty();
                    }

                    @Override
                    public void forget() {
                        calls.add("forget");
                    }

                    @Override
                    public LatencyStatistics statistics() {
                        return new LatencyStatistics(1);
                    }

                    @Override
                    public void close() {}
                };
        List<String> expected = Arrays.asList("frame 1", "frame 2", "forget", "frame 3");
        try (PipelineThread thread = new PipelineThread(pipeline, new Recorder())) {
            thread.submit(frame(plain(8, 4, 0, 0), 1));
            working.await();
            thread.submit(frame(plain(8, 4, 0, 0), 2)); // waits, and is of the old source
            thread.cut();
            slow.countDown();
            for (String each : expected.subList(0, 2)) {
                assertEquals(each, calls.poll(10, TimeUnit.SECONDS));
            }
            thread.submit(frame(plain(8, 4, 0, 0), 3));
            for (String each : expected.subList(2, 4)) {
                assertEquals(each, calls.poll(10, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void oneOpensWhenTheOneBeforeHasClosed() throws InterruptedException {
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch compiled = new CountDownLatch(1);
        PipelineThread[] threads = new PipelineThread[3];
        for (int i = 0; i < threads.length; i++) {
            String name = "engine " + i;
            FlowEngine engine =
                    new DifferenceEngine() {
                        @Override
                        public void load() {
                            order.add("load " + name);
                            loading.countDown();
                            try {
                                compiled.await();
                            } catch (InterruptedException error) {
                                throw new AssertionError(error);
                            }
                        }

                        @Override
                        public void close() {
                            order.add("close " + name);
                        }
                    };
            threads[i] =
                    new PipelineThread(
                            new FlowPipeline(engine, FlowPipelineOptions.standard()),
                            new Recorder());
            loading.await();
            if (i < 2) {
                threads[i].end(); // the second one before its turn has come
            }
        }
        compiled.countDown();
        threads[2].close();
        threads[0].close();
        assertEquals("load engine 0", order.get(0));
        // Its turn was over before any other's: all that is its own comes first.
        assertEquals(1, order.indexOf("close engine 0"), order.toString());
        assertFalse(order.contains("load engine 1"));
    }

    @Test
    void aFailureIsTold() throws InterruptedException {
        for (Error missing : new Error[] {null, new UnsatisfiedLinkError("no such library")}) {
            Recorder recorder = new Recorder();
            FlowEngine engine =
                    new DifferenceEngine() {
                        @Override
                        public void load() {
                            if (missing != null) {
                                throw missing;
                            }
                            throw new FlowEngineException("no such file");
                        }
                    };
            FlowPipeline pipeline = new FlowPipeline(engine, FlowPipelineOptions.standard());
            try (PipelineThread thread = new PipelineThread(pipeline, recorder)) {
                Throwable error = recorder.errors.poll(10, TimeUnit.SECONDS);
                assertTrue(error != null, "no error came");
                assertTrue(error.getMessage().startsWith("no such"), error.getMessage());
            }
        }
    }

    @Test
    void onlyTheLatestFrameIsKept() throws InterruptedException {
        LatestFrame<String> latest = new LatestFrame<>();
        assertFalse(latest.offer("old"));
        assertTrue(latest.offer("older than the next"));
        assertTrue(latest.offer("new"));
        assertEquals("new", latest.take());
        assertEquals(2, latest.dropped());
        latest.offer("never taken");
        latest.close();
        assertNull(latest.take());
    }

    /** The same flow at six places. */
    private static byte[] flow(float u, float v) {
        ByteBuffer flow = ByteBuffer.allocate(8 * 3 * 2).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 6; i++) {
            flow.putFloat(u).putFloat(v);
        }
        return flow.array();
    }

    private static boolean passes(FlowPredictor predictor, byte[] truth, byte[] golden) {
        SelfCheck.Golden pair =
                new SelfCheck.Golden(
                        plain(8, 4, 0, 0), plain(8, 4, 255, 0), truth, golden, 3);
        return SelfCheck.run(predictor, pair).passes();
    }

    @Test
    void theSelfCheckComparesWithTheGoldenFlow() {
        LatencyStatistics statistics = new LatencyStatistics(1);
        FlowEngine engine = new DifferenceEngine();
        engine.load();
        FlowPredictor predictor = new FlowPredictor(engine, Fit.STRETCH, statistics);
        RgbImage first = plain(8, 4, 0, 0);
        RgbImage second = plain(8, 4, 255, 0);
        byte[] truth = flow(1.5f, 0);
        SelfCheck check =
                SelfCheck.run(
                        predictor, new SelfCheck.Golden(first, second, truth, flow(1.25f, 0), 3));
        assertEquals(0.5, check.epe());
        assertEquals(0.25, check.goldenEpe());
        assertEquals(0.25, check.difference());
        assertFalse(check.passes()); // further from the truth
        assertTrue(passes(predictor, flow(0.9f, 0), flow(0.8f, 0)));
        assertTrue(passes(predictor, flow(1.5f, 0), flow(1.1f, 0)));
        assertFalse(passes(predictor, flow(1.5f, 0), flow(1.6f, 0))); // another flow, as near
        assertFalse(passes(predictor, flow(1, 0), flow(Float.NaN, 0)));
        assertTrue(passes(predictor, flow(1, 0), flow(1, 0)));
        assertArrayEquals(flow(1, 0), SelfCheck.Golden.flowOf(predictor, first, second, 3));
        // The pair is forgotten: the camera's first frame makes no pair with it.
        assertFalse(predictor.next(first, 8, 4).isPresent());
        assertThrows(
                IllegalArgumentException.class,
                () -> new SelfCheck.Golden(first, second, truth, new byte[40], 3));
        assertThrows(
                IllegalArgumentException.class,
                () -> predictor.predict(first, plain(8, 5, 0, 0)));
    }

    @Test
    void argbThereAndBack() {
        RgbImage image = Golden.read("image").image();
        int[] argb = image.toArgb();
        assertArrayEquals(
                image.bytes(), RgbImage.fromArgb(image.width(), image.height(), argb).bytes());
        assertEquals(0xff, argb[3] >>> 24);
        assertEquals(image.get(3, 0, 1), argb[3] >> 8 & 0xff);
    }
}
