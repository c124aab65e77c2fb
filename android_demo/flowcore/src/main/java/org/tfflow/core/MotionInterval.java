package org.tfflow.core;

/** A key frame as soon as enough has moved since the last one: still scenes cost next to nothing. */
public final class MotionInterval implements KeyFrameSchedule {
    private final double maxMotion;
    private final int maxInterval;
    private double moved;
    private int since;

    /**
     * @param maxMotion the sum of the pictures' mean motions, in pixels, at which one is due
     * @param maxInterval after so many pictures one is due in any case
     */
    public MotionInterval(double maxMotion, int maxInterval) {
        if (!(maxMotion > 0) || maxInterval < 1) {
            throw new IllegalArgumentException(
                    "maxMotion must be above 0 px and maxInterval at least 1; got " + maxMotion
                            + ", " + maxInterval);
        }
        this.maxMotion = maxMotion;
        this.maxInterval = maxInterval;
        reset();
    }

    @Override
    public boolean isKeyFrame(double motion) {
        moved += motion;
        since++;
        boolean key = moved >= maxMotion || since >= maxInterval;
        if (key) {
            moved = 0;
            since = 0;
        }
        return key;
    }

    @Override
    public void reset() {
        moved = 0;
        since = maxInterval;
    }
}
