package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/** A flow network exported by tfflow, its signature flow: image1 and image2 in, flow out. */
public final class NetworkFlowEngine implements FlowEngine {
    private static final String FLOW = "flow"; // the signature, and its output

    private final Network network;
    private final Map<String, ByteBuffer> images = new HashMap<>();
    private TensorSpec input;
    private TensorSpec output;

    /**
     * @param network not yet loaded; closed with this engine
     */
    public NetworkFlowEngine(Network network) {
        this.network = network;
    }

    @Override
    public void load() {
        network.load();
        TensorSpec image1 = network.input(FLOW, "image1");
        TensorSpec image2 = network.input(FLOW, "image2");
        if (!image1.isLike(image2)) {
            throw new FlowEngineException(
                    "both images must be alike; got " + image1 + " and " + image2);
        }
        input = image1;
        output = network.output(FLOW, FLOW);
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
    public void run(ByteBuffer image1, ByteBuffer image2, ByteBuffer flow) {
        checkLoaded();
        images.put("image1", image1);
        images.put("image2", image2);
        network.run(FLOW, images, Collections.singletonMap(FLOW, flow));
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
        network.close();
    }
}
