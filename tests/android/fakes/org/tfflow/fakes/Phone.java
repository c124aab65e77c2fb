package org.tfflow.fakes;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** The phone that the fakes play: what a test says of it. */
public final class Phone {
    /** libLiteRt.so, which plays Android's. */
    public static Path library;

    /** The folder of the app's assets. */
    public static Path assets;

    /** Whether the user has allowed the camera. */
    public static boolean cameraAllowed;

    /** How often the user was asked. */
    public static int questions;

    /** Whether there is a camera, at the back, turned by 90 degrees. */
    public static boolean hasCamera;

    /** What opening it throws; null if it opens. */
    public static RuntimeException cameraError;

    /** What an accelerator does: "" right, "wrong", or the reason for which it loads nothing. */
    public static Map<String, String> accelerators;

    /** Pictures in the video file; 0: the file is none. */
    public static int videoFrames;

    /** The file's rotation, in degrees. */
    public static int rotation;

    /** A string of the resources by its number. */
    public static Function<Integer, String> strings;

    /** A view of the layout by its number. */
    public static Function<Integer, android.view.View> views;

    private static final ExecutorService SCREEN =
            Executors.newSingleThreadExecutor(
                    task -> {
                        Thread thread = new Thread(task, "main-screen");
                        thread.setDaemon(true);
                        return thread;
                    });

    private Phone() {}

    /** Runs it on the screen's thread, some time: never within what runs there now. */
    public static void post(Runnable task) {
        SCREEN.execute(task);
    }

    /** Runs it on the screen's thread, and waits for it. */
    public static void onScreen(Runnable task) {
        try {
            SCREEN.submit(task).get();
        } catch (InterruptedException | ExecutionException error) {
            throw new AssertionError(error);
        }
    }

    /** A phone where all is well, with a CPU and nothing else. */
    public static void reset() {
        cameraAllowed = true;
        questions = 0;
        hasCamera = true;
        cameraError = null;
        videoFrames = 5;
        rotation = 0;
        accelerators = new HashMap<>();
        accelerators.put("NPU", "no NPU");
        accelerators.put("GPU", "no GPU");
        accelerators.put("CPU", "");
    }
}
