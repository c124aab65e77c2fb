package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.image.Sizes;

/**
 * Does this device compute flow as good as the file's? A pair of images goes in whose true flow is
 * known. Its flow is compared with the truth and with the flow that the file gave where it was
 * exported. A wrong kernel or a wrong delegate shows before anybody trusts it; one that only rounds
 * otherwise passes: LiteRT's own kernels for int8 differ by 0.15 px on average, by 0.6 px at most, and
 * are as near to the truth.
 */
public final class SelfCheck {
    private static final double MOST_DIFFERENCE = 0.5; // px, on average
    private static final double MOST_GROWTH = 1.1; // of the distance to the truth
    private static final double SLACK = 0.1; // px

    /** A pair of images with its true flow, and the flow that a file gives for it. */
    public static final class Golden {
        private final RgbImage image1;
        private final RgbImage image2;
        private final byte[] truth;
        private final byte[] flow;
        private final int step;

        /**
         * @param truth the true flow at every {@code step}-th pixel of both directions, from the
         *     first on; little-endian floats (u, v)
         * @param flow the file's, likewise
         * @param step in pixels
         */
        public Golden(RgbImage image1, RgbImage image2, byte[] truth, byte[] flow, int step) {
            Sizes.count("every how many pixels", step, step, 1);
            this.image1 = image1;
            this.image2 = image2;
            this.truth = truth;
            this.flow = flow;
            this.step = step;
            int size = 8 * side(image1.width(), step) * side(image1.height(), step);
            Sizes.checkLength("bytes of the true flow", size, truth.length);
            Sizes.checkLength("bytes of the golden flow", size, flow.length);
        }

        /** A golden flow as a file of it is written: what a predictor gives for the pair. */
        public static byte[] flowOf(
                FlowPredictor predictor, RgbImage image1, RgbImage image2, int step) {
            FlowField flow = predictor.predict(image1, image2);
            ByteBuffer bytes =
                    ByteBuffer.allocate(8 * side(flow.width(), step) * side(flow.height(), step))
                            .order(ByteOrder.LITTLE_ENDIAN);
            for (int y = 0; y < flow.height(); y += step) {
                for (int x = 0; x < flow.width(); x += step) {
                    bytes.putFloat(flow.u(x, y)).putFloat(flow.v(x, y));
                }
            }
            return bytes.array();
        }

        private static int side(int pixels, int step) {
            return (pixels + step - 1) / step;
        }
    }

    private final double epe;
    private final double goldenEpe;
    private final double difference;

    private SelfCheck(double epe, double goldenEpe, double difference) {
        this.epe = epe;
        this.goldenEpe = goldenEpe;
        this.difference = difference;
    }

    /** Predicts and compares. */
    public static SelfCheck run(FlowPredictor predictor, Golden golden) {
        byte[] flow =
                Golden.flowOf(predictor, golden.image1, golden.image2, golden.step);
        return new SelfCheck(
                distance(flow, golden.truth),
                distance(golden.flow, golden.truth),
                distance(flow, golden.flow));
    }

    /** The mean distance of two flows, in pixels; NaN if one has a number that is none. */
    private static double distance(byte[] one, byte[] other) {
        ByteBuffer a = ByteBuffer.wrap(one).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer b = ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN);
        double sum = 0;
        for (int at = 0; at < one.length; at += 8) {
            double du = a.getFloat(at) - b.getFloat(at);
            double dv = a.getFloat(at + 4) - b.getFloat(at + 4);
            sum += Math.sqrt(du * du + dv * dv);
        }
        return sum / (one.length / 8);
    }

    /** The mean distance of this device's flow to the true one, in pixels. */
    public double epe() {
        return epe;
    }

    /** That of the flow that the file was shipped with. */
    public double goldenEpe() {
        return goldenEpe;
    }

    /** The mean distance of these two flows, in pixels. */
    public double difference() {
        return difference;
    }

    /** Whether this device's flow is as good as the one that the file was shipped with. */
    public boolean passes() {
        // Written so that NaN is wrong.
        return difference <= MOST_DIFFERENCE && epe <= MOST_GROWTH * goldenEpe + SLACK;
    }

    /** The three numbers, in the order of their methods. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "EPE %.2f px, %.2f expected, %.2f apart",
                epe,
                goldenEpe,
                difference);
    }
}
