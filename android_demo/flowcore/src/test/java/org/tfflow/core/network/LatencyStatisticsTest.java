package org.tfflow.core.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LatencyStatisticsTest {
    @Test
    void percentilesAsNumpy() {
        LatencyStatistics statistics = new LatencyStatistics(10);
        for (int millis : new int[] {40, 10, 30, 20}) {
            statistics.record("run", millis * 1_000_000L);
        }
        assertEquals(25, statistics.percentile("run", 50), 1e-9);
        assertEquals(37, statistics.percentile("run", 90), 1e-9);
        assertEquals(10, statistics.percentile("run", 0));
        assertEquals(40, statistics.percentile("run", 100));
    }

    @Test
    void onlyTheLastOnesCount() {
        LatencyStatistics statistics = new LatencyStatistics(3);
        for (int millis : new int[] {900, 900, 1, 2, 3}) {
            statistics.record("run", millis * 1_000_000L);
        }
        assertEquals(3, statistics.percentile("run", 100));
        assertEquals(2, statistics.percentile("run", 50));
        assertEquals(5, statistics.count("run"));
    }

    @Test
    void stagesKeepTheirOrder() {
        LatencyStatistics statistics = new LatencyStatistics(3);
        statistics.record("pack", 2_500_000);
        statistics.record("run", 0);
        statistics.record("pack", 2_500_000);
        assertEquals(Arrays.asList("pack", "run"), statistics.stages());
        assertTrue(statistics.summary().startsWith("pack     p50    2.50 ms  p90    2.50 ms"));
        statistics.clear();
        assertTrue(Double.isNaN(statistics.percentile("pack", 50)));
        assertEquals(0, statistics.count("pack"));
    }

    @Test
    void nonsenseIsRefused() {
        LatencyStatistics statistics = new LatencyStatistics(3);
        assertThrows(IllegalArgumentException.class, () -> new LatencyStatistics(0));
        assertThrows(IllegalArgumentException.class, () -> statistics.record("run", -1));
        assertThrows(IllegalArgumentException.class, () -> statistics.percentile("run", 101));
    }
}
