package org.tfflow.litert;

import android.content.Context;
import android.graphics.Bitmap;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowColors;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.network.EngineLadder;
import org.tfflow.core.network.FlowPredictor;
import org.tfflow.core.network.LatencyStatistics;

/**
 * Optical flow in an app: bitmaps in, flow out, on the best accelerator that computes rightly. The
 * networks are those of {@code tfflow export --android-assets app/src/main/assets}. All methods are
 * called on one thread, which is not the screen's: {@link #open} may take seconds, and a GPU stays on
 * its thread.
 */
public final class OpticalFlow implements AutoCloseable {
    private final EngineLadder engine;
    private final FlowPredictor predictor;

    private OpticalFlow(EngineLadder engine) {
        this.engine = engine;
        engine.load();
        predictor = new FlowPredictor(engine, Fit.STRETCH, new LatencyStatistics(1));
    }

    /**
     * The first network of the assets.
     *
     * @throws IllegalArgumentException if there are none
     * @throws org.tfflow.core.network.FlowEngineException if nothing on this phone runs it
     */
    public static OpticalFlow open(Context context) {
        FlowModels models = new FlowModels(context);
        return open(models, models.names().get(0), Choice.BEST);
    }

    /** A network by its name; as the other. */
    public static OpticalFlow open(FlowModels models, String name, Choice choice) {
        return new OpticalFlow(models.ladder(name, choice));
    }

    /**
     * The flow from one picture to another of its size, in their pixels. Forgets the frames of
     * {@link #next}.
     */
    public FlowField between(Bitmap image1, Bitmap image2) {
        return predictor.predict(Bitmaps.rgb(image1), Bitmaps.rgb(image2));
    }

    /** The flow from the last frame to this one; null for the first, and for the first of a size. */
    public @Nullable FlowField next(Bitmap frame) {
        return predictor
                .next(Bitmaps.rgb(frame), frame.getWidth(), frame.getHeight())
                .orElse(null);
    }

    /** The next frame is the first of another video. */
    public void forget() {
        predictor.forget();
    }

    /**
     * Whether the network says how far it trusts its flow. Then each flow has its confidence, and
     * {@link FlowField#withoutDoubtful} leaves out what is doubtful.
     */
    public boolean givesConfidence() {
        return engine.confidenceSpec().isPresent();
    }

    /** What runs the network: NPU, GPU or the CPU with its threads. */
    public String runsOn() {
        return engine.chosen();
    }

    /** A line for each accelerator that was tried: why it was left, or how its flow compares. */
    public String report() {
        return engine.report();
    }

    /**
     * Flow as colours: the hue tells the direction, white is no motion; transparent where it is not
     * known.
     *
     * @param maxFlow the motion in pixels that gets full colour
     */
    public static Bitmap picture(FlowField flow, float maxFlow) {
        return Bitmaps.of(
                FlowColors.toArgb(flow, maxFlow, 255), flow.width(), flow.height());
    }

    @Override
    public void close() {
        engine.close();
    }
}
