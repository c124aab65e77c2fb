package org.tfflow.litert;

import com.google.ai.edge.litert.Accelerator;
import com.google.ai.edge.litert.CompiledModel;
import com.google.ai.edge.litert.LiteRtException;
import com.google.ai.edge.litert.TensorBuffer;
import com.google.ai.edge.litert.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.Network;
import org.tfflow.core.network.TensorSpec;

/** A .tflite on LiteRT's CompiledModel. The files take and give float32, also the int8 ones. */
final class LiteRtNetwork implements Network {
    /** A signature's tensors, made when they are first used. */
    private static final class Tensors {
        final Map<String, TensorBuffer> inputs = new HashMap<>();
        final Map<String, TensorBuffer> outputs = new HashMap<>();
        final Map<String, float[]> values = new HashMap<>(); // of inputs, on their way
    }

    private final Supplier<Accelerators> accelerators;
    private final ModelFile file;
    private final String sha256;
    private final Accelerator accelerator;
    private final int threads;
    private final Map<String, Tensors> signatures = new HashMap<>();
    private @Nullable CompiledModel compiled;

    /**
     * @param accelerators asked by {@link #load}, on its thread
     * @param sha256 its digest: LiteRT may crash or hang on a damaged file
     * @param accelerator what shall run it; that it does is not certain before a self-check
     * @param threads of the CPU
     */
    LiteRtNetwork(
            Supplier<Accelerators> accelerators,
            ModelFile file,
            String sha256,
            Accelerator accelerator,
            int threads) {
        this.accelerators = accelerators;
        this.file = file;
        this.sha256 = sha256;
        this.accelerator = accelerator;
        this.threads = threads;
    }

    @Override
    public void load() {
        checkFile();
        Accelerators phone = accelerators.get();
        CompiledModel.Options options = phone.options(accelerator, threads, sha256);
        try {
            compiled =
                    file.assets() == null
                            ? CompiledModel.create(
                                    file.path(), options, phone.environment())
                            : CompiledModel.create(
                                    file.assets(),
                                    file.name,
                                    options,
                                    phone.environment());
        } catch (LiteRtException error) {
            throw new FlowEngineException("LiteRT can't load " + file.name, error);
        }
    }

    private void checkFile() {
        String found;
        try {
            found = file.digest();
        } catch (IOException error) {
            throw new FlowEngineException(
                    "there is no " + file.path() + ": export it again with tfflow", error);
        }
        if (!found.equals(sha256)) {
            throw new FlowEngineException(
                    file.name + " is damaged: expected the SHA-256 " + sha256
                            + " of models.json; got " + found + "; export it again with tfflow");
        }
    }

    @Override
    public TensorSpec input(String signature, String name) {
        try {
            return spec(name, loaded().getInputTensorType(name, signature));
        } catch (Exception error) { // Kotlin does not declare that it throws a LiteRtException
            throw noTensor("input", signature, name, error);
        }
    }

    @Override
    public TensorSpec output(String signature, String name) {
        try {
            return spec(name, loaded().getOutputTensorType(name, signature));
        } catch (Exception error) { // likewise
            throw noTensor("output", signature, name, error);
        }
    }

    @Override
    public boolean hasOutput(String signature, String name) {
        try {
            loaded().getOutputTensorType(name, signature);
            return true;
        } catch (Exception error) { // likewise
            if (error instanceof LiteRtException) {
                return false;
            }
            throw noTensor("output", signature, name, error);
        }
    }

    private RuntimeException noTensor(
            String kind, String signature, String name, Exception error) {
        if (error instanceof LiteRtException) {
            String of = signature.equals(FIRST) ? "" : " of " + signature;
            return new FlowEngineException(
                    file.name + " has no " + kind + " " + name + of
                            + ": it is not what tfflow exports",
                    error);
        }
        return error instanceof RuntimeException
                ? (RuntimeException) error
                : new FlowEngineException("LiteRT failed with " + file.name, error);
    }

    private TensorSpec spec(String name, TensorType type) {
        if (type.getElementType() != TensorType.ElementType.FLOAT || type.getLayout() == null) {
            throw new FlowEngineException(
                    file.name + ": " + name + " must be float32 of a fixed size: export it with"
                            + " float inputs and outputs, as int8, float16 or float32");
        }
        List<Integer> sides = type.getLayout().getDimensions();
        int[] shape = new int[sides.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = sides.get(i);
        }
        return TensorSpec.floats(name, shape);
    }

    @Override
    public void run(
            String signature, Map<String, ByteBuffer> given, Map<String, ByteBuffer> results) {
        CompiledModel model = loaded();
        Tensors tensors = signatures.computeIfAbsent(signature, name -> new Tensors());
        try {
            for (Map.Entry<String, ByteBuffer> entry : given.entrySet()) {
                String name = entry.getKey();
                TensorBuffer input = tensors.inputs.get(name);
                if (input == null) {
                    input = model.createInputBuffer(name, signature);
                    tensors.inputs.put(name, input);
                    tensors.values.put(name, new float[input(signature, name).count()]);
                }
                float[] numbers = tensors.values.get(name);
                fromStart(entry.getValue()).asFloatBuffer().get(numbers);
                input.writeFloat(numbers);
            }
            for (String name : results.keySet()) {
                if (!tensors.outputs.containsKey(name)) {
                    tensors.outputs.put(name, model.createOutputBuffer(name, signature));
                }
            }
            model.run(tensors.inputs, tensors.outputs, signature);
            for (Map.Entry<String, ByteBuffer> entry : results.entrySet()) {
                ByteBuffer result = fromStart(entry.getValue());
                result.asFloatBuffer().put(tensors.outputs.get(entry.getKey()).readFloat());
            }
        } catch (LiteRtException error) {
            throw new FlowEngineException("LiteRT can't run " + file.name, error);
        }
    }

    private static ByteBuffer fromStart(ByteBuffer bytes) {
        ByteBuffer start = bytes.duplicate().order(bytes.order());
        start.clear();
        return start;
    }

    private CompiledModel loaded() {
        if (compiled == null) {
            throw new IllegalStateException("call load() first");
        }
        return compiled;
    }

    @Override
    public void close() {
        for (Tensors tensors : signatures.values()) {
            for (TensorBuffer buffer : tensors.inputs.values()) {
                buffer.close();
            }
            for (TensorBuffer buffer : tensors.outputs.values()) {
                buffer.close();
            }
        }
        signatures.clear();
        if (compiled != null) {
            compiled.close();
            compiled = null;
        }
    }
}
