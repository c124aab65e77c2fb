package org.tfflow.core.network;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Scanner;
import java.util.Set;

/**
 * What was tried and killed the app: a driver that crashes takes the process with it, and would do so
 * at each start. What is tried is written down before, and struck out when it has come back.
 */
public final class AttemptLog {
    private final File file;
    private final Set<String> open = new LinkedHashSet<>(); // tried by a process that is no more
    private String now;

    /**
     * @param file where it is kept; made when something is tried
     * @throws FlowEngineException if there is a file that can't be read
     */
    public AttemptLog(File file) {
        this.file = file;
        if (!file.isFile()) {
            return;
        }
        try (Scanner lines = new Scanner(file, "UTF-8")) {
            while (lines.hasNextLine()) {
                open.add(lines.nextLine());
            }
        } catch (IOException error) {
            throw new FlowEngineException("can't read " + file, error);
        }
    }

    /** Whether the app died when this was tried. */
    public synchronized boolean hasDied(String what) {
        return open.contains(what);
    }

    /** Whether there is anything that {@link #forget} would allow again. */
    public synchronized boolean isEmpty() {
        return open.isEmpty();
    }

    /**
     * It is tried now.
     *
     * @param what in one line
     * @throws FlowEngineException if that can't be written down
     */
    public synchronized void begin(String what) {
        now = what;
        write();
    }

    /** It has come back, well or not. */
    public synchronized void end() {
        now = null;
        write();
    }

    /** All may be tried again. */
    public synchronized void forget() {
        open.clear();
        write();
    }

    private void write() {
        StringBuilder lines = new StringBuilder();
        for (String line : open) {
            lines.append(line).append('\n');
        }
        if (now != null) {
            lines.append(now).append('\n');
        }
        try (FileOutputStream stream = new FileOutputStream(file)) {
            stream.write(lines.toString().getBytes(StandardCharsets.UTF_8));
            stream.getFD().sync(); // the process may be gone in a moment
        } catch (IOException error) {
            throw new FlowEngineException("can't write " + file, error);
        }
    }
}
