package org.tfflow.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Bundle;
import android.view.View;
import android.widget.SeekBar;
import android.widget.Switch;
import android.widget.TextView;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.network.AttemptLog;
import org.tfflow.core.pipeline.PipelineThread;
import org.tfflow.fakes.Phone;
import org.tfflow.litert.Bitmaps;

/** The app's own classes on a simulated phone: its camera, its files, its accelerators. */
class AppTest {
    private static final Path ASSETS = Paths.get(System.getProperty("tfflow.assets"));
    private static final long PATIENCE = 90_000; // ms; machines that do much else are slow

    private static final String CPU = "CPU, " + cores() + (cores() > 1 ? " threads" : " thread");

    private static final JSONArray MODELS = models();
    private static final String FILE = file(0, "int8");

    /** The networks of the assets. */
    private static JSONArray models() {
        try {
            byte[] list = Files.readAllBytes(ASSETS.resolve("models.json"));
            return new JSONObject(new String(list, StandardCharsets.UTF_8)).getJSONArray("models");
        } catch (IOException | JSONException error) {
            throw new AssertionError(error);
        }
    }

    private static String name(int network) {
        return MODELS.optJSONObject(network).optString("name");
    }

    /** A network's file of a form; its first if it has none. */
    private static String file(int network, String form) {
        JSONArray files = MODELS.optJSONObject(network).optJSONArray("files");
        int chosen = 0;
        for (int i = files.length() - 1; i >= 0; i--) {
            chosen = files.optJSONObject(i).optString("quantization").equals(form) ? i : chosen;
        }
        return files.optJSONObject(chosen).optString("file");
    }

    @TempDir Path folder;
    @TempDir Path home;
    private MainActivity activity;

    @BeforeEach
    void phone() throws IOException {
        Phone.reset();
        Phone.library = Paths.get(System.getProperty("tfflow.library"));
        Phone.assets = folder;
        Phone.home = Files.createDirectories(home);
        Files.createDirectories(home.resolve("cache"));
        Files.createDirectories(home.resolve("files"));
        Phone.resources = Paths.get(System.getProperty("tfflow.resources"));
        Phone.strings = id -> Phone.text(resource(id));
        Phone.names = AppTest::resource;
        Phone.ids = AppTest::number;
        restart();
        for (Path file : files(ASSETS)) {
            Files.copy(file, folder.resolve(file.getFileName()));
        }
    }

    private static int cores() {
        return Math.min(4, Runtime.getRuntime().availableProcessors());
    }

    /** The app's process is a new one. */
    private void restart() {
        Phone.onScreen(Session::end);
        waitForPipelines();
        Adding.take(); // what came of one that no screen has seen
        try {
            Field environment =
                    Class.forName("org.tfflow.litert.Accelerators").getDeclaredField("only");
            environment.setAccessible(true);
            environment.set(null, null);
            Field logs = AttemptLog.class.getDeclaredField("LOGS");
            logs.setAccessible(true);
            ((Map<?, ?>) logs.get(null)).clear();
        } catch (ReflectiveOperationException error) {
            throw new AssertionError(error);
        }
        activity = new MainActivity();
    }

    @AfterEach
    void leave() {
        Phone.onScreen(activity::onPause);
        Phone.onScreen(Session::end);
        waitForPipelines();
    }

    private static void waitForPipelines() {
        // They end by themselves, later: not while the next test lays out its files.
        List<String> names = List.of("pipeline", "add");
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            while (names.contains(thread.getName()) && thread.isAlive()) {
                Thread.yield();
            }
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (java.util.stream.Stream<Path> files = Files.list(folder)) {
            return files.collect(Collectors.toList());
        }
    }

    private static String resource(int id) {
        try {
            for (Class<?> kind : new Class<?>[] {R.string.class, R.layout.class, R.id.class}) {
                for (Field field : kind.getDeclaredFields()) {
                    if (field.getType() == int.class && field.getInt(null) == id) {
                        return field.getName();
                    }
                }
            }
        } catch (IllegalAccessException error) {
            throw new AssertionError(error);
        }
        throw new AssertionError("no resource " + id);
    }

