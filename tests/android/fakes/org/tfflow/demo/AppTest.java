package org.tfflow.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.content.Intent;
import android.graphics.Canvas;
import android.os.Bundle;
import android.view.View;
import android.widget.RadioButton;
import android.widget.TextView;
import java.io.IOException;
import java.lang.reflect.Field;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tfflow.fakes.Phone;

/** The app's own classes on a phone that is played: its camera, its files, its accelerators. */
class AppTest {
    private static final Path ASSETS = Paths.get(System.getProperty("tfflow.assets"));
    private static final long PATIENCE = 20_000; // ms

    @TempDir Path folder;
    private MainActivity activity;

    @BeforeEach
    void phone() throws IOException {
        Phone.reset();
        Phone.library = Paths.get(System.getProperty("tfflow.library"));
        Phone.assets = folder;
        Phone.strings = id -> name(R.string.class, id);
        Phone.views = this::view;
        try (java.util.stream.Stream<Path> files = Files.list(ASSETS)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        activity = new MainActivity();
    }

    @AfterEach
    void leave() {
        Phone.onScreen(activity::onPause);
        // The pipeline ends by itself, later: not while the next test lays out its files.
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            while (thread.getName().equals("pipeline") && thread.isAlive()) {
                Thread.yield();
            }
        }
    }

    private static String name(Class<?> resources, int id) {
        try {
            for (Field field : resources.getDeclaredFields()) {
                if (field.getType() == int.class && field.getInt(null) == id) {
                    return field.getName();
                }
            }
        } catch (IllegalAccessException error) {
            throw new AssertionError(error);
        }
        throw new AssertionError("no resource " + id);
    }

    private View view(int id) {
        if (id == R.id.view) {
            return new FlowView(activity, null);
        }
        boolean isMode = id == R.id.colors || id == R.id.arrows || id == R.id.objects;
        return isMode ? new RadioButton(activity) : new TextView(activity);
    }

    private void start() {
        start(null);
    }

    private void start(Bundle state) {
        Phone.onScreen(
                () -> {
                    activity.onCreate(state);
                    activity.onResume();
                });
    }

    private void press(int id) {
        Phone.onScreen(() -> activity.findViewById(id).press());
    }

    private void leaveAndComeBack() {
        Phone.onScreen(activity::onPause);
        Phone.onScreen(activity::onResume);
    }

    private String text() {
        return ((TextView) activity.<View>findViewById(R.id.text)).getText().toString();
    }

    /** Waits until the screen says it. */
    private String says(String wanted) {
        long end = System.currentTimeMillis() + PATIENCE;
        while (!text().contains(wanted) && System.currentTimeMillis() < end) {
            try {
                Thread.sleep(5);
            } catch (InterruptedException error) {
                throw new AssertionError(error);
            }
        }
        assertTrue(text().contains(wanted), "expected " + wanted + " on the screen; got " + text());
        return text();
    }

    /** Waits for a picture on the screen of which this is true. */
    private Canvas draws(Predicate<Canvas> wanted) {
        View view = activity.findViewById(R.id.view);
        long end = System.currentTimeMillis() + PATIENCE;
        while (System.currentTimeMillis() < end) {
            Canvas canvas = view.drawn;
            if (canvas != null && wanted.test(canvas)) {
                return canvas;
            }
            Thread.yield();
        }
        throw new AssertionError("it was not drawn");
    }

    private void openVideo() {
        Phone.onScreen(
                () -> {
                    activity.onPause();
                    activity.onActivityResult(2, android.app.Activity.RESULT_OK, new Intent(""));
                    activity.onResume();
                });
    }

    @Test
    void theCamerasFlowIsShown() {
        start();
        String text = says("total");
        assertTrue(text.startsWith("NPU: LiteRT can't load lightflow_int8.tflite (no NPU)\nGPU:"));
        assertTrue(text.contains("CPU: ok, self-check: mean error 0.0000 px"), text);
        assertFalse(text.contains("no_detector"), text);
        assertTrue(text.contains("dropped ["), text);
        assertEquals(0, Phone.questions);
        assertEquals(0, draws(canvas -> canvas.bitmaps == 2).lines);
        press(R.id.arrows);
        assertEquals(1, draws(canvas -> canvas.lines > 0).bitmaps);
        leaveAndComeBack();
        says("total");
    }

    @Test
    void withoutADetectorThereAreNoObjects() throws IOException {
        listDetectors("");
        start();
        assertTrue(says("total").contains("no_detector"));
        press(R.id.objects); // greyed out
        says("total");
    }

