package org.tfflow.litert;

import org.jspecify.annotations.Nullable;

/** What a network shall run on; each method gives a changed copy. */
public final class Choice {
    /** What there may be. */
    public enum Unit {
        /** A neural processor. */
        NPU,
        /** The graphics processor. */
        GPU,
        /** The processor. */
        CPU
    }

    /** The best that computes rightly, in the order NPU, GPU, CPU. */
    public static final Choice BEST = new Choice(null, Accelerators.defaultThreads());

    private final @Nullable Unit unit;
    private final int threads;

    private Choice(@Nullable Unit unit, int threads) {
        this.unit = unit;
        this.threads = threads;
    }

    /** This one alone; null: the best. */
    public Choice withUnit(@Nullable Unit only) {
        return new Choice(only, threads);
    }

    /**
     * The CPU with so many threads.
     *
     * @throws IllegalArgumentException if it is below 1
     */
    public Choice withThreads(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("threads must be at least 1; got " + count);
        }
        return new Choice(unit, count);
    }

    /** The only one; null: the best. */
    public @Nullable Unit unit() {
        return unit;
    }

    /** Of the CPU. */
    public int threads() {
        return threads;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Choice
                && unit == ((Choice) other).unit
                && threads == ((Choice) other).threads;
    }

    @Override
    public int hashCode() {
        return 31 * threads + (unit == null ? 0 : unit.hashCode());
    }
}
