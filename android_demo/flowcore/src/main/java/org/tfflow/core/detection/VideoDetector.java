package org.tfflow.core.detection;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tfflow.core.image.Letterbox;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.LatencyStatistics;
import org.tfflow.core.network.Network;
import org.tfflow.core.network.TensorPacking;
import org.tfflow.core.network.TensorSpec;

/**
 * The objects of each frame of a video, by the two files that tfflow exports of a detector: one for
 * key frames, which computes features, and one for the frames between, which carries the last key
 * frame's features along the flow. The twin of {@code tfflow.detection.VideoDetector}: the same
 * boxes, to the rounding. Not thread-safe.
 *
 * <p>Inputs of both: image and key_image [1, H, W, 3], RGB in [0, 1], and features [1, h, w, C].
 * Outputs of both: boxes [1, N, 4], x1, y1, x2, y2 in pixels of H x W, and scores [1, N, K] for K
 * classes. The key frames' file also gives features, the other one the flow to the key frame, which
 * is not looked at here. Frames of any size are stretched to H x W.
 */
public final class VideoDetector implements AutoCloseable {
    private static final String IMAGE = "image";
    private static final String KEY_IMAGE = "key_image";
    private static final String FEATURES = "features";
    private static final String FLOW = "flow";
    private static final String BOXES = "boxes";
    private static final String SCORES = "scores";

    private final Network key;
    private final Network between;
    private final int interval; // frames
    private final NonMaximumSuppression suppression;
    private final LatencyStatistics statistics;
    private boolean loaded;
    private float[] values;
    private float[] boxes;
    private float[] scores;
    private ByteBuffer image;
    private ByteBuffer keyImage;
    private ByteBuffer features;
    private ByteBuffer newFeatures;
    private ByteBuffer boxBytes;
    private ByteBuffer scoreBytes;
    private ByteBuffer flow;
    private Letterbox stretch;
    private int sinceKey; // frames
    private boolean isFirst = true;
    private boolean isKey;

    /**
     * @param key the file for key frames, not yet loaded; loaded and closed here
     * @param between the file for the frames between, likewise
     * @param interval every so many frames one is a key frame, from 1 up
     * @param suppression with the score below which boxes are dropped
     * @param statistics gets the stages pack, key or between, and boxes
     */
    public VideoDetector(
            Network key,
            Network between,
            int interval,
            NonMaximumSuppression suppression,
            LatencyStatistics statistics) {
        this.key = key;
        this.between = between;
        if (interval < 1) {
            throw new IllegalArgumentException("interval must be at least 1; got " + interval);
        }
        this.interval = interval;
        this.suppression = suppression;
        this.statistics = statistics;
    }

    /**
     * Loads both files.
     *
     * @throws FlowEngineException if one can't be run, or they do not belong together
     */
    public void load() {
        if (loaded) {
            return;
        }
        key.load();
        between.load();
        check();
        values = new float[key.input(Network.FIRST, IMAGE).count()];
        boxes = new float[key.output(Network.FIRST, BOXES).count()];
        scores = new float[key.output(Network.FIRST, SCORES).count()];
        image = TensorPacking.allocate(key.input(Network.FIRST, IMAGE));
        keyImage = TensorPacking.allocate(key.input(Network.FIRST, IMAGE));
        features = TensorPacking.allocate(key.input(Network.FIRST, FEATURES));
        newFeatures = TensorPacking.allocate(key.input(Network.FIRST, FEATURES));
        boxBytes = TensorPacking.allocate(key.output(Network.FIRST, BOXES));
        scoreBytes = TensorPacking.allocate(key.output(Network.FIRST, SCORES));
        flow = TensorPacking.allocate(between.output(Network.FIRST, FLOW));
        loaded = true;
        reset();
    }

    private void check() {
        TensorSpec frame = key.input(Network.FIRST, IMAGE);
        TensorSpec box = key.output(Network.FIRST, BOXES);
        TensorSpec score = key.output(Network.FIRST, SCORES);
        boolean tables = box.shape().length == 3 && score.shape().length == 3;
        if (frame.channels() != 3
                || !tables
                || box.width() != 4
                || box.height() != score.height()) {
            throw new FlowEngineException(
                    "expected image [1, H, W, 3], boxes [1, N, 4] and scores [1, N, K]; got "
                            + frame + ", " + box + " and " + score);
        }
        checkAlike(frame, key.input(Network.FIRST, KEY_IMAGE));
        checkAlike(frame, between.input(Network.FIRST, IMAGE));
        checkAlike(frame, between.input(Network.FIRST, KEY_IMAGE));
        checkAlike(key.input(Network.FIRST, FEATURES), key.output(Network.FIRST, FEATURES));
        checkAlike(key.input(Network.FIRST, FEATURES), between.input(Network.FIRST, FEATURES));
        checkAlike(box, between.output(Network.FIRST, BOXES));
        checkAlike(score, between.output(Network.FIRST, SCORES));
    }

