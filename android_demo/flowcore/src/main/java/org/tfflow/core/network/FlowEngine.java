package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;

/**
 * Runs one flow network: LiteRT on a phone, LiteRT's C library on a desktop, something simple in a
 * test. All methods are called on one thread, load first and close last.
 */
public interface FlowEngine extends AutoCloseable {
    /** The name of the flow among the outputs. */
    String FLOW = "flow";

    /** The name of the confidence among the outputs. */
    String CONFIDENCE = "confidence";

    /**
     * Reads the file and makes it ready to run.
     *
     * @throws FlowEngineException if there is no such file or the runtime can't run it
     */
    void load();

    /** What image1 and image2 are: [1, height, width, 3]. */
    TensorSpec inputSpec();

    /** What the flow is: [1, height, width, 2], in pixels of that size. */
    TensorSpec outputSpec();

    /**
     * What the confidence is: [1, rows, columns, 1], in [0, 1], how far the network trusts its flow
     * there; a map of the whole image, but often smaller. Nothing if it does not say.
     */
    default Optional<TensorSpec> confidenceSpec() {
        return Optional.empty();
    }

    /**
     * The flow from the first image to the second. The first is the second of the call before,
     * unless there was none or {@link #forget} came in between. The buffers are those of {@link
     * TensorPacking#allocate}; their positions do not matter and do not move.
     *
     * @param outputs {@link #FLOW} and, if {@link #confidenceSpec} has it, {@link #CONFIDENCE};
     *     they are written
     * @throws FlowEngineException if the runtime fails
     */
    void run(ByteBuffer image1, ByteBuffer image2, Map<String, ByteBuffer> outputs);

    /** The next first image is a new one. */
    default void forget() {}

    /** Gives everything back; may be called twice. */
    @Override
    void close();
}
