package org.tfflow.core.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PlaybackClockTest {
    private static final long MS = 1_000_000;
    private static final long NOW = 123_456 * MS;

    private final PlaybackClock clock = new PlaybackClock();

    private long due(long inFile, long now) {
        long nanos = clock.waitNanos(inFile * MS, NOW + now * MS);
        return nanos == PlaybackClock.SKIP ? nanos : nanos / MS;
    }

    @Test
    void framesComeAsFarApartAsInTheFile() {
        assertEquals(0, due(500, 0)); // whatever the first one's time is
        assertEquals(23, due(533, 10));
        assertEquals(0, due(566, 66));
        assertEquals(0, due(600, 139)); // a little late
    }

    @Test
    void lateFramesAreSkippedUntilItHasCaughtUp() {
        due(0, 0);
        assertEquals(PlaybackClock.SKIP, due(33, 200));
        assertEquals(PlaybackClock.SKIP, due(66, 210));
        assertEquals(0, due(200, 220));
        assertEquals(13, due(233, 220));
    }

    @Test
    void aSlowDecoderStillShowsFrames() {
        due(0, 0);
        assertEquals(0, due(33, 600)); // far too late: the clock starts here
        assertEquals(3, due(66, 630));
    }

    @Test
    void playingAgainStartsTheClockAnew() {
        due(0, 0);
        due(9000, 9000);
        assertEquals(0, due(0, 9040));
        assertEquals(33, due(33, 9040));
        clock.reset();
        assertEquals(0, due(66, 99_000));
    }

    @Test
    void modesThatCantBeChosenSayWhy() {
        ViewModes modes = new ViewModes();
        assertEquals(ViewMode.COLORS, modes.current());
        assertTrue(modes.choose(ViewMode.DETECTION));
        assertNull(modes.reason(ViewMode.DETECTION));
        modes.disable(ViewMode.DETECTION, "no detector in this app");
        assertEquals(ViewMode.COLORS, modes.current());
        assertFalse(modes.choose(ViewMode.DETECTION));
        assertEquals("no detector in this app", modes.reason(ViewMode.DETECTION));
        assertTrue(modes.choose(ViewMode.ARROWS));
        modes.disable(ViewMode.DETECTION, "still none");
        assertEquals(ViewMode.ARROWS, modes.current());
        assertThrows(
                IllegalArgumentException.class, () -> modes.disable(ViewMode.COLORS, "never"));
    }
}