    private static void checkAlike(TensorSpec one, TensorSpec other) {
        if (!one.isLike(other)) {
            throw new FlowEngineException(
                    "the two files are not a pair of one export: " + one + " and " + other);
        }
    }

    /** How many classes the detector knows; a box's label is below it. */
    public int classes() {
        checkLoaded();
        return key.output(Network.FIRST, SCORES).width();
    }

    /** Forgets all frames: the next one is the first of another video, of any size. */
    public void reset() {
        sinceKey = 0;
        isFirst = true;
    }

    /** Whether the last frame was a key frame. */
    public boolean isKey() {
        return isKey;
    }

    /**
     * The objects of the next frame; one of another size than the last is the first of another
     * video.
     *
     * @return boxes in pixels of the frame and within it, the surest first
     */
    public List<Box> next(RgbImage frame) {
        checkLoaded();
        long start = System.nanoTime();
        TensorSpec spec = key.input(Network.FIRST, IMAGE);
        if (stretch == null || !stretch.takes(frame.width(), frame.height())) {
            stretch =
                    Letterbox.stretch(
                            frame.width(), frame.height(), spec.width(), spec.height());
            reset();
        }
        stretch.apply(frame, values);
        TensorPacking.pack(values, spec, image);
        long packed = System.nanoTime();
        statistics.record("pack", packed - start);

        boolean isKeyNow = sinceKey == 0;
        if (isFirst) {
            copy(image, keyImage);
            TensorSpec featureSpec = key.input(Network.FIRST, FEATURES);
            TensorPacking.pack(new float[featureSpec.count()], featureSpec, features);
        }
        Map<String, ByteBuffer> inputs = new HashMap<>();
        inputs.put(IMAGE, image);
        inputs.put(KEY_IMAGE, keyImage);
        inputs.put(FEATURES, features);
        Map<String, ByteBuffer> outputs = new HashMap<>();
        outputs.put(BOXES, boxBytes);
        outputs.put(SCORES, scoreBytes);
        if (isKeyNow) {
            outputs.put(FEATURES, newFeatures);
            key.run(Network.FIRST, inputs, outputs);
            keepAsKey();
        } else {
            outputs.put(FLOW, flow);
            between.run(Network.FIRST, inputs, outputs);
        }
        // Only now, when nothing can fail any more.
        isKey = isKeyNow;
        isFirst = false;
        sinceKey = (sinceKey + 1) % interval;
        long ran = System.nanoTime();
        statistics.record(isKeyNow ? "key" : "between", ran - packed);
        List<Box> found = boxes(frame);
        statistics.record("boxes", System.nanoTime() - ran);
        return found;
    }

    /** This frame and its features are what the next ones start from. */
    private void keepAsKey() {
        ByteBuffer oldImage = keyImage;
        keyImage = image;
        image = oldImage;
        ByteBuffer oldFeatures = features;
        features = newFeatures;
        newFeatures = oldFeatures;
    }

    private List<Box> boxes(RgbImage frame) {
        TensorSpec spec = key.input(Network.FIRST, IMAGE);
        TensorPacking.unpack(boxBytes, key.output(Network.FIRST, BOXES), boxes);
        TensorPacking.unpack(scoreBytes, key.output(Network.FIRST, SCORES), scores);
        int classes = classes();
        List<Box> sure = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) {
            if (suppression.isSure(scores[i])) {
                int at = 4 * (i / classes);
                sure.add(box(at, scores[i], i % classes));
            }
        }
        float across = (float) frame.width() / spec.width();
        float down = (float) frame.height() / spec.height();
        List<Box> found = new ArrayList<>();
        for (Box box : suppression.apply(sure)) {
            found.add(
                    new Box(
                            within(box.left() * across, frame.width()),
                            within(box.top() * down, frame.height()),
                            within(box.right() * across, frame.width()),
                            within(box.bottom() * down, frame.height()),
                            box.score(),
                            box.label()));
        }
        return found;
    }

    private Box box(int at, float score, int label) {
        if (!(boxes[at] <= boxes[at + 2] && boxes[at + 1] <= boxes[at + 3])) {
            throw new FlowEngineException(
                    "the detector gave a box (" + boxes[at] + ", " + boxes[at + 1] + ", "
                            + boxes[at + 2] + ", " + boxes[at + 3]
                            + ") where x1 <= x2 and y1 <= y2 were expected: the file is damaged,"
                            + " or what runs it computes wrong");
        }
        return new Box(
                boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3], score, label);
    }

    private static float within(float place, int side) {
        return Math.min(Math.max(place, 0), side);
    }

    private static void copy(ByteBuffer from, ByteBuffer to) {
        ByteBuffer source = from.duplicate();
        ByteBuffer target = to.duplicate();
        source.clear();
        target.clear();
        target.put(source);
    }

    private void checkLoaded() {
        if (!loaded) {
            throw new IllegalStateException("call load() first");
        }
    }

    @Override
    public void close() {
        loaded = false;
        key.close();
        between.close();
    }
}
