package org.tfflow.core.network;

/** A network could not be loaded or run. */
public final class FlowEngineException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Says what failed. */
    public FlowEngineException(String message) {
        super(message);
    }

    /** Says what failed, and why. */
    public FlowEngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
