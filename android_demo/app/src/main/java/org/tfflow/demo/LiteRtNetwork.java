package org.tfflow.demo;

import android.content.res.AssetManager;
import com.google.ai.edge.litert.Accelerator;
import com.google.ai.edge.litert.CompiledModel;
import com.google.ai.edge.litert.LiteRtException;
import com.google.ai.edge.litert.Model;
import com.google.ai.edge.litert.TensorBuffer;
import com.google.ai.edge.litert.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tfflow.core.FlowEngineException;
import org.tfflow.core.Network;
import org.tfflow.core.TensorSpec;

/**
 * A .tflite of the assets on LiteRT's CompiledModel: its first signature. The files take and give
 * float32, also the int8 ones.
 */
final class LiteRtNetwork implements Network {
    private static final String FIRST = null; // the signature

    private final AssetManager assets;
    private final String file;
    private final String sha256;
    private final Accelerator accelerator;
    private final Map<String, TensorBuffer> inputs = new HashMap<>();
    private final Map<String, TensorBuffer> outputs = new HashMap<>();
    private final Map<String, float[]> values = new HashMap<>(); // of inputs, on their way
    private Model model;
    private CompiledModel compiled;

    /**
     * @param file its name in the assets
     * @param sha256 its digest: LiteRT may crash or hang on a damaged file
     * @param accelerator what shall run it; that it does is not certain before a self-check
     */
    LiteRtNetwork(AssetManager assets, String file, String sha256, Accelerator accelerator) {
        this.assets = assets;
        this.file = file;
        this.sha256 = sha256;
        this.accelerator = accelerator;
    }

    @Override
    public void load() {
        checkFile();
        try {
            model = Model.load(assets, file);
            compiled =
                    CompiledModel.create(model, new CompiledModel.Options(accelerator), null);
        } catch (LiteRtException error) {
            close();
            throw new FlowEngineException("LiteRT can't load " + file, error);
        }
    }

    private void checkFile() {
        StringBuilder hex = new StringBuilder();
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte each : digest.digest(Assets.read(assets, file))) {
                hex.append(String.format(Locale.ROOT, "%02x", each));
            }
        } catch (IOException error) {
            throw new FlowEngineException(
                    "there is no " + file + " in the assets: run export/fill_demo.py", error);
        } catch (NoSuchAlgorithmException never) {
            throw new AssertionError(never);
        }
        if (!hex.toString().equals(sha256)) {
            throw new FlowEngineException(
                    file + " is damaged: expected the SHA-256 " + sha256 + " of models.json; got "
                            + hex + "; run export/fill_demo.py");
        }
    }

    @Override
    public TensorSpec input(String name) {
        checkLoaded();
        try {
            return spec(name, model.getInputTensorType(name, FIRST));
        } catch (Exception error) { // Kotlin does not declare that it throws a LiteRtException
            throw noTensor("input", name, error);
        }
    }

    @Override
    public TensorSpec output(String name) {
        checkLoaded();
        try {
            return spec(name, model.getOutputTensorType(name, FIRST));
        } catch (Exception error) { // likewise
            throw noTensor("output", name, error);
        }
    }

    private FlowEngineException noTensor(String kind, String name, Exception error) {
        if (error instanceof FlowEngineException) {
            return (FlowEngineException) error;
        }
        return new FlowEngineException(
                file + " has no " + kind + " " + name + ": it is not what tfflow exports", error);
    }

    private TensorSpec spec(String name, TensorType type) {
        if (type.getElementType() != TensorType.ElementType.FLOAT || type.getLayout() == null) {
            throw new FlowEngineException(
                    file + ": " + name + " must be float32 of a fixed size: export it with float"
                            + " inputs and outputs");
        }
        List<Integer> sides = type.getLayout().getDimensions();
        int[] shape = new int[sides.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = sides.get(i);
        }
        return TensorSpec.floats(name, shape);
    }

    @Override
    public void run(Map<String, ByteBuffer> given, Map<String, ByteBuffer> results) {
        checkLoaded();
        try {
            for (Map.Entry<String, ByteBuffer> entry : given.entrySet()) {
                TensorBuffer input = buffer(entry.getKey(), true);
                float[] numbers = values.get(entry.getKey());
                fromStart(entry.getValue()).asFloatBuffer().get(numbers);
                input.writeFloat(numbers);
            }
            for (String name : results.keySet()) {
                buffer(name, false);
            }
            compiled.run(inputs, outputs, FIRST);
            for (Map.Entry<String, ByteBuffer> entry : results.entrySet()) {
                ByteBuffer result = fromStart(entry.getValue());
                result.asFloatBuffer().put(outputs.get(entry.getKey()).readFloat());
            }
        } catch (LiteRtException error) {
            throw new FlowEngineException("LiteRT can't run " + file, error);
        }
    }

    /** LiteRT's memory for a tensor, made when it is first used. */
    private TensorBuffer buffer(String name, boolean input) throws LiteRtException {
        Map<String, TensorBuffer> buffers = input ? inputs : outputs;
        TensorBuffer buffer = buffers.get(name);
        if (buffer == null) {
            buffer =
                    input
                            ? compiled.createInputBuffer(name, FIRST)
                            : compiled.createOutputBuffer(name, FIRST);
            buffers.put(name, buffer);
            if (input) {
                values.put(name, new float[input(name).count()]);
            }
        }
        return buffer;
    }

    private static ByteBuffer fromStart(ByteBuffer bytes) {
        ByteBuffer start = bytes.duplicate().order(bytes.order());
        start.clear();
        return start;
    }

    private void checkLoaded() {
        if (compiled == null) {
            throw new IllegalStateException("call load() first");
        }
    }

    @Override
    public void close() {
        for (TensorBuffer buffer : inputs.values()) {
            buffer.close();
        }
        for (TensorBuffer buffer : outputs.values()) {
            buffer.close();
        }
        inputs.clear();
        outputs.clear();
        if (compiled != null) {
            compiled.close();
            compiled = null;
        }
        if (model != null) {
            model.close();
            model = null;
        }
    }
}
