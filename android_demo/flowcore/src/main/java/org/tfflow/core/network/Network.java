package org.tfflow.core.network;

import java.nio.ByteBuffer;
import java.util.Map;

/**
 * One .tflite with its tensors by the names of its signatures: LiteRT on a phone, LiteRT's C library
 * on a desktop, something simple in a test. All methods are called on one thread, load first and
 * close last.
 */
public interface Network extends AutoCloseable {
    /** The name that stands for a file's first signature. */
    String FIRST = "";

    /**
     * Reads the file and makes it ready to run.
     *
     * @throws FlowEngineException if there is no such file or the runtime can't run it
     */
    void load();

    /**
     * What an input is.
     *
     * @param signature its name, or {@link #FIRST}
     * @throws FlowEngineException if the file has none of this name
     */
    TensorSpec input(String signature, String name);

    /**
     * What an output is.
     *
     * @param signature its name, or {@link #FIRST}
     * @throws FlowEngineException if the file has none of this name
     */
    TensorSpec output(String signature, String name);

    /**
     * Whether a signature has an output of this name.
     *
     * @param signature its name, or {@link #FIRST}
     */
    boolean hasOutput(String signature, String name);

    /**
     * Runs one signature once. The buffers are those of {@link TensorPacking#allocate}; their
     * positions do not matter and do not move.
     *
     * @param signature its name, or {@link #FIRST}
     * @param inputs all of the signature's, by name
     * @param outputs all of the signature's, by name; they are written
     * @throws FlowEngineException if a tensor is missing or the runtime fails
     */
    void run(
            String signature, Map<String, ByteBuffer> inputs, Map<String, ByteBuffer> outputs);

    /** Gives everything back; may be called twice. */
    @Override
    void close();
}
