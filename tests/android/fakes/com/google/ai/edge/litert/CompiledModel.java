package com.google.ai.edge.litert;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.tfflow.fakes.Phone;

public final class CompiledModel implements AutoCloseable {
    public static class Options {
        private final Accelerator accelerator;

        public Options(Accelerator... accelerators) {
            accelerator = accelerators[0];
        }
    }

    private final Model model;
    private final boolean wrong;

    private CompiledModel(Model model, boolean wrong) {
        this.model = model;
        this.wrong = wrong;
    }

    public static CompiledModel create(Model model, Options options, Environment environment)
            throws LiteRtException {
        String fault = Phone.accelerators.get(options.accelerator.name());
        if (fault.isEmpty() || fault.equals("wrong")) {
            return new CompiledModel(model, !fault.isEmpty());
        }
        throw new LiteRtException(fault);
    }

    public TensorBuffer createInputBuffer(String name, String signature) throws LiteRtException {
        return new TensorBuffer(model.network.input(name));
    }

    public TensorBuffer createOutputBuffer(String name, String signature)
            throws LiteRtException {
        return new TensorBuffer(model.network.output(name));
    }

    public void run(
            Map<String, TensorBuffer> inputs, Map<String, TensorBuffer> outputs, String signature)
            throws LiteRtException {
        model.network.run(bytes(inputs), bytes(outputs));
        if (wrong) {
            for (ByteBuffer output : bytes(outputs).values()) {
                output.putFloat(0, output.getFloat(0) + 3);
            }
        }
    }

    private static Map<String, ByteBuffer> bytes(Map<String, TensorBuffer> buffers) {
        Map<String, ByteBuffer> bytes = new HashMap<>();
        buffers.forEach((name, buffer) -> bytes.put(name, buffer.bytes));
        return bytes;
    }

    @Override
    public void close() {}
}
