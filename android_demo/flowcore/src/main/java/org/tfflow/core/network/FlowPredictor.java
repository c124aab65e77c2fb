package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.Letterbox;
import org.tfflow.core.image.RgbImage;

/**
 * Pictures of any size in, flow of any size out, with its confidence if the network gives it. Each
 * picture is brought to the network's size and packed once, although it is in two pairs. Not
 * thread-safe.
 */
public final class FlowPredictor {
    private final FlowEngine engine;
    private final Fit fit;
    private final LatencyStatistics statistics;
    private final float[] values;
    private final float[] networkFlow;
    private final @Nullable TensorSpec confidence; // null: the network gives none
    private final float @Nullable [] networkConfidence; // likewise
    private final Map<String, ByteBuffer> outputs = new HashMap<>();
    private ByteBuffer before;
    private ByteBuffer now;
    private Letterbox letterbox;
    private boolean hasBefore;

    /**
     * @param engine loaded
     * @param statistics gets the stages pack, run and unpack
     * @throws FlowEngineException if it is no flow network
     */
    public FlowPredictor(FlowEngine engine, Fit fit, LatencyStatistics statistics) {
        this.engine = engine;
        this.fit = fit;
        this.statistics = statistics;
        TensorSpec input = engine.inputSpec();
        TensorSpec flow = engine.outputSpec();
        boolean sameSize = input.width() == flow.width() && input.height() == flow.height();
        if (input.channels() != 3 || flow.channels() != 2 || !sameSize) {
            throw new FlowEngineException(
                    "expected images [1, height, width, 3] and flow [1, height, width, 2] of one"
                            + " size; got " + input + " and " + flow);
        }
        confidence = engine.confidenceSpec().orElse(null);
        if (confidence != null && confidence.channels() != 1) {
            throw new FlowEngineException(
                    "expected confidence [1, height, width, 1]; got " + confidence);
        }
        values = new float[input.count()];
        networkFlow = new float[flow.count()];
        before = TensorPacking.allocate(input);
        now = TensorPacking.allocate(input);
        outputs.put(FlowEngine.FLOW, TensorPacking.allocate(flow));
        networkConfidence = confidence == null ? null : new float[confidence.count()];
        if (confidence != null) {
            outputs.put(FlowEngine.CONFIDENCE, TensorPacking.allocate(confidence));
        }
    }

    /**
     * The flow from one picture to another of its size, in their pixels. Forgets what came before,
     * and both of them.
     */
    public FlowField predict(RgbImage image1, RgbImage image2) {
        if (image1.width() != image2.width() || image1.height() != image2.height()) {
            throw new IllegalArgumentException(
                    "both pictures must be of one size; got " + image1.width() + " x "
                            + image1.height() + " and " + image2.width() + " x "
                            + image2.height());
        }
        forget();
        next(image1, image1.width(), image1.height());
        FlowField flow = next(image2, image2.width(), image2.height()).get();
        forget();
        return flow;
    }

    /**
     * The flow from the picture of the last call to this one.
     *
     * @param viewWidth width of the flow wanted, and the size whose pixels it is in
     * @param viewHeight its height
     * @return nothing for the first picture, and for the first of a new size
     */
    public Optional<FlowField> next(RgbImage image, int viewWidth, int viewHeight) {
        long start = System.nanoTime();
        TensorSpec input = engine.inputSpec();
        if (letterbox == null || !letterbox.takes(image.width(), image.height())) {
            letterbox = fit.of(image.width(), image.height(), input.width(), input.height());
            hasBefore = false;
        }
        ByteBuffer last = now;
        now = before;
        before = last;
        letterbox.apply(image, values);
        TensorPacking.pack(values, input, now);
        long packed = System.nanoTime();
        statistics.record("pack", packed - start);
        if (!hasBefore) {
            engine.forget();
            hasBefore = true;
            return Optional.empty();
        }
        engine.run(before, now, outputs);
        long ran = System.nanoTime();
        statistics.record("run", ran - packed);
        FlowField restored = unpack(viewWidth, viewHeight);
        statistics.record("unpack", System.nanoTime() - ran);
        return Optional.of(restored);
    }

    /** What the network has given, as flow of the picture. */
    private FlowField unpack(int viewWidth, int viewHeight) {
        TensorSpec spec = engine.outputSpec();
        TensorPacking.unpack(outputs.get(FlowEngine.FLOW), spec, networkFlow);
        FlowField flow =
                letterbox.restore(
                        new FlowField(spec.width(), spec.height(), networkFlow),
                        viewWidth,
                        viewHeight);
        if (confidence == null) {
            return flow;
        }
        TensorPacking.unpack(
                outputs.get(FlowEngine.CONFIDENCE), confidence, networkConfidence);
        float[] trust =
                letterbox.restoreMap(
                        networkConfidence,
                        confidence.width(),
                        confidence.height(),
                        viewWidth,
                        viewHeight);
        return new FlowField(viewWidth, viewHeight, flow.uv(), trust);
    }

    /** The next picture is a first one: after a cut, or another camera. */
    public void forget() {
        hasBefore = false;
    }
}
