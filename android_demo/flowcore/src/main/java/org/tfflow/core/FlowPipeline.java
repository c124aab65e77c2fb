package org.tfflow.core;

import java.util.Optional;

/**
 * Frames in, overlays out: upright, packed, run, resized, painted.
 *
 * <p>With a camera: {@link #start}, then {@link #submit} from the camera's thread as often as it
 * likes. One thread of the pipeline's own loads the engine, runs it and closes it (a GPU's engine
 * must stay on its thread); when frames come faster than it works, only the latest is kept. Without
 * a camera: {@link #open} and {@link #process}, on the caller's thread, which sees every frame.
 */
public final class FlowPipeline implements AutoCloseable {
    /** Gets the pipeline's results, on the pipeline's thread. */
    public interface Listener {
        /** The engine is loaded, no frame was processed yet: the time for a {@link SelfCheck}. */
        default void onReady(FlowPredictor predictor) {}

        /** A new overlay. */
        void onOverlay(Overlay overlay);

        /** The pipeline failed and has ended. */
        void onError(RuntimeException error);
    }

    private static final int WINDOW = 100; // frames over which times are counted

    private final FlowEngine engine;
    private final FlowPipelineOptions options;
    private final LatencyStatistics statistics = new LatencyStatistics(WINDOW);
    private final LatestFrame<Frame> latest = new LatestFrame<>();
    private FlowPredictor predictor;
    private Thread thread;

    /**
     * @param engine not yet loaded; the pipeline loads and closes it
     */
    public FlowPipeline(FlowEngine engine, FlowPipelineOptions options) {
        this.engine = engine;
        this.options = options;
    }

    /** The times of the last hundred frames: upright, pack, run, unpack, paint, and total. */
    public LatencyStatistics statistics() {
        return statistics;
    }

    /** How many frames were never processed since newer ones came. */
    public long dropped() {
        return latest.dropped();
    }

    /**
     * Loads the engine on the caller's thread.
     *
     * @return what predicts, for a {@link SelfCheck}
     */
    public FlowPredictor open() {
        if (predictor == null) {
            engine.load();
            predictor = new FlowPredictor(engine, options.fit(), statistics);
        }
        return predictor;
    }

    /**
     * One frame, on the caller's thread, after {@link #open}.
     *
     * @return the overlay of the last frame and this one; nothing for a first frame
     * @throws IllegalStateException if the engine is not loaded
     */
    public Optional<Overlay> process(Frame frame) {
        if (predictor == null) {
            throw new IllegalStateException("call open() before process()");
        }
        long start = System.nanoTime();
        RgbImage image = frame.upright();
        statistics.record("upright", System.nanoTime() - start);
        Optional<FlowField> flow =
                predictor.next(image, options.viewWidth(image), options.viewHeight(image));
        if (!flow.isPresent()) {
            return Optional.empty();
        }
        long before = System.nanoTime();
        int[] argb = options.paint(flow.get());
        long end = System.nanoTime();
        statistics.record("paint", end - before);
        statistics.record("total", end - start);
        return Optional.of(new Overlay(argb, flow.get(), image, frame.timestampNanos()));
    }

    /**
     * Starts the pipeline's own thread.
     *
     * @throws IllegalStateException if it runs already
     */
    public void start(Listener listener) {
        if (thread != null || predictor != null) {
            throw new IllegalStateException("the pipeline runs already");
        }
        thread = new Thread(() -> work(listener), "flow");
        thread.start();
    }

    /** A new frame for the pipeline's thread; returns at once. */
    public void submit(Frame frame) {
        latest.offer(frame);
    }

    private void work(Listener listener) {
        try {
            listener.onReady(open());
            for (Frame frame = latest.take(); frame != null; frame = latest.take()) {
                process(frame).ifPresent(listener::onOverlay);
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException error) {
            listener.onError(error);
        } finally {
            latest.close();
            engine.close();
        }
    }

    /** Ends the pipeline's thread, waits for it, and closes the engine. May be called twice. */
    @Override
    public void close() {
        latest.close();
        if (thread == null) {
            engine.close();
            predictor = null;
            return;
        }
        if (thread != Thread.currentThread()) {
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException later) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
