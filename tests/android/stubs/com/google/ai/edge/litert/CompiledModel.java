package com.google.ai.edge.litert;

/** Compile-only: what the app uses of the real one. */
public final class CompiledModel implements AutoCloseable {
    public static class Options {
        public Options(Accelerator... accelerators) {}
    }

    public static CompiledModel create(Model model, Options options, Environment environment)
            throws LiteRtException {
        throw new UnsupportedOperationException("stub");
    }

    public TensorBuffer createInputBuffer(String name, String signature) throws LiteRtException {
        throw new UnsupportedOperationException("stub");
    }

    public TensorBuffer createOutputBuffer(String name, String signature)
            throws LiteRtException {
        throw new UnsupportedOperationException("stub");
    }

    public void run(
            java.util.Map<String, TensorBuffer> inputs,
            java.util.Map<String, TensorBuffer> outputs,
            String signature)
            throws LiteRtException {}

    @Override
    public void close() {}
}
