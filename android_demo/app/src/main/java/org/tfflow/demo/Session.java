package org.tfflow.demo;

import android.util.Log;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Frame;
import org.tfflow.core.network.EngineLadder;
import org.tfflow.core.pipeline.FlowPipeline;
import org.tfflow.core.pipeline.FlowPipelineOptions;
import org.tfflow.core.pipeline.FramePipeline;
import org.tfflow.core.pipeline.Overlay;
import org.tfflow.core.pipeline.PipelineThread;
import org.tfflow.litert.Choice;
import org.tfflow.litert.FlowModels;

/**
 * The networks at work. They outlive the screen that started them: to turn the phone, to pause and to
 * answer a question take moments, to load, compile and check a network takes seconds.
 */
final class Session implements PipelineThread.Listener {
    /** Gets what a session says, on the session's thread. */
    interface Screen {
        /** There is something new to read in {@link #report}. */
        void onReport(Session session);

        void onOverlay(Session session, Overlay overlay);

        void onError(Session session, String reason);
    }

    private static @Nullable Session current;

    private final String key;
    private final FramePipeline pipeline;
    private final @Nullable String network; // null: the detector, on the CPU
    private final @Nullable EngineLadder ladder; // likewise
    private final PipelineThread thread;
    private volatile @Nullable Screen screen;
    private volatile @Nullable String failure;
    private volatile boolean lacksConfidence;

    private Session(
            String key,
            FramePipeline pipeline,
            @Nullable String network,
            @Nullable EngineLadder ladder) {
        this.key = key;
        this.pipeline = pipeline;
        this.network = network;
        this.ladder = ladder;
        thread = new PipelineThread(pipeline, this);
    }

    /**
     * The session that runs, if it is of these networks; else a new one in its place.
     *
     * @param network a flow network; null: the detector
     */
    static synchronized Session of(
            FlowModels models,
            @Nullable String network,
            Choice choice,
            FlowPipelineOptions painting) {
        String key = network + " " + choice.unit() + " " + choice.threads();
        if (current == null || !current.key.equals(key) || current.failure != null) {
            end();
            if (network == null) {
                current = new Session(key, models.detection(choice.threads()), null, null);
            } else {
                EngineLadder ladder = models.ladder(network, choice);
                FlowPipeline pipeline = new FlowPipeline(ladder, painting);
                current = new Session(key, pipeline, network, ladder);
            }
        }
        current.paintAs(painting);
        return current;
    }

    /** Ends the one that runs: another screen needs the accelerators, or nobody any more. */
    static synchronized void end() {
        if (current != null) {
            current.screen = null;
            current.thread.end();
            current = null;
        }
    }

    /** From now on it is this screen's; the next frame follows none. */
    void attach(Screen newest) {
        thread.cut();
        screen = newest;
        newest.onReport(this);
    }

    /** Nobody looks. */
    void detach() {
        screen = null;
    }

    void submit(Frame frame) {
        thread.submit(frame);
    }

    void paintAs(FlowPipelineOptions painting) {
        if (pipeline instanceof FlowPipeline) {
            ((FlowPipeline) pipeline).paintAs(painting);
        }
    }

    /** What runs the networks, and why. */
    String report() {
        return ladder == null ? "CPU" : network + "\n" + ladder.report();
    }

    /** Whether it is known that its network does not say how far it trusts its flow. */
    boolean lacksConfidence() {
        return lacksConfidence;
    }

    /** How long the stages take, a line each. */
    String times() {
        return pipeline.statistics().summary();
    }

    long dropped() {
        return thread.dropped();
    }

    @Override
    public void onReady() {
        lacksConfidence = ladder != null && !ladder.confidenceSpec().isPresent();
        Screen now = screen;
        if (now != null) {
            now.onReport(this);
        }
    }

    @Override
    public void onOverlay(Overlay overlay) {
        Screen now = screen;
        if (now != null) {
            now.onOverlay(this, overlay);
        }
    }

    @Override
    public void onError(Throwable error) {
        Log.e("tfflow", "the pipeline failed", error);
        failure = String.valueOf(error.getMessage());
        Screen now = screen;
        if (now != null) {
            now.onError(this, failure);
        }
    }
}
