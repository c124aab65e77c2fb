package org.tfflow.core;

import java.nio.ByteBuffer;
import java.util.Map;

/**
 * One .tflite with its tensors by the names of its signature: LiteRT on a phone, LiteRT's C library
 * on a desktop, something simple in a test. All methods are called on one thread, load first and
 * close last.
 */
public interface Network extends AutoCloseable {
    /**
     * Reads the file and makes it ready to run.
     *
     * @throws FlowEngineException if there is no such file or the runtime can't run it
     */
    void load();

    /**
     * What an input is.
     *
     * @throws FlowEngineException if the file has none of this name
     */
    TensorSpec input(String name);

    /**
     * What an output is.
     *
     * @throws FlowEngineException if the file has none of this name
     */
    TensorSpec output(String name);

    /**
     * Runs it once. The buffers are those of {@link TensorPacking#allocate}; their positions do not
     * matter and do not move.
     *
     * @param inputs all of the file's, by name
     * @param outputs all of the file's, by name; they are written
     * @throws FlowEngineException if a tensor is missing or the runtime fails
     */
    void run(Map<String, ByteBuffer> inputs, Map<String, ByteBuffer> outputs);

    /** Gives everything back; may be called twice. */
    @Override
    void close();
}
