package org.tfflow.desktop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tfflow.core.image.Fit;
import org.tfflow.core.network.EngineLadder;
import org.tfflow.core.network.FlowEngine;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.FlowPredictor;
import org.tfflow.core.network.LatencyStatistics;
import org.tfflow.core.network.NetworkFlowEngine;
import org.tfflow.core.network.SelfCheck;
import org.tfflow.core.pipeline.FlowPipeline;
import org.tfflow.core.pipeline.FlowPipelineOptions;

/**
 * A file of an app's assets through LiteRT's C library, streaming if it can. The test runner names
 * the library and the assets: tfflow.library, tfflow.assets, tfflow.model, tfflow.golden and
 * tfflow.step (models.json has the last three).
 */
class DesktopNetworkTest {
    /** Pixels: Python resizes the images with other roundings of float32. */
    private static final double ROUNDING = 1e-3;

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

    private static SelfCheck.Golden golden() throws IOException {
        return new SelfCheck.Golden(
                Images.read(assets.resolve("golden_image1.png")),
                Images.read(assets.resolve("golden_image2.png")),
                Files.readAllBytes(assets.resolve("golden_truth.bin")),
                Files.readAllBytes(assets.resolve(System.getProperty("tfflow.golden"))),
                Integer.getInteger("tfflow.step"));
    }

    @Test
    void goldenFlow() throws IOException {
        FlowEngine engine = FlowCommand.engine(new DesktopNetwork(library, model));
        try (FlowPipeline pipeline = new FlowPipeline(engine, FlowPipelineOptions.standard())) {
            pipeline.open();
            SelfCheck check = SelfCheck.run(pipeline.predictor(), golden());
            assertEquals(0, check.difference(), ROUNDING, check.toString());
            assertTrue(check.passes(), check.toString());
            assertEquals(1, pipeline.statistics().count("run"));
            // And again: nothing of the first run is left over.
            assertEquals(0, SelfCheck.run(pipeline.predictor(), golden()).difference(), ROUNDING);
        }
    }

    @Test
    void theCheckSeesADifference() throws IOException {
        try (FlowEngine engine = FlowCommand.engine(new DesktopNetwork(library, model))) {
            engine.load();
            FlowPredictor predictor =
                    new FlowPredictor(engine, Fit.STRETCH, new LatencyStatistics(1));
            SelfCheck.Golden pair = golden();
            SelfCheck.Golden swapped =
                    new SelfCheck.Golden(
                            Images.read(assets.resolve("golden_image2.png")),
                            Images.read(assets.resolve("golden_image1.png")),
                            Files.readAllBytes(assets.resolve("golden_truth.bin")),
                            Files.readAllBytes(
                                    assets.resolve(System.getProperty("tfflow.golden"))),
                            Integer.getInteger("tfflow.step"));
            assertTrue(SelfCheck.run(predictor, pair).passes());
            SelfCheck check = SelfCheck.run(predictor, swapped);
            assertTrue(check.difference() > 1, check.toString());
            assertTrue(!check.passes(), check.toString());
        }
    }

    @Test
    void closingTwiceIsNoHarmAndRunningClosedIsRefused() {
        DesktopNetwork network = new DesktopNetwork(library, model);
        assertThrows(IllegalStateException.class, () -> network.input("", "image1"));
        network.load();
        assertEquals(3, network.input("", "image1").channels());
        Map<String, ByteBuffer> images = new HashMap<>();
        Map<String, ByteBuffer> results = new HashMap<>();
        Exception error =
                assertThrows(
                        FlowEngineException.class, () -> network.run("flow", images, results));
        assertTrue(error.getMessage().contains("[image1, image2]; got []"), error.getMessage());
        images.put("image1", ByteBuffer.allocateDirect(4));
        images.put("image2", ByteBuffer.allocateDirect(4));
        for (String name : network.outputs("flow")) {
            assertTrue(network.hasOutput("flow", name));
            results.put(name, ByteBuffer.allocateDirect(4));
        }
        assertThrows(
                IllegalArgumentException.class, () -> network.run("flow", images, results));
        assertFalse(network.hasOutput("flow", "boxes"));
        error = assertThrows(FlowEngineException.class, () -> network.output("flow", "boxes"));
        assertTrue(error.getMessage().contains("boxes; it has [flow"), error.getMessage());
        error =
                assertThrows(FlowEngineException.class, () -> network.input("boxes", "image"));
        assertTrue(error.getMessage().contains("signature boxes; it has [flow"));
        network.close();
        network.close();
        assertThrows(IllegalStateException.class, () -> network.output("flow", "flow"));
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
                        "CPU",
                        null,
                        () -> new NetworkFlowEngine(new DesktopNetwork(library, damaged)),
                        null);
        EngineLadder ladder = new EngineLadder(null, () -> Collections.singletonList(rung));
        assertThrows(FlowEngineException.class, ladder::load);
        assertTrue(ladder.report().startsWith("CPU: LiteRT could not read the file"));
    }
}
