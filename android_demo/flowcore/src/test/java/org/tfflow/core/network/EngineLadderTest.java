package org.tfflow.core.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.network.EngineLadder.Rung;
import org.tfflow.core.pipeline.Benchmark;
import org.tfflow.core.pipeline.FlowPipelineOptions;
import org.tfflow.core.pipeline.FlowPipelineTest.DifferenceEngine;
import org.tfflow.core.pipeline.FlowPipelineTest;

class EngineLadderTest {
    /** Computes twice the flow: an accelerator with a fault. */
    private static final class WrongEngine extends DifferenceEngine {
        @Override
        public void run(ByteBuffer image1, ByteBuffer image2, Map<String, ByteBuffer> outputs) {
            super.run(image1, image2, outputs);
            ByteBuffer flow = outputs.get("flow");
            for (int at = 0; at < flow.capacity(); at += 4) {
                flow.putFloat(at, 2 * flow.getFloat(at));
            }
        }
    }

    private static final SelfCheck.Golden GOLDEN = golden();

    @TempDir File folder;

    private static SelfCheck.Golden golden() {
        ByteBuffer flow = ByteBuffer.allocate(8 * 2).order(ByteOrder.LITTLE_ENDIAN);
        flow.putFloat(1).putFloat(0).putFloat(1).putFloat(0);
        return new SelfCheck.Golden(
                FlowPipelineTest.plain(8, 4, 0, 0),
                FlowPipelineTest.plain(8, 4, 255, 0),
                flow.array(),
                flow.array(),
                4);
    }

    private static EngineLadder ladder(Rung... rungs) {
        return new EngineLadder(null, () -> Arrays.asList(rungs));
    }

    private final List<DifferenceEngine> made = new ArrayList<>();

    private Rung rung(String name, DifferenceEngine engine) {
        made.add(engine);
        return new Rung(name, "key of " + name, () -> engine, GOLDEN);
    }

    private static Rung failing(String name, Throwable error) {
        return new Rung(
                name,
                "key of " + name,
                () ->
                        new DifferenceEngine() {
                            @Override
                            public void load() {
                                if (error instanceof Error) {
                                    throw (Error) error;
                                }
                                throw (RuntimeException) error;
                            }
                        },
                GOLDEN);
    }

    @Test
    void theFirstThatComputesRightlyIsTaken() {
        Rung npu = failing("NPU", new UnsatisfiedLinkError("no libQnn.so"));
        Rung gpu = rung("GPU", new WrongEngine());
        Rung cpu = rung("CPU", new DifferenceEngine());
        Rung spare = rung("spare", new DifferenceEngine());
        EngineLadder ladder = ladder(npu, gpu, cpu, spare);
        assertThrows(IllegalStateException.class, ladder::inputSpec);
        assertEquals("", ladder.chosen());
        ladder.load();
        ladder.load();
        assertEquals(
                "NPU: no libQnn.so\n"
                        + "GPU: wrong flow, EPE 1.00 px, 0.00 expected, 1.00 apart\n"
                        + "CPU: ok, EPE 0.00 px, 0.00 expected, 0.00 apart",
                ladder.report());
        assertEquals("CPU", ladder.chosen());
        assertEquals(Arrays.asList("load", "run", "close"), made.get(0).calls);
        assertEquals(Arrays.asList("load", "run"), made.get(1).calls);
        assertTrue(made.get(2).calls.isEmpty());
        assertEquals(8, ladder.inputSpec().width());
        assertEquals(2, ladder.outputSpec().channels());
        ladder.close();
        ladder.close();
        assertEquals(Arrays.asList("load", "run", "close"), made.get(1).calls);
    }

    @Test
    void nanIsWrong() {
        DifferenceEngine broken =
                new DifferenceEngine() {
                    @Override
                    public void run(
                            ByteBuffer image1,
                            ByteBuffer image2,
                            Map<String, ByteBuffer> outputs) {
                        outputs.get("flow").putFloat(0, Float.NaN);
                    }
                };
        EngineLadder ladder = ladder(rung("GPU", broken));
        assertThrows(FlowEngineException.class, ladder::load);
    }