    /** Writes models.json anew, with other detectors. */
    private void listDetectors(String entries) throws IOException {
        Path list = folder.resolve("models.json");
        String models = new String(Files.readAllBytes(list), StandardCharsets.UTF_8);
        models = models.substring(0, models.indexOf("\"detectors\""));
        models += "\"detectors\": [" + entries + "]}";
        Files.write(list, models.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aGpuThatComputesWrongFallsThrough() {
        Phone.accelerators.put("GPU", "wrong");
        start();
        String text = says("CPU: ok");
        assertTrue(text.contains("GPU: wrong flow, self-check: mean error"), text);
    }

    @Test
    void theBestThatComputesRightlyIsTaken() {
        Phone.accelerators.put("GPU", "");
        start();
        assertFalse(says("GPU: ok").contains("CPU"));
    }

    @Test
    void withoutAnAcceleratorItSaysSo() {
        Phone.accelerators.put("CPU", "wrong");
        start();
        says("nothing on this device runs the network");
    }

    @Test
    void theCameraIsAskedForOnce() {
        Phone.cameraAllowed = false;
        start();
        assertEquals(1, Phone.questions);
        leaveAndComeBack(); // the user has said no
        says("needs_camera");
        says("CPU: ok"); // and the pipeline's lines do not hide it
        says("needs_camera");
        assertEquals(1, Phone.questions);
        openVideo();
        assertFalse(says("total").contains("needs_camera"));
    }

    @Test
    void noCameraIsNoCrash() {
        Phone.hasCamera = false;
        start();
        says("no_camera");
    }

    @Test
    void aCameraThatFailsIsNoCrash() {
        Phone.cameraError = new SecurityException("taken back");
        start();
        says("camera_failed [taken back]");
    }

    @Test
    void aVideoPlaysAgainAndAgain() {
        start();
        Phone.rotation = 90;
        openVideo();
        String before = says("total");
        Canvas canvas = draws(any -> any.bitmaps == 2);
        // 240 x 300 on a screen of 360 x 640: as wide as the screen, black above and below.
        assertEquals(0, canvas.image.getRGB(180, 90) & 0xffffff);
        assertTrue((canvas.image.getRGB(180, 100) & 0xffffff) > 0);
        assertTrue(before.contains("upright"), before);
        Bundle state = new Bundle();
        activity.onSaveInstanceState(state);
        assertEquals("content://video", state.getString("video"));
        leave();
        activity = new MainActivity();
        start(state);
        says("total");
    }

    @Test
    void whatIsNoVideoIsNoCrash() {
        start();
        Phone.videoFrames = 0;
        openVideo();
        says("there is no video in this file");
        Phone.videoFrames = -1;
        openVideo();
        says("this video can't be played: Failed to instantiate extractor.");
        press(R.id.camera);
        says("total");
    }

    @Test
    void missingModelsAreNoCrash() throws IOException {
        Files.delete(folder.resolve("lightflow_int8.tflite"));
        start();
        says("CPU: there is no lightflow_int8.tflite in the assets: run export/fill_demo.py");
    }

    @Test
    void aDamagedModelIsNoCrash() throws IOException {
        Path file = folder.resolve("lightflow_int8.tflite");
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 3000)); // LiteRT would hang
        start();
        says("CPU: lightflow_int8.tflite is damaged: expected the SHA-256 ");
        says("nothing on this device runs the network");
    }

    @Test
    void missingGoldenFilesAreNoCrash() throws IOException {
        Files.delete(folder.resolve("golden_image2.png"));
        start();
        says("CPU: the golden pair is not in the assets: run export/fill_demo.py");
    }

    @Test
    void aMissingListIsNoCrash() throws IOException {
        Files.delete(folder.resolve("models.json"));
        start();
        says("there is no models.json in the assets");
        assertFalse(activity.findViewById(R.id.colors).enabled);
        assertFalse(activity.findViewById(R.id.benchmark).enabled);
        Files.write(folder.resolve("models.json"), new byte[] {'{'});
        activity = new MainActivity();
        start();
        says("models.json is not what export/fill_demo.py writes");
    }

    @Test
    void objectsAreFound() throws IOException {
        Path detector = Paths.get(System.getProperty("tfflow.detector"));
        StringBuilder files = new StringBuilder();
        for (String name : new String[] {"key", "between"}) {
            Path file = folder.resolve("detector_" + name + ".tflite");
            Files.copy(detector.resolve(file.getFileName()), file);
            files.append(
                    String.format(
                            "\"%s\": \"%s\", \"%s_sha256\": \"%s\", ",
                            name, file.getFileName(), name, sha256(file)));
        }
        listDetectors(
                "{" + files + "\"classes\": [\"a\", \"b\", \"c\"],"
                        + " \"interval\": 3, \"score\": 0.3, \"overlap\": 0.5}");
        start();
        assertFalse(says("total").contains("no_detector"));
        press(R.id.objects);
        String text = says("between");
        assertTrue(text.contains("key ") && text.startsWith("CPU"), text);
        Canvas boxes = draws(canvas -> canvas.rectangles > 0);
        assertEquals(boxes.rectangles, boxes.texts);
        press(R.id.colors);
        says("paint");
    }

    private static String sha256(Path file) throws IOException {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return String.format("%064x", new BigInteger(1, digest));
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError(error);
        }
    }

    @Test
    void theBenchmarkReports() {
        Phone.views = id -> new TextView(activity);
        BenchmarkActivity screen = new BenchmarkActivity();
        Phone.onScreen(() -> screen.onCreate(null));
        Phone.onScreen(screen::onStart);
        TextView report = screen.findViewById(R.id.report);
        long end = System.currentTimeMillis() + PATIENCE;
        while (!screen.findViewById(R.id.share).enabled && System.currentTimeMillis() < end) {
            Thread.yield();
        }
        String text = report.getText().toString();
        assertTrue(text.startsWith("tfflow lightflow_int8.tflite\n"), text);
        assertTrue(text.contains("GPU: LiteRT can't load lightflow_int8.tflite (no GPU)"), text);
        assertTrue(text.contains("frames a second"), text);
        Phone.onScreen(() -> screen.findViewById(R.id.copy).press());
        Phone.onScreen(() -> screen.findViewById(R.id.share).press());
        Phone.onScreen(screen::onStop);
    }
}
