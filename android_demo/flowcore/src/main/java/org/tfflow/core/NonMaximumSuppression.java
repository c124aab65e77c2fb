package org.tfflow.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Of boxes that lie on each other and have one label, the surest stays. */
public final class NonMaximumSuppression {
    private final float minScore;
    private final float maxOverlap;

    /**
     * @param minScore boxes below it are dropped, 0 to 1
     * @param maxOverlap more than this overlap with a surer box of its label drops a box, 0 to 1
     */
    public NonMaximumSuppression(float minScore, float maxOverlap) {
        if (!(minScore >= 0 && minScore <= 1 && maxOverlap >= 0 && maxOverlap <= 1)) {
            throw new IllegalArgumentException(
                    "minScore and maxOverlap must be 0 to 1; got " + minScore + ", " + maxOverlap);
        }
        this.minScore = minScore;
        this.maxOverlap = maxOverlap;
    }

    /** Those that stay, the surest first. */
    public List<Box> apply(List<Box> boxes) {
        List<Box> sorted = new ArrayList<>(boxes);
        Collections.sort(sorted, (a, b) -> Float.compare(b.score(), a.score()));
        List<Box> kept = new ArrayList<>();
        for (Box box : sorted) {
            if (box.score() >= minScore && !covered(box, kept)) {
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
