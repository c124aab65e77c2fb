package org.tfflow.demo;

import android.content.ContentResolver;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import android.util.Log;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.pipeline.PipelineThread;
import org.tfflow.litert.FlowModels;

/**
 * What came of adding a network. That takes seconds, and outlives the screen that began it, as a
 * {@link Session} does.
 */
final class Adding {
    private static int running;
    private static @Nullable Adding ended; // no screen has taken it yet
    private static @Nullable Runnable screen;

    final @Nullable String network; // its name; null: it was not added
    final @Nullable String problem; // why not

    private Adding(@Nullable String network, @Nullable String problem) {
        this.network = network;
        this.problem = problem;
    }

    /** Begins to add a network, when no other is at work. */
    static synchronized void begin(FlowModels models, ContentResolver files, Uri file) {
        running++;
        new Thread(() -> run(models, files, file), "add").start();
    }

    static synchronized boolean isRunning() {
        return running > 0;
    }

    /** What came of the latest one, for the first screen that asks; null: there is nothing new. */
    static synchronized @Nullable Adding take() {
        Adding taken = ended;
        ended = null;
        return taken;
    }

    /** From now on this is run after each one, on its thread; null: nobody looks. */
    static synchronized void tell(@Nullable Runnable newest) {
        screen = newest;
    }

    private static void run(FlowModels models, ContentResolver files, Uri file) {
        try {
            PipelineThread.alone(() -> end(add(models, files, file)));
        } catch (InterruptedException never) {
            end(new Adding(null, never.getMessage()));
        }
    }

    private static Adding add(FlowModels models, ContentResolver files, Uri file) {
        try (InputStream stream = files.openInputStream(file)) {
            return new Adding(models.add(name(files, file), stream), null);
        } catch (IOException | RuntimeException | LinkageError | OutOfMemoryError error) {
            Log.e("tfflow", "the network can't be added", error);
            return new Adding(null, error.getMessage());
        }
    }

    private static void end(Adding now) {
        Runnable told;
        synchronized (Adding.class) {
            running--;
            ended = now;
            told = screen;
        }
        if (told != null) {
            told.run();
        }
    }

    /** As its provider calls it; the last part of its path may be but a number. */
    private static String name(ContentResolver files, Uri file) {
        String[] columns = {OpenableColumns.DISPLAY_NAME};
        try (Cursor row = files.query(file, columns, null, null, null)) {
            String name = row != null && row.moveToFirst() ? row.getString(0) : null;
            if (name != null) {
                return name;
            }
        }
        String last = file.getLastPathSegment();
        return last == null ? "network" : last.substring(last.lastIndexOf('/') + 1);
    }
}
