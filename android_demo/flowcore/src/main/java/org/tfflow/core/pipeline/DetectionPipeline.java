package org.tfflow.core.pipeline;

import java.util.List;
import java.util.Optional;
import org.tfflow.core.detection.Box;
import org.tfflow.core.detection.NonMaximumSuppression;
import org.tfflow.core.detection.VideoDetector;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.network.LatencyStatistics;
import org.tfflow.core.network.Network;

/** The objects of each frame of a video, by a {@link VideoDetector}. */
public final class DetectionPipeline implements FramePipeline {
    private static final int WINDOW = 100; // frames over which times are counted

    private final LatencyStatistics statistics = new LatencyStatistics(WINDOW);
    private final VideoDetector detector;
    private long lastTimestamp = Long.MIN_VALUE;

    /**
     * @param key the file for key frames, not yet loaded; loaded and closed here
     * @param between the file for the frames between, likewise
     * @param interval every so many frames one is a key frame, from 1 up
     */
    public DetectionPipeline(
            Network key, Network between, int interval, NonMaximumSuppression suppression) {
        detector =
                new VideoDetector(
                        key, between, interval, suppression, statistics);
    }

    /** Stages: upright, pack, key, between, boxes, and total. */
    @Override
    public LatencyStatistics statistics() {
        return statistics;
    }

    /** How many classes the detector knows; after {@link #open}. */
    public int classes() {
        return detector.classes();
    }

    @Override
    public void open() {
        detector.load();
    }

    @Override
    public void forget() {
        detector.reset();
    }

    @Override
    public Optional<Overlay> process(Frame frame) {
        if (frame.timestampNanos() < lastTimestamp) {
            detector.reset();
        }
        lastTimestamp = frame.timestampNanos();
        long start = System.nanoTime();
        RgbImage image = frame.upright();
        statistics.record("upright", System.nanoTime() - start);
        List<Box> boxes = detector.next(image);
        statistics.record("total", System.nanoTime() - start);
        return Optional.of(Overlay.ofBoxes(frame, image, boxes, detector.isKey()));
    }

    @Override
    public void close() {
        detector.close();
    }
}
