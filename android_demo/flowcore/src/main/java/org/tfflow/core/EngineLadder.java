package org.tfflow.core;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The ways to run a network, the best one first: the first that loads and computes the right flow
 * is taken. An accelerator that a phone lacks, that refuses the network or that computes something
 * else falls through to the next, and the reason is kept to be shown.
 */
public final class EngineLadder implements FlowEngine {
    /** One way to run the network. */
    public static final class Rung {
        private final String name;
        private final Supplier<FlowEngine> maker;

        /**
         * @param name as it is shown, such as GPU
         * @param maker makes the engine, not yet loaded
         */
        public Rung(String name, Supplier<FlowEngine> maker) {
            this.name = name;
            this.maker = maker;
        }

        /** As it is shown. */
        public String name() {
            return name;
        }

        /** A new engine, not yet loaded. */
        public FlowEngine make() {
            return maker.get();
        }
    }

    private final List<Rung> rungs;
    private final Function<FlowPredictor, SelfCheck> check;
    private final double tolerance;
    // Another thread may show it.
    private volatile String report = "";
    private FlowEngine engine;

    /**
     * @param check what each engine that loads must pass
     * @param tolerance in pixels, for {@link SelfCheck#passes}
     * @param rungs the best one first
     */
    public EngineLadder(
            Function<FlowPredictor, SelfCheck> check, double tolerance, Rung... rungs) {
        if (rungs.length == 0) {
            throw new IllegalArgumentException("expected one way to run the network or more");
        }
        this.check = check;
        this.tolerance = tolerance;
        this.rungs = Arrays.asList(rungs.clone());
    }

    /**
     * A line for each way that was tried, in order: "GPU: " and why it fell, or "CPU: ok, " and by
     * how much its flow is off; empty before {@link #load}.
     */
    public String report() {
        return report;
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
        for (Rung rung : rungs) {
            FlowEngine tried = null;
            try {
                tried = rung.make();
                tried.load();
                SelfCheck result = check(tried);
                if (result.passes(tolerance)) {
                    add(lines, rung, "ok, " + result);
                    engine = tried;
                    break;
                }
                add(lines, rung, "wrong flow, " + result);
            } catch (RuntimeException | LinkageError error) { // LinkageError: no native library
                last = error;
                add(lines, rung, reason(error));
            }
            if (tried != null) {
                tried.close();
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

    private SelfCheck check(FlowEngine tried) {
        return check.apply(new FlowPredictor(tried, Fit.STRETCH, new LatencyStatistics(1)));
    }

    /** What is wrong, with its cause: the runtime's own words are often there. */
    static String reason(Throwable error) {
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
    public void run(ByteBuffer image1, ByteBuffer image2, ByteBuffer flow) {
        loaded().run(image1, image2, flow);
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
