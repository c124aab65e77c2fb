package org.tfflow.fakes;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

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

    /**
     * Whether the pictures stand still, but for stripes in their middle, upright and level by turns,
     * which can't be matched.
     */
    public static boolean flickers;

    /** What opening it throws; null if it opens. */
    public static RuntimeException cameraError;

    /**
     * The accelerators that there are beside the CPU, and what they do: "" right, "rounds" as
     * healthy ones do, "wrong", "dies" with the process, or the reason for which it loads nothing.
     */
    public static Map<String, String> accelerators;

    /** What was compiled: the accelerator, the CPU's threads, the file, and whether it is cached. */
    public static final List<String> compiled = Collections.synchronizedList(new ArrayList<>());

    /** The signatures that were run, in their order. */
    public static final List<String> ran = Collections.synchronizedList(new ArrayList<>());

    /** How many of LiteRT's environments were made. */
    public static int environments;

    /** The folder of the app's own files. */
    public static Path home;

    /** The folder res. */
    public static Path resources;

    /** The list that is open; null if none is. */
    public static android.app.AlertDialog dialog;

    /** Who is told that the display has turned; null: nobody. */
    public static android.hardware.display.DisplayManager.DisplayListener displayListener;

    /** How far it is turned, in quarters. */
    public static int displayRotation;

    /** Whether the gallery takes pictures. */
    public static boolean hasGallery;

    /** No picture can be written. */
    public static boolean full;

    /** What was last started, of those that give no result; null: nothing. */
    public static android.content.Intent started;

    /** The code of the last activity that was asked for a result. */
    public static int asked;

    /** What a document is called, by the last part of its address, where its provider says it. */
    public static final Map<String, String> titles = new HashMap<>();

    /** The end of the process, as a crash in a driver is: no handler sees it. */
    public static final class Died extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** Pictures in the video file; 0: the file is none. */
    public static int videoFrames;
    public static boolean videoEmpty; // its track holds nothing

    /** The file's rotation, in degrees. */
    public static int rotation;

    /** A string of the resources by its number. */
    public static Function<Integer, String> strings;

    /** The name of a resource by its number. */
    public static Function<Integer, String> names;

    /** The number of a view by its name. */
    public static Function<String, Integer> ids;

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

    /** A string of the resources by its name. */
    public static String text(String name) {
        try {
            NodeList strings =
                    DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .parse(resources.resolve("values/strings.xml").toFile())
                            .getElementsByTagName("string");
            for (int i = 0; i < strings.getLength(); i++) {
                if (((Element) strings.item(i)).getAttribute("name").equals(name)) {
                    return strings.item(i).getTextContent().replace("\\'", "'");
                }
            }
        } catch (Exception error) {
            throw new AssertionError(error);
        }
        throw new AssertionError("there is no string " + name);
    }

    /** The file behind a document's address. */
    public static java.io.File document(String uri) {
        return home.resolve(uri.substring(uri.lastIndexOf('/') + 1)).toFile();
    }

    /** A phone where all is well, with a CPU and nothing else. */
    public static void reset() {
        cameraAllowed = true;
        questions = 0;
        hasCamera = true;
        flickers = false;
        cameraError = null;
        videoFrames = 5;
        videoEmpty = false;
        rotation = 0;
        accelerators = new HashMap<>();
        compiled.clear();
        titles.clear();
        ran.clear();
        hasGallery = true;
        full = false;
        started = null;
        android.os.Build.VERSION.SDK_INT = 36;
        environments = 0;
        dialog = null;
        displayListener = null;
        displayRotation = 0;
        asked = 0;
    }
}
