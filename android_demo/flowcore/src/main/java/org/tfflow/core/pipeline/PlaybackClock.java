package org.tfflow.core.pipeline;

/**
 * When a video file's frames are due: the first at once, the others as long after it as in the file.
 * A frame that comes a little late is skipped to catch up; one that comes very late, since the phone
 * was busy or decodes slower than the file plays, is shown and sets the clock anew.
 */
public final class PlaybackClock {
    /** What {@link #waitNanos} gives for a frame that is not to be shown. */
    public static final long SKIP = -1;

    private static final long LATE = 40_000_000; // ns, about a frame
    private static final long VERY_LATE = 500_000_000; // ns

    private boolean runs;
    private long start;
    private long last;

    /**
     * Asked once for each frame, in order. One that is not later in the file than the last starts
     * the clock anew: the file plays again from its start.
     *
     * @param inFile the frame's time in the file, in nanoseconds
     * @param now in nanoseconds, as System.nanoTime
     * @return how long to wait before the frame is shown, in nanoseconds; {@link #SKIP}
     */
    public long waitNanos(long inFile, long now) {
        long late = now - start - inFile;
        if (!runs || inFile <= last || late > VERY_LATE) {
            start = now - inFile;
            late = 0;
        }
        runs = true;
        last = inFile;
        return late > LATE ? SKIP : Math.max(-late, 0);
    }

    /** The next frame is shown at once: after a pause. */
    public void reset() {
        runs = false;
    }
}
