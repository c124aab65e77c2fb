package org.tfflow.core.pipeline;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.image.YuvImage;
import org.tfflow.core.network.AttemptLog;
import org.tfflow.core.network.EngineLadder;
import org.tfflow.core.network.FlowEngineException;

/**
 * Measures the flow pipeline on this device: each way to run the network passes the self-check,
 * warms up, and is then timed, stage by stage, from the camera's planes to the painted flow.
 */
public final class Benchmark {
    private final @Nullable AttemptLog log;
    private final FlowPipelineOptions options;
    private final int warmUp;
    private final int runs;

    /**
     * @param log keeps what killed the process; null if nothing can
     * @param warmUp frames that do not count, at least 1: first runs compile and fill caches
     * @param runs frames that count, 1 to 100
     */
    public Benchmark(
            @Nullable AttemptLog log,
            FlowPipelineOptions options,
            int warmUp,
            int runs) {
        if (warmUp < 1 || runs < 1 || runs > 100) {
            throw new IllegalArgumentException(
                    "expected 1 frame or more to warm up and 1 to 100 to measure; got " + warmUp
                            + " and " + runs);
        }
        this.log = log;
        this.options = options;
        this.warmUp = warmUp;
        this.runs = runs;
    }

    /**
     * Two frames as a camera gives them, to be used in turn: noise, of which the second is the
     * first moved by a few pixels. What is in them does not change the time.
     */
    public static List<Frame> frames(int width, int height, Orientation orientation) {
        byte[] noise = new byte[2 * (width + 4) * (height + 4)]; // more than enough
        new Random(1).nextBytes(noise);
        List<Frame> frames = new ArrayList<>();
        for (int shift : new int[] {0, 4}) {
            // U and V share an array, as phones have it.
            int pairs = (width + 1) / 2 * 2;
            YuvImage image =
                    new YuvImage(
                            width,
                            height,
                            plane(noise, shift, width, 1),
                            plane(noise, shift, pairs, 2),
                            plane(noise, shift + 1, pairs, 2));
            frames.add(Frame.of(image, orientation, 0));
        }
        return frames;
    }

    private static YuvImage.Plane plane(byte[] bytes, int start, int rowStride, int pixelStride) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        buffer.position(start);
        return new YuvImage.Plane(buffer, rowStride, pixelStride);
    }

    /**
     * Measures all ways to run the network, one after the other, on the caller's thread. Waits until
     * no {@link PipelineThread} runs.
     *
     * @param heading lines for the report: the device, the network, the frames
     * @param frames used in turn
     * @param progress gets the report as far as it is
     * @return the report: for each way either its times or why it can't be used
     * @throws InterruptedException if the thread is interrupted
     */
    public String run(
            String heading,
            List<EngineLadder.Rung> rungs,
            List<Frame> frames,
            Consumer<String> progress)
            throws InterruptedException {
        String report =
                heading + "\n" + warmUp + " frames to warm up, then " + runs + " measured\n";
        Turn.LOCK.lockInterruptibly();
        try {
            for (EngineLadder.Rung rung : rungs) {
                progress.accept(report + "\n" + rung.name() + ": …");
                report += "\n" + measure(rung, frames);
            }
        } finally {
            Turn.LOCK.unlock();
        }
        progress.accept(report);
        return report;
    }

    private String measure(EngineLadder.Rung rung, List<Frame> frames)
            throws InterruptedException {
        EngineLadder engine = new EngineLadder(log, () -> Collections.singletonList(rung));
        boolean loaded = false;
        try (FlowPipeline pipeline = new FlowPipeline(engine, options)) {
            long start = System.nanoTime();
            pipeline.open();
            loaded = true;
            double load = (System.nanoTime() - start) / 1e6;
            // One more: the first frame has no flow.
            process(pipeline, frames, 1 + warmUp);
            pipeline.statistics().clear();
            process(pipeline, frames, runs);
            double total = pipeline.statistics().percentile("total", 50);
            return engine.report()
                    + String.format(
                            Locale.ROOT, "%nload and self-check %.0f ms%n", load)
                    + pipeline.statistics().summary()
                    + String.format(Locale.ROOT, "%.1f frames a second%n", 1000 / total);
        } catch (RuntimeException | LinkageError | OutOfMemoryError error) {
            String report = engine.report().isEmpty() ? rung.name() : engine.report();
            // Why it does not load is in the report already.
            boolean told = !loaded && error instanceof FlowEngineException;
            return report + (told ? "" : "\nfailed: " + EngineLadder.reason(error)) + "\n";
        }
    }

    private static void process(FlowPipeline pipeline, List<Frame> frames, int count)
            throws InterruptedException {
        for (int i = 0; i < count; i++) {
            if (Thread.interrupted()) {
                throw new InterruptedException("the benchmark was stopped");
            }
            pipeline.process(frames.get(i % frames.size()));
        }
    }
}
