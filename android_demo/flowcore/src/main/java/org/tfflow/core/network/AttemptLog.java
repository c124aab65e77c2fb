package org.tfflow.core.network;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.Set;

/**
 * What was tried and killed the app: a driver that crashes takes the process with it, and would do so
 * at each start. What is tried is written down before, and struck out when it has come back.
 *
 * <p>A process has one log for each file, {@link #of}: a second one would take what the first is
 * trying for what has died.
 */
public final class AttemptLog {
    private static final Map<File, AttemptLog> LOGS = new HashMap<>();

    private final File file;
    private final Set<String> died = new LinkedHashSet<>(); // tried by a process that is no more
    private final List<String> tried = new ArrayList<>(); // now, on one thread or several

    /**
     * This process's log.
     *
     * @param file where it is kept; made when something is tried
     * @throws FlowEngineException if there is a file that can't be read
     */
    public static AttemptLog of(File file) {
        synchronized (LOGS) {
            return LOGS.computeIfAbsent(file.getAbsoluteFile(), AttemptLog::new);
        }
    }

    /** As the first of a process reads it; for tests. */
    AttemptLog(File file) {
        this.file = file;
        if (!file.isFile()) {
            return;
        }
        try (Scanner lines = new Scanner(file, "UTF-8")) {
            while (lines.hasNextLine()) {
                died.add(lines.nextLine());
            }
        } catch (IOException error) {
            throw new FlowEngineException("can't read " + file, error);
        }
    }

    /** Whether the app died when this was tried. */
    public synchronized boolean hasDied(String what) {
        return died.contains(what);
    }

    /** Whether there is anything that {@link #forget} would allow again. */
    public synchronized boolean isEmpty() {
        return died.isEmpty();
    }

    /**
     * It is tried now.
     *
     * @param what in one line
     * @throws FlowEngineException if that can't be written down; then it must not be tried
     */
    public synchronized void begin(String what) {
        tried.add(what);
        try {
            write();
        } catch (FlowEngineException error) {
            tried.remove(what);
            throw error;
        }
    }

    /** It has come back, well or not. */
    public synchronized void end(String what) {
        tried.remove(what);
        write();
    }

    /** All may be tried again. */
    public synchronized void forget() {
        died.clear();
        write();
    }

    private void write() {
        Set<String> all = new LinkedHashSet<>(died);
        all.addAll(tried);
        StringBuilder lines = new StringBuilder();
        for (String line : all) {
            lines.append(line).append('\n');
        }
        try (FileOutputStream stream = new FileOutputStream(file)) {
            stream.write(lines.toString().getBytes(StandardCharsets.UTF_8));
            stream.getFD().sync(); // the process may be gone in a moment
        } catch (IOException error) {
            throw new FlowEngineException("can't write " + file, error);
        }
    }
}
