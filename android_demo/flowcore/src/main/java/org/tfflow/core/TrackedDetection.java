package org.tfflow.core;

import java.util.List;

/**
 * Any detector of single pictures, made to follow things through a video: it runs on key frames,
 * between them the flow carries its boxes. {@link VideoDetector} is for detectors that tfflow
 * exported, which carry their features instead. Not thread-safe.
 */
public final class TrackedDetection {
    private final Detector detector;
    private final KeyFrameSchedule schedule;
    private final NonMaximumSuppression suppression;
    private final Tracker tracker;

    /** Puts the four parts together. */
    public TrackedDetection(
            Detector detector,
            KeyFrameSchedule schedule,
            NonMaximumSuppression suppression,
            Tracker tracker) {
        this.detector = detector;
        this.schedule = schedule;
        this.suppression = suppression;
        this.tracker = tracker;
    }

    /**
     * The first picture: there is no flow yet, so the detector runs.
     *
     * @return the things in it
     */
    public List<Track> first(RgbImage image) {
        schedule.reset();
        return step(image, 0);
    }

    /**
     * The next picture.
     *
     * @param flow from the picture before to this one, in its pixels and of its size
     * @return the things in it
     */
    public List<Track> next(RgbImage image, FlowField flow) {
        if (flow.width() != image.width() || flow.height() != image.height()) {
            throw new IllegalArgumentException(
                    "expected flow of the picture's size, " + image.width() + " x "
                            + image.height() + "; got " + flow.width() + " x " + flow.height());
        }
        tracker.move(flow);
        return step(image, flow.meanMotion());
    }

    private List<Track> step(RgbImage image, double motion) {
        if (schedule.isKeyFrame(motion)) {
            tracker.update(suppression.apply(detector.detect(image)));
        }
        return tracker.tracks();
    }
}
