package org.tfflow.core.pipeline;

/** What is drawn over the frames. */
public enum ViewMode {
    /** The flow's colours. */
    COLORS,
    /** The flow's arrows. */
    ARROWS,
    /** Objects, found on key frames and carried by flow between them. */
    DETECTION
}
