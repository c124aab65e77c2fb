package org.tfflow.core;

/** Every so many pictures one is a key frame. */
public final class FixedInterval implements KeyFrameSchedule {
    private final int interval;
    private int since;

    /**
     * @param interval 1: each picture; 2: every other one; and so on
     */
    public FixedInterval(int interval) {
        if (interval < 1) {
            throw new IllegalArgumentException("interval must be at least 1; got " + interval);
        }
        this.interval = interval;
    }

    @Override
    public boolean isKeyFrame(double motion) {
        boolean key = since == 0;
        since = (since + 1) % interval;
        return key;
    }

    @Override
    public void reset() {
        since = 0;
    }
}
