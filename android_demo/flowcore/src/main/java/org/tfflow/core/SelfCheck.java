package org.tfflow.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/**
 * Does this device compute what the file was shipped with? A pair of images goes in, its flow is
 * compared with the golden one. A wrong kernel or a wrong delegate shows before anybody trusts it.
 */
public final class SelfCheck {
    private final double meanError;
    private final double largestError;

    private SelfCheck(double meanError, double largestError) {
        this.meanError = meanError;
        this.largestError = largestError;
    }

    /**
     * Predicts and compares.
     *
     * @param golden the right flow at every {@code step}-th pixel of both directions, from the
     *     first on; little-endian floats (u, v), as models.json's golden_flow
     * @param step in pixels
     * @throws IllegalArgumentException if golden's size does not fit
     */
    public static SelfCheck run(
            FlowPredictor predictor, RgbImage image1, RgbImage image2, byte[] golden, int step) {
        FlowField flow = predictor.predict(image1, image2);
        int columns = (flow.width() + step - 1) / step;
        int rows = (flow.height() + step - 1) / step;
        Sizes.checkLength("bytes of the golden flow", 8 * columns * rows, golden.length);
        ByteBuffer wanted = ByteBuffer.wrap(golden).order(ByteOrder.LITTLE_ENDIAN);
        double sum = 0;
        double largest = 0;
        for (int y = 0; y < flow.height(); y += step) {
            for (int x = 0; x < flow.width(); x += step) {
                double du = flow.u(x, y) - wanted.getFloat();
                double dv = flow.v(x, y) - wanted.getFloat();
                double error = Math.sqrt(du * du + dv * dv);
                sum += error;
                largest = Math.max(largest, error); // NaN stays NaN
            }
        }
        return new SelfCheck(sum / (columns * rows), largest);
    }

    /** The mean distance of the two flows, in pixels. */
    public double meanError() {
        return meanError;
    }

    /** The largest distance of the two flows, in pixels. */
    public double largestError() {
        return largestError;
    }

    /** Whether no flow is further off than this, in pixels. */
    public boolean passes(double tolerance) {
        return largestError <= tolerance;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "self-check: mean error %.4f px, largest %.4f px",
                meanError,
                largestError);
    }
}
