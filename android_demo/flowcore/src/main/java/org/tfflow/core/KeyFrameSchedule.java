package org.tfflow.core;

/** Says at which pictures the slow detector runs; between them the flow carries its boxes. */
public interface KeyFrameSchedule {
    /**
     * To be asked once for each picture, in order. The first is always a key frame.
     *
     * @param motion the mean motion since the picture before, in pixels; 0 for the first
     */
    boolean isKeyFrame(double motion);

    /** Starts anew: the next picture is a key frame. */
    void reset();
}
