package org.tfflow.demo;

import org.tfflow.core.image.Frame;

/** Where frames come from: the camera or a video file. */
interface FrameSource {
    /** Gets the frames, on the source's thread. */
    interface Receiver {
        /** A new frame, already copied out of the source's buffers. */
        void onFrame(Frame frame);

        /** There will be no frames. */
        void onFailure(String reason);
    }

    /** Ends it; waits until no frame is on its way. May be called twice. */
    void close();
}