    @Test
    void whenNothingWorksAllReasonsAreTold() {
        FlowEngineException why =
                new FlowEngineException("can't load x", new RuntimeException("not a model"));
        EngineLadder ladder =
                ladder(
                        Rung.absent("NPU", "none here"),
                        failing("GPU", why),
                        rung("CPU", new WrongEngine()));
        Exception error = assertThrows(FlowEngineException.class, ladder::load);
        assertTrue(error.getMessage().contains("NPU: none here\nGPU: can't load x (not a model)\nCPU: wrong flow"));
        assertTrue(error.getMessage().endsWith(ladder.report()));
    }

    @Test
    void whatKilledTheProcessIsLeftOut() {
        File notes = new File(folder, "attempts.txt");
        new AttemptLog(notes).begin("key of GPU"); // and never came back
        AttemptLog second = new AttemptLog(notes);
        assertFalse(second.isDeadly("key of GPU")); // the app may have been ended
        assertFalse(second.hasDeadly());
        second.begin("key of GPU");
        AttemptLog log = new AttemptLog(notes);
        assertTrue(log.isDeadly("key of GPU"));
        assertFalse(log.isDeadly("key of NPU"));
        assertTrue(log.hasDeadly());
        DifferenceEngine deadly = new DifferenceEngine();
        Rung[] rungs = {rung("GPU", deadly), rung("CPU", new DifferenceEngine())};
        EngineLadder ladder = new EngineLadder(log, () -> Arrays.asList(rungs));
        ladder.load();
        assertTrue(
                ladder.report()
                        .startsWith("GPU: left out: the app died twice when it was tried\nCPU: ok"),
                ladder.report());
        assertTrue(deadly.calls.isEmpty());
        assertTrue(new AttemptLog(notes).isDeadly("key of GPU")); // at each start
        log.forget();
        assertFalse(log.hasDeadly());
        assertFalse(new AttemptLog(notes).hasDeadly());
        ladder = new EngineLadder(log, () -> Arrays.asList(rungs));
        ladder.load();
        assertEquals("GPU", ladder.chosen());
        assertEquals(0, notes.length()); // it came back
    }

    @Test
    void deathsCountInARow() {
        File notes = new File(folder, "attempts.txt");
        new AttemptLog(notes).begin("key of GPU");
        AttemptLog alive = new AttemptLog(notes);
        alive.begin("key of GPU");
        alive.end("key of GPU");
        new AttemptLog(notes).begin("key of GPU");
        assertFalse(new AttemptLog(notes).isDeadly("key of GPU"));
    }

    /** Whether a process after this one finds that it has died. */
    private static boolean died(File notes, String key) throws IOException {
        return Files.readAllLines(notes.toPath()).contains(key);
    }

    @Test
    void whatIsBeingTriedHasNotDied() throws IOException {
        File notes = new File(folder, "attempts.txt");
        AttemptLog log = AttemptLog.of(notes);
        log.begin("key of GPU");
        AttemptLog ofAnotherScreen = AttemptLog.of(notes);
        ofAnotherScreen.begin("key of GPU");
        assertFalse(ofAnotherScreen.isDeadly("key of GPU"));
        ofAnotherScreen.end("key of GPU");
        ofAnotherScreen.begin("key of NPU");
        log.end("key of GPU");
        assertFalse(died(notes, "key of GPU"));
        assertTrue(died(notes, "key of NPU"));
        ofAnotherScreen.end("key of NPU");
        assertEquals(0, notes.length());
    }

    @Test
    void whatIsTriedIsWrittenDownBefore() throws IOException {
        File notes = new File(folder, "attempts.txt");
        DifferenceEngine curious =
                new DifferenceEngine() {
                    @Override
                    public void load() {
                        super.load();
                        assertEquals("key of GPU\n".length(), notes.length());
                    }
                };
        new EngineLadder(new AttemptLog(notes), () -> Arrays.asList(rung("GPU", curious))).load();
        assertFalse(died(notes, "key of GPU"));
        AttemptLog nowhere = new AttemptLog(new File(folder, "absent/attempts.txt"));
        Rung cpu =
                new Rung("CPU", null, () -> new DifferenceEngine(), GOLDEN); // which is not noted
        EngineLadder ladder =
                new EngineLadder(nowhere, () -> Arrays.asList(rung("GPU", curious), cpu));
        ladder.load();
        assertTrue(ladder.report().startsWith("GPU: can't write "), ladder.report());
        assertEquals("CPU", ladder.chosen()); // rather than to die unnoted
    }

