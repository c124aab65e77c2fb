package org.tfflow.demo;

import android.content.res.AssetManager;
import com.google.ai.edge.litert.Accelerator;
import com.google.ai.edge.litert.CompiledModel;
import com.google.ai.edge.litert.LiteRtException;
import com.google.ai.edge.litert.Model;
import com.google.ai.edge.litert.TensorBuffer;
import com.google.ai.edge.litert.TensorType;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tfflow.core.FlowEngine;
import org.tfflow.core.FlowEngineException;
import org.tfflow.core.TensorSpec;

/**
 * A .tflite of the assets on LiteRT's CompiledModel. The files take and give float32, also the int8
 * ones.
 */
final class LiteRtFlowEngine implements FlowEngine {
    private static final String SIGNATURE = "flow";

    private final AssetManager assets;
    private final String file;
    private final Accelerator[] accelerators;
    private final Map<String, TensorBuffer> inputs = new HashMap<>();
    private final Map<String, TensorBuffer> outputs = new HashMap<>();
    private Model model;
    private CompiledModel compiled;
    private TensorSpec inputSpec;
    private TensorSpec outputSpec;
    private Accelerator accelerator;
    private float[] values;

    /**
     * @param accelerators to be tried in this order; the first that takes the network runs it
     */
    LiteRtFlowEngine(AssetManager assets, String file, Accelerator... accelerators) {
        this.assets = assets;
        this.file = file;
        this.accelerators = accelerators;
    }

    /** What runs the network, once it is loaded. */
    Accelerator accelerator() {
        return accelerator;
    }

    @Override
    public void load() {
        try {
            model = Model.load(assets, file);
            inputSpec = spec("image1", model.getInputTensorType("image1", SIGNATURE));
            outputSpec = spec("flow", model.getOutputTensorType("flow", SIGNATURE));
            compiled = compile();
            for (String name : new String[] {"image1", "image2"}) {
                inputs.put(name, compiled.createInputBuffer(name, SIGNATURE));
            }
            outputs.put("flow", compiled.createOutputBuffer("flow", SIGNATURE));
            values = new float[inputSpec.count()];
        } catch (LiteRtException error) {
            close();
            throw new FlowEngineException("LiteRT can't load " + file, error);
        }
    }

    private CompiledModel compile() throws LiteRtException {
        LiteRtException last = null;
        for (Accelerator each : accelerators) {
            try {
                CompiledModel made =
                        CompiledModel.create(model, new CompiledModel.Options(each), null);
                accelerator = each;
                return made;
            } catch (LiteRtException error) {
                last = error;
            }
        }
        throw new FlowEngineException("no accelerator takes " + file, last);
    }

    private static TensorSpec spec(String name, TensorType type) {
        if (type.getElementType() != TensorType.ElementType.FLOAT || type.getLayout() == null) {
            throw new FlowEngineException(
                    name + " must be float32 of a fixed size: export with float inputs");
        }
        List<Integer> sides = type.getLayout().getDimensions();
        int[] shape = new int[sides.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = sides.get(i);
        }
        return TensorSpec.floats(name, shape);
    }

    @Override
    public TensorSpec inputSpec() {
        return inputSpec;
    }

    @Override
    public TensorSpec outputSpec() {
        return outputSpec;
    }

    @Override
    public void run(ByteBuffer image1, ByteBuffer image2, ByteBuffer flow) {
        try {
            write(image1, inputs.get("image1"));
            write(image2, inputs.get("image2"));
            compiled.run(inputs, outputs, SIGNATURE);
            ByteBuffer result = flow.duplicate().order(flow.order());
            result.clear();
            result.asFloatBuffer().put(outputs.get("flow").readFloat());
        } catch (LiteRtException error) {
            throw new FlowEngineException("LiteRT can't run " + file, error);
        }
    }

    private void write(ByteBuffer image, TensorBuffer tensor) throws LiteRtException {
        ByteBuffer source = image.duplicate().order(image.order());
        source.clear();
        source.asFloatBuffer().get(values);
        tensor.writeFloat(values);
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
