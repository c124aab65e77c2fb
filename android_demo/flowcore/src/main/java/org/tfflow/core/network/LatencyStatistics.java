package org.tfflow.core.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How long each stage took over the last runs: medians and 90th percentiles. May be used from
 * several threads.
 */
public final class LatencyStatistics {
    private static final class Ring {
        final long[] nanos;
        long count;

        Ring(int size) {
            nanos = new long[size];
        }

        long[] sorted() {
            long[] kept = Arrays.copyOf(nanos, (int) Math.min(count, nanos.length));
            Arrays.sort(kept);
            return kept;
        }
    }

    private final int window;
    private final Map<String, Ring> stages = new LinkedHashMap<>();

    /**
     * @param window how many of a stage's last times count
     */
    public LatencyStatistics(int window) {
        if (window < 1) {
            throw new IllegalArgumentException("window must be at least 1; got " + window);
        }
        this.window = window;
    }

    /** Adds a time, in nanoseconds. */
    public synchronized void record(String stage, long nanos) {
        if (nanos < 0) {
            throw new IllegalArgumentException("a time must not be negative; got " + nanos);
        }
        Ring ring = stages.computeIfAbsent(stage, name -> new Ring(window));
        ring.nanos[(int) (ring.count++ % window)] = nanos;
    }

    /** The stages in the order in which they first came. */
    public synchronized List<String> stages() {
        return new ArrayList<>(stages.keySet());
    }

    /** How often a stage ran, ever. */
    public synchronized long count(String stage) {
        Ring ring = stages.get(stage);
        return ring == null ? 0 : ring.count;
    }

    /**
     * A percentile in milliseconds, between two times in proportion, as NumPy does.
     *
     * @param percent 0 to 100
     * @return NaN if the stage never ran
     */
    public synchronized double percentile(String stage, double percent) {
        if (!(percent >= 0 && percent <= 100)) {
            throw new IllegalArgumentException("percent must be 0 to 100; got " + percent);
        }
        Ring ring = stages.get(stage);
        if (ring == null) {
            return Double.NaN;
        }
        long[] sorted = ring.sorted();
        double place = percent / 100 * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return (sorted[below] + (sorted[above] - sorted[below]) * (place - below)) / 1e6;
    }

    /** Forgets all times. */
    public synchronized void clear() {
        stages.clear();
    }

    /** A line for each stage: name, median, 90th percentile, in milliseconds. */
    public synchronized String summary() {
        StringBuilder text = new StringBuilder();
        for (String stage : stages.keySet()) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%-8s p50 %7.2f ms  p90 %7.2f ms%n",
                            stage,
                            percentile(stage, 50),
                            percentile(stage, 90)));
        }
        return text.toString();
    }
}
