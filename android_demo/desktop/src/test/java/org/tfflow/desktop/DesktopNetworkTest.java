package org.tfflow.desktop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tfflow.core.EngineLadder;
import org.tfflow.core.Fit;
import org.tfflow.core.FlowEngine;
import org.tfflow.core.FlowEngineException;
import org.tfflow.core.FlowPipeline;
import org.tfflow.core.FlowPipelineOptions;
import org.tfflow.core.FlowPredictor;
import org.tfflow.core.LatencyStatistics;
import org.tfflow.core.NetworkFlowEngine;
import org.tfflow.core.SelfCheck;

/**
 * The shipped file through LiteRT's C library. The test runner names the library and the assets:
 * tfflow.library, tfflow.assets, tfflow.model, tfflow.golden and tfflow.step (models.json has the
 * last three).
 */
class DesktopNetworkTest {
    private static Path library;
    private static Path assets;
    private static Path model;

    @BeforeAll
    static void find() {
        String path = System.getProperty("tfflow.library");
        Assumptions.assumeTrue(path != null, "no LiteRT: set -Dtfflow.library=libLiteRt.so");
        library = Paths.get(path);
        assets = Paths.get(System.getProperty("tfflow.assets"));
        model = assets.resolve(System.getProperty("tfflow.model"));
    }

    private static SelfCheck check(FlowPredictor predictor) throws IOException {
        return SelfCheck.run(
                predictor,
                Images.read(assets.resolve("golden_image1.png")),
                Images.read(assets.resolve("golden_image2.png")),
                Files.readAllBytes(assets.resolve(System.getProperty("tfflow.golden"))),
                Integer.getInteger("tfflow.step"));
    }

    @Test
    void goldenFlowBitForBit() throws IOException {
        FlowEngine engine = new NetworkFlowEngine(new DesktopNetwork(library, model));
        try (FlowPipeline pipeline = new FlowPipeline(engine, FlowPipelineOptions.standard())) {
            pipeline.open();
            SelfCheck check = check(pipeline.predictor());
            assertEquals(0, check.largestError(), check.toString());
            assertEquals(1, pipeline.statistics().count("run"));
            // And again: nothing of the first run is left over.
            assertEquals(0, check(pipeline.predictor()).largestError());
        }
    }

    @Test
    void theCheckSeesADifference() throws IOException {
        try (FlowEngine engine = new NetworkFlowEngine(new DesktopNetwork(library, model))) {
            engine.load();
            FlowPredictor predictor =
                    new FlowPredictor(engine, Fit.STRETCH, new LatencyStatistics(1));
            byte[] golden =
                    Files.readAllBytes(assets.resolve(System.getProperty("tfflow.golden")));
            SelfCheck swapped =
                    SelfCheck.run(
                            predictor,
                            Images.read(assets.resolve("golden_image2.png")),
                            Images.read(assets.resolve("golden_image1.png")),
                            golden,
                            Integer.getInteger("tfflow.step"));
            assertTrue(swapped.meanError() > 1, swapped.toString());
        }
    }

    @Test
    void closingTwiceIsNoHarmAndRunningClosedIsRefused() {
        DesktopNetwork network = new DesktopNetwork(library, model);
        assertThrows(IllegalStateException.class, () -> network.input("image1"));
        network.load();
        assertEquals(3, network.input("image1").channels());
        Map<String, ByteBuffer> images = new HashMap<>();
        Map<String, ByteBuffer> flow = new HashMap<>();
        Exception error =
                assertThrows(FlowEngineException.class, () -> network.run(images, flow));
        assertTrue(error.getMessage().contains("[image1, image2]; got []"), error.getMessage());
        images.put("image1", ByteBuffer.allocateDirect(4));
        images.put("image2", ByteBuffer.allocateDirect(4));
        flow.put("flow", ByteBuffer.allocateDirect(4));
        assertThrows(IllegalArgumentException.class, () -> network.run(images, flow));
        error = assertThrows(FlowEngineException.class, () -> network.output("boxes"));
        assertTrue(error.getMessage().contains("boxes; it has [flow]"), error.getMessage());
        network.close();
        network.close();
        assertThrows(IllegalStateException.class, () -> network.output("flow"));
    }

    @Test
    void whatIsNoNetworkIsRefused(@TempDir Path folder) throws IOException {
        Path absent = folder.resolve("absent.tflite");
        Exception error =
                assertThrows(
                        FlowEngineException.class,
                        () -> new DesktopNetwork(library, absent).load());
        assertTrue(error.getMessage().contains("there is no file"), error.getMessage());
        Path damaged = folder.resolve("damaged.tflite");
        Files.write(damaged, new byte[1000]);
        error =
                assertThrows(
                        FlowEngineException.class,
                        () -> new DesktopNetwork(library, damaged).load());
        assertTrue(error.getMessage().contains("could not read the file"), error.getMessage());
        // Such a file falls through a ladder with its reason, and is no crash.
        EngineLadder.Rung rung =
                new EngineLadder.Rung(
                        "CPU", () -> new NetworkFlowEngine(new DesktopNetwork(library, damaged)));
        EngineLadder ladder = new EngineLadder(predictor -> null, 0.5, rung);
        assertThrows(FlowEngineException.class, ladder::load);
        assertTrue(ladder.report().startsWith("CPU: LiteRT could not read the file"));
    }
}
