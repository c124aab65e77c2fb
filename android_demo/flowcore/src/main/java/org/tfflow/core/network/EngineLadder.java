package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Fit;

/**
 * The ways to run a network, the best one first: the first that loads and computes the right flow
 * is taken. An accelerator that a phone lacks, that refuses the network or that computes something
 * else falls through to the next, and the reason is kept to be shown.
 */
public final class EngineLadder implements FlowEngine {
    /** One way to run the network. */
    public static final class Rung {
        private final String name;
        private final String key;
        private final Supplier<FlowEngine> maker;
        private final SelfCheck.@Nullable Golden golden;

        /**
         * @param name as it is shown, such as GPU
         * @param key of this way and this network, for the {@link AttemptLog}; null for a way that
         *     can't take the process with it
         * @param maker makes the engine, not yet loaded
         * @param golden what it must compute; null if nobody knows
         */
        public Rung(
                String name,
                @Nullable String key,
                Supplier<FlowEngine> maker,
                SelfCheck.@Nullable Golden golden) {
            this.name = name;
            this.key = key;
            this.maker = maker;
            this.golden = golden;
        }

        /** A way that is not there. */
        public static Rung absent(String name, String reason) {
            Supplier<FlowEngine> none =
                    () -> {
                        throw new FlowEngineException(reason);
                    };
            return new Rung(name, null, none, null);
        }

        /** As it is shown. */
        public String name() {
            return name;
        }
    }

    private final Supplier<List<Rung>> rungs;
    private final @Nullable AttemptLog log;
    // Another thread may show them.
    private volatile String report = "";
    private volatile String chosen = "";
    private @Nullable FlowEngine engine;

    /**
     * @param log keeps what killed the process; null if nothing can
     * @param rungs gives the ways, the best one first; asked by {@link #load}, on its thread
     */
    public EngineLadder(@Nullable AttemptLog log, Supplier<List<Rung>> rungs) {
        this.log = log;
        this.rungs = rungs;
    }

    /**
     * A line for each way that was tried, in order: "GPU: " and why it fell, or "CPU: ok, " and by
     * how much its flow is off; empty before {@link #load}.
     */
    public String report() {
        return report;
    }

    /** The name of the way that was taken; empty before {@link #load}. */
    public String chosen() {
        return chosen;
    }

    /**
     * Takes the first engine that passes.
     *
     * @throws FlowEngineException if none does; its message is the report
     */
    @Override
    public void load() {
        if (engine != null) {
            return;
        }
        StringBuilder lines = new StringBuilder();
        Throwable last = null;
        for (Rung rung : rungs.get()) {
            if (log != null && rung.key != null && log.isDeadly(rung.key)) {
                add(lines, rung, "left out: the app died twice when it was tried");
                continue;
            }
            boolean noted = false;
            FlowEngine tried = null;
            try {
                if (log != null && rung.key != null) {
                    log.begin(rung.key);
                    noted = true;
                }
                tried = rung.maker.get();
                tried.load();
                SelfCheck result = rung.golden == null ? null : check(tried, rung.golden);
                if (result == null || result.passes()) {
                    add(lines, rung, result == null ? "ok, not checked" : "ok, " + result);
                    engine = tried;
                    chosen = rung.name;
                } else {
                    add(lines, rung, "wrong flow, " + result);
                }
            } catch (RuntimeException | LinkageError | OutOfMemoryError error) {
                // LinkageError: no native library.
                last = error;
                add(lines, rung, reason(error));
            }
            if (engine == null && tried != null) {
                tried.close();
            }
            if (noted) {
                log.end(rung.key);
            }
            if (engine != null) {
                break;
            }
        }
        report = lines.toString();
        if (engine == null) {
            throw new FlowEngineException(
                    "nothing on this device runs the network:\n" + lines, last);
        }
    }

    private static void add(StringBuilder lines, Rung rung, String text) {
        lines.append(lines.length() == 0 ? "" : "\n").append(rung.name + ": " + text);
    }

    private static SelfCheck check(FlowEngine tried, SelfCheck.Golden golden) {
        return SelfCheck.run(
                new FlowPredictor(tried, Fit.STRETCH, new LatencyStatistics(1)), golden);
    }

    /** What is wrong, with its cause: the runtime's own words are often there. */
    public static String reason(Throwable error) {
        String text = error.getMessage() == null ? error.toString() : error.getMessage();
        Throwable cause = error.getCause();
        boolean more = cause != null && cause.getMessage() != null;
        return more ? text + " (" + cause.getMessage() + ")" : text;
    }

    @Override
    public TensorSpec inputSpec() {
        return loaded().inputSpec();
    }

    @Override
    public TensorSpec outputSpec() {
        return loaded().outputSpec();
    }

    @Override
    public Optional<TensorSpec> confidenceSpec() {
        return loaded().confidenceSpec();
    }

    @Override
    public void run(ByteBuffer image1, ByteBuffer image2, Map<String, ByteBuffer> outputs) {
        loaded().run(image1, image2, outputs);
    }

    @Override
    public void forget() {
        loaded().forget();
    }

    private FlowEngine loaded() {
        if (engine == null) {
            throw new IllegalStateException("call load() first");
        }
        return engine;
    }

    @Override
    public void close() {
        if (engine != null) {
            engine.close();
            engine = null;
        }
    }
}
