package org.tfflow.core.detection;

import java.util.Locale;

/** A detected thing: a rectangle in pixels, how sure the detector is, and what it is. */
public final class Box {
    private final float left;
    private final float top;
    private final float right;
    private final float bottom;
    private final float score;
    private final int label;

    /**
     * @param left in pixels, as the next three; x to the right
     * @param top y downwards
     * @param right at least left
     * @param bottom at least top
     * @param score 0 to 1
     * @param label the number of the thing's class
     * @throws IllegalArgumentException if the sides change places or a number is NaN
     */
    public Box(float left, float top, float right, float bottom, float score, int label) {
        if (!(left <= right && top <= bottom) || Float.isNaN(score)) {
            throw new IllegalArgumentException(
                    "expected left <= right, top <= bottom and a score; got left " + left + ", top "
                            + top + ", right " + right + ", bottom " + bottom + ", score " + score);
        }
        this.left = left;
        this.top = top;
        this.right = right;
        this.bottom = bottom;
        this.score = score;
        this.label = label;
    }

    /** In pixels. */
    public float left() {
        return left;
    }

    /** In pixels. */
    public float top() {
        return top;
    }

    /** In pixels. */
    public float right() {
        return right;
    }

    /** In pixels. */
    public float bottom() {
        return bottom;
    }

    /** 0 to 1. */
    public float score() {
        return score;
    }

    /** The number of the thing's class. */
    public int label() {
        return label;
    }

    /** In pixels. */
    public float width() {
        return right - left;
    }

    /** In pixels. */
    public float height() {
        return bottom - top;
    }

    /** The area that both share over the area that either covers: 0 to 1; 0 for empty boxes. */
    public double overlap(Box other) {
        double across = (double) Math.min(right, other.right) - Math.max(left, other.left);
        double down = (double) Math.min(bottom, other.bottom) - Math.max(top, other.top);
        if (across <= 0 || down <= 0) {
            return 0;
        }
        double shared = across * down;
        return shared / (area() + other.area() - shared);
    }

    private double area() {
        return ((double) right - left) * ((double) bottom - top);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "Box(%.1f, %.1f, %.1f, %.1f; label %d, score %.2f)",
                left,
                top,
                right,
                bottom,
                label,
                score);
    }
}
