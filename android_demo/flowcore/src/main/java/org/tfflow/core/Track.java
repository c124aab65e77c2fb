package org.tfflow.core;

/** One thing followed over time: its number, where it is now, how well it was seen. */
public final class Track {
    private final int id;
    private final Box box;
    private final int detections;
    private final int missed;

    Track(int id, Box box, int detections, int missed) {
        this.id = id;
        this.box = box;
        this.detections = detections;
        this.missed = missed;
    }

    /** From 1 on, never used twice. */
    public int id() {
        return id;
    }

    /** Where it is in the newest picture, in pixels. */
    public Box box() {
        return box;
    }

    /** How many times a detector found it. */
    public int detections() {
        return detections;
    }

    /** How many detections in a row did not find it. */
    public int missed() {
        return missed;
    }
}
