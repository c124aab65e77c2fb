package org.tfflow.demo;

import android.content.res.AssetManager;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import com.google.ai.edge.litert.Accelerator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.tfflow.core.DetectionPipeline;
import org.tfflow.core.EngineLadder;
import org.tfflow.core.FlowPredictor;
import org.tfflow.core.NetworkFlowEngine;
import org.tfflow.core.NonMaximumSuppression;
import org.tfflow.core.RgbImage;
import org.tfflow.core.SelfCheck;

/** The networks in the assets, and what they must compute. */
final class ShippedModels {
    /** By how much flow may be off, in pixels: delegates that count in 16 bits differ by less. */
    static final double TOLERANCE = 0.5;

    private static final int MOST_OBJECTS = 100;
    // The fastest first, where it works. Only the CPU gives the golden numbers to the bit.
    private static final Accelerator[] ACCELERATORS = {
        Accelerator.NPU, Accelerator.GPU, Accelerator.CPU
    };

    private final AssetManager assets;
    private final ModelList list;

    /**
     * Reads models.json.
     *
     * @throws IllegalArgumentException if it is damaged or missing
     */
    ShippedModels(AssetManager assets) {
        this.assets = assets;
        try {
            byte[] text = Assets.read(assets, "models.json");
            list = new ModelList(new String(text, StandardCharsets.UTF_8));
        } catch (IOException error) {
            throw new IllegalArgumentException(
                    "there is no models.json in the assets: run export/fill_demo.py", error);
        }
    }

    /** The name of the flow network's file. */
    String flowFile() {
        return list.flow.file;
    }

    /** What the detector finds, by label; null if there is no detector. */
    List<String> classes() {
        return list.detector == null ? null : list.detector.classes;
    }

    /** The ways to run the flow network, the best one first. */
    List<EngineLadder.Rung> rungs() {
        List<EngineLadder.Rung> rungs = new ArrayList<>();
        for (Accelerator each : ACCELERATORS) {
            rungs.add(
                    new EngineLadder.Rung(
                            each.name(),
                            () ->
                                    new NetworkFlowEngine(
                                            new LiteRtNetwork(
                                                    assets,
                                                    list.flow.file,
                                                    list.flow.sha256,
                                                    each))));
        }
        return rungs;
    }

    /** The flow network on the best accelerator that computes it rightly. */
    EngineLadder ladder() {
        return new EngineLadder(
                this::check, TOLERANCE, rungs().toArray(new EngineLadder.Rung[0]));
    }

    /** The detector, which has no golden pair and so runs on the CPU, the one that needs none. */
    DetectionPipeline detection() {
        ModelList.Detector detector = list.detector;
        return new DetectionPipeline(
                new LiteRtNetwork(
                        assets, detector.key, detector.keySha256, Accelerator.CPU),
                new LiteRtNetwork(
                        assets, detector.between, detector.betweenSha256, Accelerator.CPU),
                detector.interval,
                new NonMaximumSuppression(detector.score, detector.overlap, MOST_OBJECTS));
    }

    /** Whether this phone computes what the file was shipped with. */
    SelfCheck check(FlowPredictor predictor) {
        try {
            return SelfCheck.run(
                    predictor,
                    image("golden_image1.png"),
                    image("golden_image2.png"),
                    Assets.read(assets, list.flow.goldenFlow),
                    list.flow.goldenStep);
        } catch (IOException error) {
            throw new IllegalStateException(
                    "the golden pair is not in the assets: run export/fill_demo.py", error);
        }
    }

    private RgbImage image(String name) throws IOException {
        byte[] content = Assets.read(assets, name);
        Bitmap bitmap = BitmapFactory.decodeByteArray(content, 0, content.length);
        if (bitmap == null) {
            throw new IOException(name + " is no picture");
        }
        int width = bitmap.getWidth();
        int height = bitmap.getHeight();
        int[] argb = new int[width * height];
        bitmap.getPixels(argb, 0, width, 0, 0, width, height);
        return RgbImage.fromArgb(width, height, argb);
    }
}
