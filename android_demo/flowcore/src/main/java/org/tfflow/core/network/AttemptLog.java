package org.tfflow.core.network;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

/**
 * What was tried and killed the app: a driver that crashes takes the process with it, and would do so
 * at each start. What is tried is written down before, and struck out when it has come back. Once may
 * be chance: the app can end in another way meanwhile.
 *
 * <p>A process has one log for each file, {@link #of}: a second one would take what the first is
 * trying for what has died.
 */
public final class AttemptLog {
    private static final Map<File, AttemptLog> LOGS = new HashMap<>();

    private final File file;
    private static final int DEATHS = 2; // in a row, from which on it is left out

    // How many processes that are no more have tried it in vain.
    private final Map<String, Integer> died = new LinkedHashMap<>();
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
                died.merge(lines.nextLine(), 1, Integer::sum);
            }
        } catch (IOException error) {
            throw new FlowEngineException("can't read " + file, error);
        }
    }

    /** Whether the app died each of the last two times that this was tried. */
    public synchronized boolean isDeadly(String what) {
        return died.getOrDefault(what, 0) >= DEATHS;
    }

    /** Whether there is anything that {@link #forget} would allow again. */
    public synchronized boolean hasDeadly() {
        return died.keySet().stream().anyMatch(this::isDeadly);
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
        died.remove(what);
        write();
    }

    /** All may be tried again. */
    public synchronized void forget() {
        died.clear();
        write();
    }

    private void write() {
        StringBuilder lines = new StringBuilder();
        died.forEach(
                (what, deaths) -> {
                    for (int i = 0; i < deaths; i++) {
                        lines.append(what).append('\n');
                    }
                });
        for (String what : new LinkedHashSet<>(tried)) {
            lines.append(what).append('\n');
        }
        try (FileOutputStream stream = new FileOutputStream(file)) {
            stream.write(lines.toString().getBytes(StandardCharsets.UTF_8));
            stream.getFD().sync(); // the process may be gone in a moment
        } catch (IOException error) {
            throw new FlowEngineException("can't write " + file, error);
        }
    }
}