    @Test
    void theBenchmarkTimesWhatWorksAndSaysWhyTheRestDoesNot() throws InterruptedException {
        Benchmark benchmark =
                new Benchmark(null, FlowPipelineOptions.standard(), 3, 7);
        List<String> progress = new ArrayList<>();
        String report =
                benchmark.run(
                        "a device\na network",
                        Arrays.asList(
                                failing("NPU", new FlowEngineException("not here")),
                                rung("CPU", new DifferenceEngine())),
                        Benchmark.frames(31, 17, Orientation.of(90, false)),
                        progress::add);
        assertTrue(report.startsWith("a device\na network\n3 frames to warm up, then 7 measured"));
        assertTrue(report.contains("\nNPU: not here\n"), report);
        assertTrue(report.contains("\nCPU: ok, EPE 0.00 px"), report);
        for (String stage : "upright pack run unpack paint total".split(" ")) {
            assertTrue(report.matches("(?s).*\n" + stage + " +p50 +\\d+\\.\\d\\d ms.*"), report);
        }
        assertTrue(report.matches("(?s).*\n\\d+\\.\\d frames a second\\s*"), report);
        assertEquals(3, progress.size());
        assertTrue(progress.get(0).endsWith("NPU: …"));
        assertEquals(report, progress.get(2));
        // The self-check, a first frame without flow, then warm-up and measurement.
        assertEquals(1 + 3 + 7, made.get(0).calls.stream().filter("run"::equals).count());
        assertFalse(made.get(0).calls.indexOf("close") < 0);
    }

    @Test
    void tooLargeANetworkLeavesTheRestToTheOthers() throws InterruptedException {
        AttemptLog log = AttemptLog.of(new File(folder, "attempts"));
        Rung large = failing("GPU", new OutOfMemoryError("no memory left"));
        Rung cpu = rung("CPU", new DifferenceEngine());
        EngineLadder ladder = new EngineLadder(log, () -> Arrays.asList(large, cpu));
        ladder.load();
        assertTrue(ladder.report().startsWith("GPU: no memory left\nCPU: ok"), ladder.report());
        assertEquals(0, new File(folder, "attempts").length()); // nothing died
    }

    @Test
    void whatFailsWhileItIsTimedIsTold() throws InterruptedException {
        DifferenceEngine tired =
                new DifferenceEngine() {
                    @Override
                    public void run(
                            ByteBuffer image1,
                            ByteBuffer image2,
                            Map<String, ByteBuffer> outputs) {
                        super.run(image1, image2, outputs);
                        if (calls.size() > 4) {
                            throw new OutOfMemoryError("too hot");
                        }
                    }
                };
        String report =
                new Benchmark(null, FlowPipelineOptions.standard(), 1, 9)
                        .run(
                                "",
                                Arrays.asList(rung("GPU", tired)),
                                Benchmark.frames(16, 8, Orientation.NONE),
                                text -> {});
        assertTrue(report.contains("GPU: ok, "), report);
        assertTrue(report.endsWith("failed: too hot\n"), report);
        assertEquals("close", tired.calls.get(tired.calls.size() - 1));
    }

    @Test
    void theBenchmarkStops() {
        Benchmark benchmark =
                new Benchmark(null, FlowPipelineOptions.standard(), 1, 1);
        List<Frame> frames = Benchmark.frames(16, 8, Orientation.NONE);
        Rung cpu = rung("CPU", new DifferenceEngine());
        Thread.currentThread().interrupt();
        assertThrows(
                InterruptedException.class,
                () -> benchmark.run("", Arrays.asList(cpu), frames, text -> {}));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Benchmark(null, FlowPipelineOptions.standard(), 0, 1));
    }
}
