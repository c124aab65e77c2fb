package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A flow network exported by tfflow with streaming: each image of a video goes through the signature
 * encode once, and match takes the features of two of them. The twin of {@code
 * tfflow.tflite.FlowStream}.
 */
public final class StreamingFlowEngine implements FlowEngine {
    private static final String ENCODE = "encode";
    private static final String MATCH = "match";
    private static final String IMAGE = "image";

    private final Network network;
    private final List<String> features;
    private final List<String> matched;
    private Map<String, ByteBuffer> older;
    private Map<String, ByteBuffer> newer;
    private boolean hasOlder;

    /**
     * @param network not yet loaded; closed with this engine
     * @param features the outputs of encode
     * @param matched the inputs of match: features1_NAME of the older image, features2_NAME of the
     *     newer one; not all features need be there
     */
    public StreamingFlowEngine(Network network, List<String> features, List<String> matched) {
        this.network = network;
        this.features = new ArrayList<>(features);
        this.matched = new ArrayList<>(matched);
        for (String name : matched) {
            boolean known =
                    (name.startsWith("features1_") || name.startsWith("features2_"))
                            && features.contains(feature(name));
            if (!known) {
                throw new IllegalArgumentException(
                        "expected match's inputs to be features1_ or features2_ and one of "
                                + features + "; got " + name);
            }
        }
    }

    private static String feature(String input) {
        return input.substring("features1_".length());
    }

    @Override
    public void load() {
        network.load();
        for (String name : matched) {
            TensorSpec given = network.output(ENCODE, feature(name));
            TensorSpec taken = network.input(MATCH, name);
            if (!given.isLike(taken)) {
                throw new FlowEngineException(
                        "encode and match are not of one export: " + given + " and " + taken);
            }
        }
        older = room();
        newer = room();
        hasOlder = false;
    }

    private Map<String, ByteBuffer> room() {
        Map<String, ByteBuffer> room = new HashMap<>();
        for (String name : features) {
            room.put(name, TensorPacking.allocate(network.output(ENCODE, name)));
        }
        return room;
    }

    @Override
    public TensorSpec inputSpec() {
        return network.input(ENCODE, IMAGE);
    }

    @Override
    public TensorSpec outputSpec() {
        return network.output(MATCH, FLOW);
    }

    @Override
    public Optional<TensorSpec> confidenceSpec() {
        return network.hasOutput(MATCH, CONFIDENCE)
                ? Optional.of(network.output(MATCH, CONFIDENCE))
                : Optional.empty();
    }

    @Override
    public void run(ByteBuffer image1, ByteBuffer image2, Map<String, ByteBuffer> outputs) {
        if (older == null) {
            throw new IllegalStateException("call load() first");
        }
        if (!hasOlder) {
            encode(image1, older);
        }
        hasOlder = false; // should one of the next two fail
        encode(image2, newer);
        Map<String, ByteBuffer> inputs = new HashMap<>();
        for (String name : matched) {
            inputs.put(name, (name.startsWith("features1_") ? older : newer).get(feature(name)));
        }
        network.run(MATCH, inputs, outputs);
        Map<String, ByteBuffer> free = older;
        older = newer;
        newer = free;
        hasOlder = true;
    }

    private void encode(ByteBuffer image, Map<String, ByteBuffer> into) {
        network.run(ENCODE, Collections.singletonMap(IMAGE, image), into);
    }

    @Override
    public void forget() {
        hasOlder = false;
    }

    @Override
    public void close() {
        older = null;
        newer = null;
        network.close();
    }
}