    private static int number(String view) {
        try {
            return R.id.class.getDeclaredField(view).getInt(null);
        } catch (ReflectiveOperationException error) {
            throw new AssertionError(error);
        }
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

    /** Opens a list, and chooses of it. */
    private void choose(int button, String item) {
        press(button);
        Phone.onScreen(() -> Phone.dialog.choose(item));
    }

    /** A file that the user has chosen, as an answer to what was asked. */
    private void answer(String document) {
        Phone.onScreen(
                () -> {
                    activity.onPause();
                    Intent intent = new Intent("");
                    intent.data = "content://documents/" + document;
                    activity.onActivityResult(
                            Phone.asked, android.app.Activity.RESULT_OK, intent);
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

    /** The phone is turned: the screen is made anew. */
    private void turn() {
        Bundle state = new Bundle();
        Phone.onScreen(
                () -> {
                    activity.onPause();
                    activity.onSaveInstanceState(state);
                    activity.onDestroy();
                    activity = new MainActivity();
                });
        start(state);
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

    /** Waits for a picture that was begun after now. */
    private Canvas drawsAnew() {
        Canvas shown = draws(canvas -> true);
        Canvas begunBefore = draws(canvas -> canvas != shown);
        return draws(canvas -> canvas != begunBefore);
    }

    private void openVideo() {
        press(R.id.video);
        answer("video");
    }

    @Test
    void theCamerasFlowIsShown() {
        start();
        String text = says("total");
        assertTrue(
                text.startsWith(
                        name(0) + "\nNPU: LiteRT finds none on this phone\n"
                                + "GPU: LiteRT finds none on this phone\n"
                                + CPU + ": ok, EPE "),
                text);
        // In int8, the rounding of a resized pixel may become a step: hundredths of a px.
        assertTrue(text.matches("(?s).*EPE \\S+ px, \\S+ expected, 0.0\\d apart\n.*"), text);
        assertFalse(text.contains("no detector"), text);
        assertTrue(text.contains("dropped "), text);
        assertEquals(0, Phone.questions);
        assertEquals(0, draws(canvas -> canvas.bitmaps == 2).lines);
        press(R.id.arrows);
        assertEquals(1, draws(canvas -> canvas.lines > 0).bitmaps);
        leaveAndComeBack();
        says("total");
        assertEquals("[CPU " + cores() + " " + FILE + "]", Phone.compiled.toString());
    }

    @Test
    void theFirstNetworkEncodesEachFrameOnce() {
        start();
        says("total");
        Phone.ran.clear();
        draws(canvas -> Phone.ran.size() > 8);
        String ran = String.join(" ", new ArrayList<>(Phone.ran).subList(0, 8));
        assertTrue(ran.matches("(match )?(encode match ?)+( ?encode)?"), ran);
    }

    @Test
    void aGpuIsGivenFloats() {
        int network = 0;
        while (!file(network, "float16").contains("float16")) {
            network++;
        }
        Phone.accelerators.put("GPU", "");
        start();
        says("GPU: ok");
        choose(R.id.network, name(network));
        says(name(network) + "\nNPU");
        says("GPU: ok");
        String compiled = Phone.compiled.toString();
        assertTrue(compiled.endsWith("GPU " + file(network, "float16") + " cached]"), compiled);
    }

    @Test
    void whatIsLoadedStaysLoaded() {
        Phone.cameraAllowed = false;
        Phone.accelerators.put("GPU", "");
        start();
        says("GPU: ok"); // while the question is on the screen
        Phone.cameraAllowed = true;
        leaveAndComeBack();
        says("total");
        leaveAndComeBack();
        says("total");
        turn();
        says("total");
        assertEquals("[GPU " + file(0, "float16") + " cached]", Phone.compiled.toString());
        assertEquals(1, Phone.environments);
        Phone.onScreen(
                () -> {
                    activity.onPause();
                    activity.onTrimMemory(40); // in the background, others need the memory
                });
        waitForPipelines();
        Phone.onScreen(activity::onResume);
        says("total");
        assertEquals(2, Phone.compiled.size());
        Phone.onScreen(
                () -> {
                    activity.onPause();
                    activity.finishing = true;
                    activity.onDestroy();
                });
        waitForPipelines();
    }

    @Test
    void upsideDownIsSeen() {
        start();
        says("total");
        Canvas before = draws(canvas -> canvas.bitmaps == 2);
        Phone.displayRotation = 1;
        assertTrue(Phone.displayListener != null, "nobody is told that the display has turned");
        Phone.onScreen(() -> Phone.displayListener.onDisplayChanged(0));
        View view = activity.findViewById(R.id.view);
        // On its side: as wide as the screen, black above.
        Canvas turned = draws(canvas -> canvas.image.getRGB(view.width / 2, 30) == 0xff000000);
        assertTrue(before.image.getRGB(view.width / 2, 30) != 0xff000000);
        assertEquals(2, turned.bitmaps);
        leaveAndComeBack();
        says("total");
        Phone.onScreen(activity::onPause);
        assertEquals(null, Phone.displayListener);
    }

    @Test
    void withoutADetectorThereAreNoObjects() throws IOException {
        listDetectors("");
        start();
        assertTrue(says("total").contains("no detector in the assets"));
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
    void anNpuThatIsNotThereIsNotTaken() {
        // LiteRT would load the network for it, and compute on one thread of the CPU.
        Phone.accelerators.put("GPU", "");
        start();
        String text = says("GPU: ok");
        assertTrue(text.contains("NPU: LiteRT finds none on this phone\nGPU: ok"), text);
        assertFalse(text.contains("CPU"), text);
    }

    @Test
    void anNpuThatIsThereIsTaken() {
        Phone.accelerators.put("NPU", "");
        start();
        says("NPU: ok");
        assertEquals("[NPU " + FILE + "]", Phone.compiled.toString());
    }

    @Test
    void aGpuThatComputesWrongFallsThrough() {
        Phone.accelerators.put("GPU", "wrong");
        start();
        String text = says(CPU + ": ok");
        assertTrue(text.contains("GPU: wrong flow, EPE "), text);
    }

    @Test
    void aGpuThatRoundsAsHealthyOnesDoIsTaken() {
        Phone.accelerators.put("GPU", "rounds");
        start();
        assertFalse(says("GPU: ok").contains("CPU"));
    }

    @Test
    void aGpuThatCanNotLoadTheNetworkFallsThrough() {
        Phone.accelerators.put("GPU", "no OpenCL");
        start();
        String text = says(CPU + ": ok");
        assertTrue(
                text.contains("GPU: LiteRT can't load " + file(0, "float16") + " (no OpenCL)"),
                text);
    }

    @Test
    void aGpuThatDiesIsLeftOutUntilItIsTriedAgain() {
        Phone.accelerators.put("GPU", "dies");
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> {}); // the process is gone
        start();
        waitForPipelines();
        Phone.onScreen(activity::onPause);
        restart();
        start(); // and dies once more
        waitForPipelines();
        Thread.setDefaultUncaughtExceptionHandler(null);
        for (int i = 0; i < 2; i++) {
            Phone.onScreen(activity::onPause);
            restart();
            start();
            String text = says(CPU + ": ok");
            assertTrue(text.contains("GPU: left out: the app died twice when it was tried"), text);
        }
        Phone.accelerators.put("GPU", ""); // the driver was mended
        choose(R.id.unit, "Try again");
        says("GPU: ok");
        press(R.id.unit);
        assertFalse(Phone.dialog.items().contains("Try again"), Phone.dialog.items());
    }

    @Test
    void aPersonChoosesWhatItRunsOn() {
        Phone.accelerators.put("GPU", "");
        start();
        says("GPU: ok");
        choose(R.id.unit, "CPU, threads: 1");
        assertFalse(says("CPU, 1 thread: ok").contains("GPU"));
        choose(R.id.unit, "NPU");
        says("nothing on this device runs the network:\nNPU: LiteRT finds none");
        choose(R.id.unit, "The best");
        says("GPU: ok");
        assertTrue(Phone.compiled.contains("CPU 1 " + FILE));
    }

    @Test
    void aPersonChoosesTheRangeOfColours() {
        start();
        says("total");
        TextView label = activity.findViewById(R.id.range_label);
        assertEquals("Full colour at 30 px", label.getText());
        SeekBar range = activity.findViewById(R.id.range);
        Phone.onScreen(() -> range.drag(100));
        int plain = saturation(drawsAnew());
        Phone.onScreen(() -> range.drag(3));
        assertEquals("Full colour at 3 px", label.getText());
        draws(canvas -> saturation(canvas) > 2 * plain);
        Phone.onScreen(() -> range.drag(0));
        assertEquals("Full colour at 1 px", label.getText());
    }

    @Test
    void doubtfulFlowIsHiddenIfThePersonWantsIt() {
        Phone.flickers = true; // grey, as all that the camera sees: colours are the flow's
        start();
        SeekBar range = activity.findViewById(R.id.range);
        Phone.onScreen(() -> range.drag(6));
        draws(canvas -> saturation(canvas) > 40);
        press(R.id.hide);
        drawsAnew(); // what was under way
        assertMiddleStaysGrey();
        turn();
        assertTrue(activity.<Switch>findViewById(R.id.hide).isChecked());
        Phone.onScreen(() -> activity.<SeekBar>findViewById(R.id.range).drag(6));
        assertMiddleStaysGrey();
        press(R.id.hide);
        draws(canvas -> saturation(canvas) > 40);
    }

    /** In several pictures: two that are alike have hardly any motion anyway. */
    private void assertMiddleStaysGrey() {
        for (int i = 0; i < 6; i++) {
            int left = saturation(drawsAnew());
            assertTrue(left < 20, "picture " + i + " has a saturation of " + left);
        }
    }

    @Test
    void aNetworkThatGivesNoConfidenceIsSaidTo() {
        String without = "Hide doubtful flow: this network gives no confidence.";
        start();
        assertFalse(says("total").contains(without));
        Switch hide = activity.findViewById(R.id.hide);
        press(R.id.hide);
        choose(R.id.network, name(MODELS.length() - 1));
        says(without);
        assertFalse(hide.enabled);
        says("total"); // and its flow is shown
        choose(R.id.network, name(0));
        assertFalse(says(CPU + ": ok").contains(without));
        assertTrue(hide.enabled && hide.isChecked());
    }

    /** How far the picture's middle is from grey. */
    private static int saturation(Canvas canvas) {
        int sum = 0;
        int middle = canvas.image.getHeight() / 2;
        for (int x = 100; x < 260; x++) {
            java.awt.Color color = new java.awt.Color(canvas.image.getRGB(x, middle));
            int most = Math.max(color.getRed(), Math.max(color.getGreen(), color.getBlue()));
            int least = Math.min(color.getRed(), Math.min(color.getGreen(), color.getBlue()));
            sum += most - least;
        }
        return sum / 160;
    }

    @Test
    void thePictureIsSaved() throws IOException {
        Phone.cameraAllowed = false;
        start();
        press(R.id.save);
        says("There is no picture yet");
        Phone.cameraAllowed = true;
        press(R.id.camera);
        draws(canvas -> canvas.bitmaps == 2);
        press(R.id.save);
        answer("flow.png");
        java.awt.image.BufferedImage saved =
                javax.imageio.ImageIO.read(home.resolve("flow.png").toFile());
        assertEquals(360, saved.getWidth());
        says("total");
        Phone.full = true;
        press(R.id.save);
        Files.delete(home.resolve("flow.png"));
        Files.createFile(home.resolve("flow.png")); // as the dialog does
        answer("flow.png");
        says("The picture was not saved: it could not be written whole");
        assertFalse(Files.exists(home.resolve("flow.png")));
        Phone.full = false;
        draws(canvas -> canvas.bitmaps == 2);
        Files.writeString(home.resolve("old.png"), "a picture that is to be written over");
        press(R.id.save);
        turn();
        answer("old.png");
        says("There is no picture yet");
        assertEquals(36, Files.size(home.resolve("old.png")));
        draws(canvas -> canvas.bitmaps == 2);
        press(R.id.save);
        turn();
        Files.createFile(home.resolve("flow.png")); // as the dialog does
        answer("flow.png");
        says("There is no picture yet");
        assertFalse(Files.exists(home.resolve("flow.png")));
    }

    @Test
    void thePictureIsShared() throws IOException {
        Phone.cameraAllowed = false;
        start();
        press(R.id.share);
        says("There is no picture yet");
        Phone.cameraAllowed = true;
        press(R.id.camera);
        draws(canvas -> canvas.bitmaps == 2);
        press(R.id.share);
        assertShared("content://media/external/images/media/flow.png");
        Phone.full = true;
        press(R.id.share);
        says("The picture was not saved: it could not be written whole");
        assertEquals(null, Phone.started);
        assertFalse(Files.exists(home.resolve("flow.png")));
        Phone.full = false;
        Phone.hasGallery = false;
        press(R.id.share);
        says("The picture was not saved: the gallery takes none");
        assertEquals(null, Phone.started);
        android.os.Build.VERSION.SDK_INT = 28; // where the gallery needs a permission
        press(R.id.share);
        assertEquals(null, Phone.started);
        answer("flow.png");
        assertShared("content://documents/flow.png");
    }

    /** What another app gets: a picture that was saved, which it may read. */
    private void assertShared(String file) throws IOException {
        Intent sent = Phone.started;
        assertEquals(Intent.ACTION_SEND + " image/png", sent.action + " " + sent.type);
        assertEquals(file, sent.extras.get(Intent.EXTRA_STREAM).toString());
        assertEquals(Intent.FLAG_GRANT_READ_URI_PERMISSION, sent.flags);
        Path saved = home.resolve("flow.png");
        assertEquals(360, javax.imageio.ImageIO.read(saved.toFile()).getWidth());
        Files.delete(saved);
        Phone.started = null;
    }

    @Test
    void aNetworkOfOnesOwnIsAdded() throws IOException {
        Files.copy(folder.resolve(FILE), home.resolve("33"));
        Phone.titles.put("33", "my net.tflite");
        start();
        says("total");
        choose(R.id.network, "Add");
        answer("33");
        says("my_net\nNPU");
        assertTrue(says(CPU + ": ok").contains("expected, 0.00 apart"));
        says("total");
        Phone.onScreen(activity::onPause);
        restart(); // and it stays
        start();
        says(name(0) + "\n");
        choose(R.id.network, "my_net");
        says("my_net\n");
        try (RandomAccessFile film =
                new RandomAccessFile(home.resolve("letter.pdf").toFile(), "rw")) {
            film.setLength(1L << 33); // more than any app's memory; nothing of it is on the disk
        }
        choose(R.id.network, "Add");
        answer("letter.pdf");
        says("The network was not added: letter.pdf is no .tflite file");
        byte[] wrong = new byte[100];
        System.arraycopy("TFL3".getBytes(StandardCharsets.US_ASCII), 0, wrong, 4, 4);
        Files.write(home.resolve("wrong.tflite"), wrong);
        choose(R.id.network, "Add");
        answer("wrong.tflite");
        says("The network was not added: LiteRT can't load wrong-");
        List<Path> first = added();
        assertEquals(2, first.size()); // the network and its flow; of the others nothing
        String other = file(MODELS.length() - 1, "int8"); // in the first one's place
        Files.copy(folder.resolve(other), home.resolve("44"));
        Phone.titles.put("44", "my net.tflite");
        choose(R.id.network, "Add");
        answer("44");
        long end = System.currentTimeMillis() + PATIENCE;
        List<Path> then = added();
        while ((then.size() != 2 || !Collections.disjoint(first, then))
                && System.currentTimeMillis() < end) {
            Thread.yield();
            then = added();
        }
        assertEquals(2, then.size(), this::text);
        assertTrue(Collections.disjoint(first, then), this::text);
        says("my_net\n");
    }

    /** The files of the networks that the user has added. */
    private List<Path> added() throws IOException {
        return files(home.resolve("files").resolve("tfflow")).stream()
                .filter(file -> file.getFileName().toString().contains(".tflite"))
                .collect(Collectors.toList());
    }

    @Test
    void aPhoneMayBeTurnedWhileANetworkIsAdded() throws Exception {
        Files.copy(folder.resolve(FILE), home.resolve("own.tflite"));
        Files.write(home.resolve("letter.pdf"), new byte[100]);
        start();
        says("total");
        String[][] files = {{"own.tflite", "own\nNPU"}, {"letter.pdf", "not added"}};
        for (String[] each : files) {
            Phone.onScreen(Session::end);
            waitForPipelines();
            CountDownLatch held = new CountDownLatch(1);
            CountDownLatch turned = new CountDownLatch(1);
            Thread other = new Thread(() -> hold(held, turned));
            other.start();
            held.await();
            choose(R.id.network, "Add");
            answer(each[0]);
            turn();
            turned.countDown();
            other.join();
            says(each[1]);
        }
        says("own\n"); // as before
    }

    /** No network is loaded or added meanwhile. */
    private static void hold(CountDownLatch begun, CountDownLatch end) {
        try {
            PipelineThread.alone(
                    () -> {
                        begun.countDown();
                        try {
                            end.await();
                        } catch (InterruptedException error) {
                            throw new AssertionError(error);
                        }
                    });
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    @Test
    void anExportedNetworkIsInTheList() throws IOException {
        takeExported();
        start();
        says("total");
        choose(R.id.network, "own");
        says("own\nNPU");
        assertTrue(says(CPU + ": ok").contains("expected, 0.00 apart"));
        assertFalse(says("total").contains("gives no confidence"));
    }

    /** The assets become those that tfflow's commands have written. */
    private void takeExported() throws IOException {
        for (Path file : files(Paths.get(System.getProperty("tfflow.exported")))) {
            Files.copy(
                    file,
                    folder.resolve(file.getFileName()),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Test
    void theCameraIsAskedForOnce() {
        Phone.cameraAllowed = false;
        start();
        assertEquals(1, Phone.questions);
        leaveAndComeBack(); // the user has said no
        says("The camera is not allowed");
        says(CPU + ": ok"); // and the pipeline's lines do not hide it
        says("The camera is not allowed");
        assertEquals(1, Phone.questions);
        openVideo();
        assertFalse(says("total").contains("is not allowed"));
    }

    @Test
    void noCameraIsNoCrash() {
        Phone.hasCamera = false;
        start();
        says("This device has no camera");
    }

    @Test
    void aCameraThatFailsIsNoCrash() {
        Phone.cameraError = new SecurityException("taken back");
        start();
        says("The camera can't be opened: taken back");
    }

    @Test
    void aVideoPlaysAgainAndAgain() {
        start();
        Phone.rotation = 90;
        openVideo();
        String before = says("total");
        Canvas canvas = draws(any -> any.bitmaps == 2);
        // 240 x 300, as high as its place: black at the left and at the right.
        int middle = canvas.image.getHeight() / 2;
        int left = (360 - canvas.image.getHeight() * 240 / 300) / 2;
        assertEquals(0, canvas.image.getRGB(left - 5, middle) & 0xffffff);
        assertTrue((canvas.image.getRGB(left + 5, middle) & 0xffffff) > 0);
        assertTrue(before.contains("upright"), before);
        Bundle state = new Bundle();
        activity.onSaveInstanceState(state);
        assertEquals("content://documents/video", state.getString("video"));
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
        Phone.videoFrames = 5;
        Phone.videoEmpty = true;
        openVideo();
        says("this video can't be played: it ends before its first picture");
        press(R.id.camera);
        says("total");
    }

    @Test
    void missingModelsAreNoCrash() throws IOException {
        Files.delete(folder.resolve(FILE));
        start();
        says(CPU + ": there is no " + FILE + ": export it again with tfflow");
    }

    @Test
    void aDamagedModelIsNoCrash() throws IOException {
        Path file = folder.resolve(FILE);
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 3000)); // LiteRT would hang
        start();
        says(CPU + ": " + FILE + " is damaged: expected the SHA-256 ");
        says("nothing on this device runs the network");
    }

    @Test
    void missingGoldenFilesAreNoCrash() throws IOException {
        Files.delete(folder.resolve("golden_image2.png"));
        start();
        says("the golden pair or the flow of " + FILE + " is missing");
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
        says("models.json is not what tfflow export --android-assets writes");
    }

    @Test
    void anIntervalOfNoFramesIsRefused() throws IOException {
        takeExported();
        Path file = folder.resolve("models.json");
        String list = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        String wrong = list.replaceAll("\"interval\": \\d+", "\"interval\": 0");
        assertFalse(wrong.equals(list));
        Files.write(file, wrong.getBytes(StandardCharsets.UTF_8));
        start();
        says("has an interval of 0 frames");
    }

    @Test
    void picturesInTheGpusMemoryAreCopied() {
        Bitmap plain = Bitmap.createBitmap(2, 1, Bitmap.Config.ARGB_8888);
        plain.setPixels(new int[] {0xff102030, 0xffc0b0a0}, 0, 2, 0, 0, 2, 1);
        RgbImage read = Bitmaps.rgb(plain.copy(Bitmap.Config.HARDWARE, false));
        assertArrayEquals(Bitmaps.rgb(plain).toArgb(), read.toArgb());
    }

    @Test
    void objectsAreFound() throws IOException {
        takeExported();
        start();
        assertFalse(says("total").contains("no detector in the assets"));
        press(R.id.objects);
        String text = says("between");
        assertTrue(text.contains("key ") && text.startsWith("CPU"), text);
        Canvas boxes = draws(canvas -> canvas.rectangles > 0);
        assertEquals(boxes.rectangles, boxes.texts);
        press(R.id.colors);
        says("paint");
    }

    @Test
    void theBenchmarkReports() throws IOException {
        Phone.accelerators.put("GPU", "no OpenCL");
        start();
        says("total");
        press(R.id.benchmark);
        Phone.onScreen(activity::onPause);
        BenchmarkActivity screen = new BenchmarkActivity();
        screen.intent.putExtra("network", name(0));
        Phone.onScreen(() -> screen.onCreate(null));
        Phone.onScreen(screen::onStart);
        TextView report = screen.findViewById(R.id.report);
        long end = System.currentTimeMillis() + PATIENCE;
        while (!screen.findViewById(R.id.share).enabled && System.currentTimeMillis() < end) {
            Thread.yield();
        }
        String text = report.getText().toString();
        assertTrue(text.startsWith("tfflow " + name(0) + "\n"), text);
        assertTrue(
                text.contains("GPU: LiteRT can't load " + file(0, "float16") + " (no OpenCL)"),
                text);
        assertTrue(text.contains("\n" + CPU + ": ok"), text);
        assertTrue(text.contains("frames a second"), text);
        Phone.onScreen(() -> screen.findViewById(R.id.copy).press());
        Phone.onScreen(() -> screen.findViewById(R.id.share).press());
        keep(screen.screen, "benchmark");
        Phone.onScreen(screen::onStop);
        Phone.onScreen(screen::onStart); // back from where it was shared
        assertTrue(screen.findViewById(R.id.share).enabled);
        assertEquals(text, report.getText().toString());
        Bundle state = new Bundle();
        Phone.onScreen(() -> screen.onSaveInstanceState(state));
        Phone.onScreen(screen::onStop);
        BenchmarkActivity turned = new BenchmarkActivity();
        Phone.onScreen(() -> turned.onCreate(state));
        Phone.onScreen(turned::onStart);
        assertTrue(turned.findViewById(R.id.share).enabled);
        TextView again = turned.findViewById(R.id.report);
        assertEquals(text, again.getText().toString());
        Phone.onScreen(turned::onStop);
    }

    @Test
    void theScreensAreDrawn() throws IOException {
        Phone.accelerators.put("GPU", "wrong");
        start();
        says("total");
        SeekBar range = activity.findViewById(R.id.range);
        Phone.onScreen(() -> range.drag(6));
        draws(canvas -> canvas.bitmaps == 2 && saturation(canvas) > 40);
        keep(activity.screen, "colours");
        press(R.id.arrows);
        draws(canvas -> canvas.lines > 0);
        keep(activity.screen, "arrows");
    }

    /** Keeps a picture of a screen for people. */
    private static void keep(org.tfflow.fakes.Screen screen, String name) throws IOException {
        Path file = Paths.get(System.getProperty("tfflow.screens")).resolve(name + ".png");
        java.awt.image.BufferedImage[] image = new java.awt.image.BufferedImage[1];
        Phone.onScreen(() -> image[0] = screen.draw());
        assertTrue(javax.imageio.ImageIO.write(image[0], "png", file.toFile()));
    }
}
