package org.tfflow.core.detection;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Of boxes that lie on each other and have one label, the surest stays; the same ones, in the same
 * order, as in tfflow.detection.
 */
public final class NonMaximumSuppression {
    private static final int CANDIDATES = 1000; // as tfflow.detection; the others are not looked at

    private final double minScore;
    private final double maxOverlap;
    private final int most;

    /** As the other, and as many boxes as there are. */
    public NonMaximumSuppression(double minScore, double maxOverlap) {
        this(minScore, maxOverlap, Integer.MAX_VALUE);
    }

    /**
     * @param minScore boxes below it are dropped, 0 to 1
     * @param maxOverlap more than this overlap with a surer box of its label drops a box, 0 to 1
     * @param most so many of them at most, from 1 up
     */
    public NonMaximumSuppression(double minScore, double maxOverlap, int most) {
        if (!(minScore >= 0 && minScore <= 1 && maxOverlap >= 0 && maxOverlap <= 1)) {
            throw new IllegalArgumentException(
                    "minScore and maxOverlap must be 0 to 1; got " + minScore + ", " + maxOverlap);
        }
        if (most < 1) {
            throw new IllegalArgumentException("most must be at least 1; got " + most);
        }
        this.minScore = minScore;
        this.maxOverlap = maxOverlap;
        this.most = most;
    }

    /** Whether a box of this score may stay. */
    boolean isSure(float score) {
        return score >= (float) minScore; // in float32, as NumPy compares
    }

    /** Those that stay, the surest first; of equal ones, the first. */
    public List<Box> apply(List<Box> boxes) {
        List<Box> sorted = new ArrayList<>();
        for (Box box : boxes) {
            if (isSure(box.score())) {
                sorted.add(box);
            }
        }
        Collections.sort(sorted, (a, b) -> Float.compare(b.score(), a.score()));
        List<Box> kept = new ArrayList<>();
        for (Box box : sorted.subList(0, Math.min(sorted.size(), CANDIDATES))) {
            if (kept.size() < most && !covered(box, kept)) {
                kept.add(box);
            }
        }
        return kept;
    }

    private boolean covered(Box box, List<Box> kept) {
        for (Box other : kept) {
            if (other.label() == box.label() && other.overlap(box) > maxOverlap) {
                return true;
            }
        }
        return false;
    }
}
