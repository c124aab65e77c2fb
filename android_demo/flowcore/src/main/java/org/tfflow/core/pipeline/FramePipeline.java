package org.tfflow.core.pipeline;

import java.util.Optional;
import org.tfflow.core.image.Frame;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.LatencyStatistics;

/** Frames in, overlays out. All methods but {@link #statistics} are called on one thread. */
public interface FramePipeline extends AutoCloseable {
    /**
     * Loads what it runs; does nothing if it is open.
     *
     * @throws FlowEngineException if a network can't be run
     */
    void open();

    /**
     * The next frame. One that is older than the last is the first of another video.
     *
     * @return nothing if a frame alone gives nothing, as a first frame gives no flow
     * @throws IllegalStateException before {@link #open}
     */
    Optional<Overlay> process(Frame frame);

    /** The next frame follows none: after a pause, or another camera. */
    void forget();

    /** The times of the last hundred frames, by stage; total is the last. */
    LatencyStatistics statistics();

    /** Gives everything back; may be called twice. */
    @Override
    void close();
}
