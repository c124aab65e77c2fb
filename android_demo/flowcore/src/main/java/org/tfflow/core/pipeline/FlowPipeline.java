package org.tfflow.core.pipeline;

import java.util.Optional;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.network.FlowEngine;
import org.tfflow.core.network.FlowPredictor;
import org.tfflow.core.network.LatencyStatistics;
import org.tfflow.core.network.SelfCheck;

/** The flow from each frame to the next: upright, packed, run, resized, painted. */
public final class FlowPipeline implements FramePipeline {
    private static final int WINDOW = 100; // frames over which times are counted

    private final FlowEngine engine;
    private final Fit fit;
    private final LatencyStatistics statistics = new LatencyStatistics(WINDOW);
    // The screen's thread may change them.
    private volatile FlowPipelineOptions options;
    private FlowPredictor predictor;
    private long lastTimestamp = Long.MIN_VALUE;

    /**
     * @param engine not yet loaded; the pipeline loads and closes it
     */
    public FlowPipeline(FlowEngine engine, FlowPipelineOptions options) {
        this.engine = engine;
        this.options = options;
        fit = options.fit();
    }

    /** Paints so from the next frame on, from any thread; the fit stays as it was. */
    public void paintAs(FlowPipelineOptions newOptions) {
        options = newOptions;
    }

    /** Stages: upright, pack, run, unpack, paint, and total. */
    @Override
    public LatencyStatistics statistics() {
        return statistics;
    }

    @Override
    public void open() {
        if (predictor == null) {
            engine.load();
            predictor = new FlowPredictor(engine, fit, statistics);
        }
    }

    /** What predicts, for a {@link SelfCheck}; after {@link #open}. */
    public FlowPredictor predictor() {
        if (predictor == null) {
            throw new IllegalStateException("call open() first");
        }
        return predictor;
    }

    @Override
    public void forget() {
        predictor().forget();
    }

    /**
     * One frame.
     *
     * @return the overlay of the last frame and this one; nothing for a first frame
     */
    @Override
    public Optional<Overlay> process(Frame frame) {
        FlowPredictor open = predictor();
        FlowPipelineOptions now = options;
        if (frame.timestampNanos() < lastTimestamp) {
            open.forget();
        }
        lastTimestamp = frame.timestampNanos();
        long start = System.nanoTime();
        RgbImage image = frame.upright();
        statistics.record("upright", System.nanoTime() - start);
        Optional<FlowField> flow = open.next(image, now.viewWidth(image), now.viewHeight(image));
        if (!flow.isPresent()) {
            return Optional.empty();
        }
        long before = System.nanoTime();
        Overlay overlay = now.paint(frame, image, flow.get());
        long end = System.nanoTime();
        statistics.record("paint", end - before);
        statistics.record("total", end - start);
        return Optional.of(overlay);
    }

    @Override
    public void close() {
        predictor = null;
        engine.close();
    }
}
