package com.google.ai.edge.litert;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.tfflow.core.FlowEngineException;
import org.tfflow.core.TensorSpec;
import org.tfflow.desktop.DesktopNetwork;
import org.tfflow.fakes.Phone;

/** LiteRT's C library plays its Kotlin side. */
public final class Model implements AutoCloseable {
    final DesktopNetwork network;

    private Model(DesktopNetwork network) {
        this.network = network;
    }

    public static Model load(android.content.res.AssetManager assets, String name)
            throws LiteRtException {
        DesktopNetwork network = new DesktopNetwork(Phone.library, Phone.assets.resolve(name));
        try {
            network.load();
        } catch (FlowEngineException error) {
            throw new LiteRtException("Failed to load model: " + name);
        }
        return new Model(network);
    }

    public TensorType getInputTensorType(String name, String signature) {
        return type(network.input(name));
    }

    public TensorType getOutputTensorType(String name, String signature) {
        return type(network.output(name));
    }

    private static TensorType type(TensorSpec spec) {
        return new TensorType(
                Arrays.stream(spec.shape()).boxed().collect(Collectors.toList()));
    }

    @Override
    public void close() {
        network.close();
    }
}
