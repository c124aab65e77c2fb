package org.tfflow.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class KeyFrameScheduleTest {
    private static String keys(KeyFrameSchedule schedule, double... motions) {
        StringBuilder keys = new StringBuilder();
        for (double motion : motions) {
            keys.append(schedule.isKeyFrame(motion) ? 'K' : '.');
        }
        return keys.toString();
    }

    @Test
    void fixedInterval() {
        assertEquals("K..K..K", keys(new FixedInterval(3), new double[7]));
        assertEquals("KKK", keys(new FixedInterval(1), new double[3]));
    }

    @Test
    void enoughMotionMakesAKeyFrame() {
        // 4 + 4 < 10, then 12: a key frame, and the sum starts anew.
        assertEquals("K..K..K", keys(new MotionInterval(10, 99), 0, 4, 4, 4, 4, 4, 4));
        assertEquals("KKK", keys(new MotionInterval(10, 99), 0, 50, 10));
    }

    @Test
    void aStillSceneHasOneInAWhile() {
        assertEquals("K...K...K", keys(new MotionInterval(10, 4), new double[9]));
    }

    @Test
    void resetMakesTheNextAKeyFrame() {
        for (KeyFrameSchedule schedule :
                new KeyFrameSchedule[] {new FixedInterval(5), new MotionInterval(10, 5)}) {
            assertEquals("K.", keys(schedule, 0, 0));
            schedule.reset();
            assertEquals("K....K", keys(schedule, new double[6]));
        }
    }

    @Test
    void impossibleIntervalsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new FixedInterval(0));
        assertThrows(IllegalArgumentException.class, () -> new MotionInterval(0, 5));
        assertThrows(IllegalArgumentException.class, () -> new MotionInterval(1, 0));
    }
}
