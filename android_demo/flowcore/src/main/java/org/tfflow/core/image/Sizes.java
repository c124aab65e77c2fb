package org.tfflow.core.image;

/** The checks of sizes that all classes here share. */
public final class Sizes {
    private Sizes() {}

    /** How many numbers a picture has; sizes must be at least 1. */
    public static int count(String name, int width, int height, int channels) {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException(
                    name + " must be at least 1 x 1 pixel (width x height); got " + width + " x "
                            + height);
        }
        return Math.multiplyExact(Math.multiplyExact(width, height), channels);
    }

    public static void checkLength(String name, int expected, int actual) {
        if (actual != expected) {
            throw new IllegalArgumentException(
                    name + " must hold " + expected + " values; got " + actual);
        }
    }

    public static float checkPositive(String name, float value) {
        if (!(value > 0) || Float.isInfinite(value)) {
            throw new IllegalArgumentException(name + " must be above 0; got " + value);
        }
        return value;
    }
}
