package org.tfflow.core.pipeline;

import java.util.concurrent.atomic.AtomicInteger;
import org.tfflow.core.image.Frame;

/**
 * A pipeline on a thread of its own, which opens it, runs it and closes it: a GPU's engine must stay
 * on its thread. When frames come faster than it works, only the latest is kept. It opens when all
 * pipelines that were started before it have closed.
 */
public final class PipelineThread implements AutoCloseable {
    /** Gets what the pipeline gives, on its thread. */
    public interface Listener {
        /** The pipeline is open; no frame was processed yet. */
        default void onReady() {}

        /** A new overlay. */
        void onOverlay(Overlay overlay);

        /** The pipeline failed and has ended. */
        void onError(Throwable error);
    }

    /** A frame, and how many cuts came before it. */
    private static final class Submitted {
        final Frame frame;
        final int cuts;

        Submitted(Frame frame, int cuts) {
            this.frame = frame;
            this.cuts = cuts;
        }
    }

    private final FramePipeline pipeline;
    private final LatestFrame<Submitted> latest = new LatestFrame<>();
    private final AtomicInteger cuts = new AtomicInteger();
    private final Thread thread;

    /**
     * Starts it.
     *
     * @param pipeline not yet open
     */
    public PipelineThread(FramePipeline pipeline, Listener listener) {
        this.pipeline = pipeline;
        thread = new Thread(() -> work(listener), "pipeline");
        thread.start();
    }

    /** Runs something that loads a network of its own, when no pipeline has any loaded. */
    public static void alone(Runnable task) throws InterruptedException {
        Turn.LOCK.lockInterruptibly();
        try {
            task.run();
        } finally {
            Turn.LOCK.unlock();
        }
    }

    /** A new frame, from any thread; returns at once. After the end it is dropped. */
    public void submit(Frame frame) {
        latest.offer(new Submitted(frame, cuts.get()));
    }

    /** The next frame submitted follows none, from any thread: after a pause, or another camera. */
    public void cut() {
        cuts.incrementAndGet();
    }

    /** How many frames were never processed since newer ones came. */
    public long dropped() {
        return latest.dropped();
    }

    private void work(Listener listener) {
        try {
            Turn.LOCK.lockInterruptibly();
        } catch (InterruptedException end) {
            latest.close();
            return;
        }
        try {
            if (latest.isClosed()) {
                return; // ended before its turn came
            }
            pipeline.open();
            listener.onReady();
            int before = 0;
            for (Submitted next = latest.take(); next != null; next = latest.take()) {
                if (next.cuts != before) {
                    before = next.cuts;
                    pipeline.forget();
                }
                pipeline.process(next.frame).ifPresent(listener::onOverlay);
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | LinkageError | OutOfMemoryError error) {
            // LinkageError: no native library. OutOfMemoryError: too large a network.
            listener.onError(error);
        } finally {
            latest.close();
            pipeline.close();
            Turn.LOCK.unlock();
        }
    }

    /**
     * Asks it to end, and returns at once: the thread closes the pipeline when it is done with its
     * frame. For a screen's thread, which must not wait while a network is being compiled.
     */
    public void end() {
        latest.close();
    }

    /** Ends the thread, waits for it, and has closed the pipeline then. May be called twice. */
    @Override
    public void close() {
        end();
        if (thread == Thread.currentThread()) {
            return;
        }
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
