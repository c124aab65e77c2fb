package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A flow network exported by tfflow, its signature flow: image1 and image2 in, flow out, and
 * confidence if the file gives it.
 */
public final class NetworkFlowEngine implements FlowEngine {
    private static final String SIGNATURE = "flow";

    private final Network network;
    private final Map<String, ByteBuffer> images = new HashMap<>();
    private TensorSpec input;
    private TensorSpec output;
    private @Nullable TensorSpec confidence;

    /**
     * @param network not yet loaded; closed with this engine
     */
    public NetworkFlowEngine(Network network) {
        this.network = network;
    }

    @Override
    public void load() {
        network.load();
        TensorSpec image1 = network.input(SIGNATURE, "image1");
        TensorSpec image2 = network.input(SIGNATURE, "image2");
        if (!image1.isLike(image2)) {
            throw new FlowEngineException(
                    "both images must be alike; got " + image1 + " and " + image2);
        }
        input = image1;
        output = network.output(SIGNATURE, FLOW);
        boolean gives = network.hasOutput(SIGNATURE, CONFIDENCE);
        confidence = gives ? network.output(SIGNATURE, CONFIDENCE) : null;
    }

    @Override
    public TensorSpec inputSpec() {
        checkLoaded();
        return input;
    }

    @Override
    public TensorSpec outputSpec() {
        checkLoaded();
        return output;
    }

    @Override
    public Optional<TensorSpec> confidenceSpec() {
        checkLoaded();
        return Optional.ofNullable(confidence);
    }

    @Override
    public void run(ByteBuffer image1, ByteBuffer image2, Map<String, ByteBuffer> outputs) {
        checkLoaded();
        images.put("image1", image1);
        images.put("image2", image2);
        network.run(SIGNATURE, images, outputs);
    }

    private void checkLoaded() {
        if (output == null) {
            throw new IllegalStateException("call load() first");
        }
    }

    @Override
    public void close() {
        input = null;
        output = null;
        confidence = null;
        network.close();
    }
}
